"""Generator of damped oscillators observed at irregular times."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np

from cndts._ragged import offsets_from_lengths
from cndts.datasets._oscillator_truth import OscillatorTruth
from cndts.datasets._record_count import check_record_count
from cndts.panel import IrregularPanel


@overload
def make_oscillators(
    n_records: int = ...,
    *,
    n_channels: int = ...,
    n_modes: int = ...,
    n_observations: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def make_oscillators(
    n_records: int = ...,
    *,
    n_channels: int = ...,
    n_modes: int = ...,
    n_observations: float = ...,
    duration: float = ...,
    noise: float = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, OscillatorTruth]: ...


def make_oscillators(
    n_records: int = 100,
    *,
    n_channels: int = 2,
    n_modes: int = 2,
    n_observations: float = 30,
    duration: float = 10.0,
    noise: float = 0.05,
    random_state: int | np.random.Generator | None = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, OscillatorTruth]:
    """Generate damped oscillators: linear dynamics that channels share, seen at irregular times with noise.

    Every record has its own frequencies and damping rates, and every channel shows all of them with its own strength and
    phase, so what one channel reveals about a frequency helps to predict the others.

    Parameters
    ----------
    n_records : int, default=100
        Number of records.
    n_channels : int, default=2
        Channels ``x0``, ``x1``, ...
    n_modes : int, default=2
        Oscillations in a record.
    n_observations : float, default=30
        Mean number of observations of a channel in a record; counts are Poisson, times uniform.
    duration : float, default=10.0
        Length of a record, in seconds. Periods lie between 1/8 and 1/2 of it.
    noise : float, default=0.05
        Standard deviation of the observation noise; amplitudes are about 1.
    random_state : int, numpy.random.Generator or None, default=0
        Seed.
    return_truth : bool, default=False
        Also return the closed form.

    Returns
    -------
    panel : IrregularPanel
    truth : OscillatorTruth
        Only with ``return_truth=True``; ``truth(record_position, channel, times)``.

    Examples
    --------
    >>> panel, truth = make_oscillators(10, noise=0.0, return_truth=True)
    >>> bool(np.allclose(panel.value, truth(panel.record, panel.channel, panel.time), atol=1e-6))
    True
    """
    check_record_count(n_records)
    rng = np.random.default_rng(random_state)
    shape = (n_records, n_channels, n_modes)
    channels = [f"x{channel}" for channel in range(n_channels)]
    period = duration * np.exp(rng.uniform(np.log(1 / 8), np.log(1 / 2), size=(n_records, n_modes)))
    decay = rng.uniform(0.2, 1.5, size=(n_records, n_modes)) / duration
    amplitude = rng.uniform(0.5, 1.5, size=shape) / np.sqrt(n_modes)
    phase = rng.uniform(0, 2 * np.pi, size=shape)
    truth = OscillatorTruth(amplitude, phase, decay, 2 * np.pi / period, duration, channels)

    lengths = rng.poisson(n_observations, size=(n_records, n_channels))
    record = np.repeat(np.arange(n_records), lengths.sum(axis=1))
    channel = np.repeat(np.tile(np.arange(n_channels), n_records), lengths.ravel())
    time = rng.uniform(0, duration, size=len(record))
    order = np.lexsort((channel, time, record))
    record, channel, time = record[order], channel[order], time[order]
    value = truth(record, channel, time) + noise * rng.standard_normal(len(time))
    panel = IrregularPanel(
        offsets_from_lengths(lengths.sum(axis=1)), time, channel, value, channels=channels, time_unit="s"
    )
    return (panel, truth) if return_truth else panel
