"""Generator of spirals."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
import pandas as pd

from cndts._ragged import offsets_from_lengths
from cndts.datasets._record_count import check_record_count
from cndts.datasets._scattered_times import scattered_times
from cndts.datasets._spiral_truth import SpiralTruth
from cndts.panel import IrregularPanel


@overload
def make_spirals(
    n_records: int = ...,
    *,
    n_observations: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def make_spirals(
    n_records: int = ...,
    *,
    n_observations: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, SpiralTruth]: ...


def make_spirals(
    n_records: int = 100,
    *,
    n_observations: float = 50,
    duration: float = 18.0,
    noise: float = 0.1,
    random_state: int | np.random.Generator | None = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, SpiralTruth]:
    r"""Generate spirals of two kinds, one that winds up and one that unwinds, seen at irregular times with noise.

    Half of the records turn clockwise and come closer to the middle, half turn counter-clockwise and go away from it; each is
    rotated, scaled and moved at random. A few points tell the kind, and the kind tells the rest.

    Parameters
    ----------
    n_records : int, default=100
        Number of records.
    n_observations : float, default=50
        Mean number of observations of a channel in a record; counts are Poisson, times uniform and each channel's own.
    duration : float, default=18.0
        Length of a record in seconds, in which the spiral turns by as many radians; 18 is nearly three turns.
    noise : float, default=0.1
        Standard deviation of the noise; radii reach 5.
    random_state : int, numpy.random.Generator or None, default=0
        Seed.
    return_truth : bool, default=False
        Also return the solution.

    Returns
    -------
    panel : IrregularPanel
        Channels ``x`` and ``y``; times in seconds. ``outcomes`` holds ``clockwise`` (0/1), what a classifier is asked for.
    truth : SpiralTruth
        Only with ``return_truth=True``; ``truth(record_position, channel, times)``.

    Notes
    -----
    Chen et al. draw their two kinds from one centre each and let every record start somewhere on its spiral; here centres, sizes and
    rotations vary, so that a record cannot be told by where it lies. See `SpiralTruth` for the curves.

    References
    ----------
    R. T. Q. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud. "Neural Ordinary Differential Equations." NeurIPS 2018,
    section 5.1.

    Examples
    --------
    >>> panel, truth = make_spirals(10, noise=0.0, return_truth=True)
    >>> bool(np.allclose(panel.value, truth(panel.record, panel.channel, panel.time), atol=1e-5))
    True
    """
    check_record_count(n_records)
    rng = np.random.default_rng(random_state)
    clockwise = rng.permutation(np.arange(n_records) % 2 == 0)
    truth = SpiralTruth(
        clockwise,
        size=np.exp(rng.uniform(np.log(0.7), np.log(1.4), n_records)),
        rotation=rng.uniform(0, 2 * np.pi, n_records),
        centre=rng.normal(0, 1.0, (2, n_records)),
        duration=duration,
    )
    record, channel, time = scattered_times(rng, n_records, 2, n_observations, duration)
    value = truth(record, channel, time) + noise * rng.standard_normal(len(time))
    panel = IrregularPanel(
        offsets_from_lengths(np.bincount(record, minlength=n_records)),
        time,
        channel,
        value,
        channels=truth.channels,
        outcomes=pd.DataFrame({"clockwise": clockwise.astype(np.int64)}),
        time_unit="s",
    )
    return (panel, truth) if return_truth else panel
