"""Clocks that are set wrong and run wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, overload

import numpy as np

from cndts._panel_required import check_is_panel
from cndts.missingness._choice import Seed, chosen_channels
from cndts.missingness._clock_error import ClockError
from cndts.panel import IrregularPanel


@overload
def drift_clocks(
    panel: IrregularPanel,
    offset: float = ...,
    rate: float = ...,
    *,
    per_channel: bool = ...,
    channels: str | Sequence[str] | None = ...,
    random_state: Seed = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def drift_clocks(
    panel: IrregularPanel,
    offset: float = ...,
    rate: float = ...,
    *,
    per_channel: bool = ...,
    channels: str | Sequence[str] | None = ...,
    random_state: Seed = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, ClockError]: ...


def drift_clocks(
    panel: IrregularPanel,
    offset: float = 0.0,
    rate: float = 0.001,
    *,
    per_channel: bool = True,
    channels: str | Sequence[str] | None = None,
    random_state: Seed = 0,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, ClockError]:
    r"""Give every sensor a clock of its own that is set wrong and runs wrong.

    Parameters
    ----------
    panel : IrregularPanel
        Records; queries stay as they are, asked in true time.
    offset : float, default=0.0
        Standard deviation of what clocks show too much at the start of a record, in the panel's time unit.
    rate : float, default=0.001
        Standard deviation of what they gain per unit of time; 0.001 is 86 seconds a day. A clock never runs backwards.
    per_channel : bool, default=True
        Whether the channels of a record have clocks of their own; otherwise all share one.
    channels : str or sequence of str, optional
        Channels to act on; all by default.
    random_state : int, numpy.random.Generator or None, default=0
        Seed.
    return_truth : bool, default=False
        Also return what was done.

    Returns
    -------
    panel : IrregularPanel
        The same observations at the times that the clocks showed, sorted by them. Values are untouched.
    error : ClockError
        Only with ``return_truth=True``.

    Raises
    ------
    ValueError
        If ``offset`` or ``rate`` is negative or not finite, or a channel is unknown.

    Notes
    -----
    .. math:: t' = t + a_{rc} + b_{rc} (t - t_r)

    where :math:`t_r` is the first event of record :math:`r`, and :math:`a`, :math:`b` are normal with the given deviations.

    Examples
    --------
    >>> from cndts.datasets import make_oscillators
    >>> panel = make_oscillators(50)
    >>> drifted, error = drift_clocks(panel, offset=0.1, return_truth=True)
    >>> bool(np.array_equal(drifted.value, panel.value[error.row])), bool(np.ptp(drifted.time - error.true_time) > 0.1)
    (True, True)
    """
    check_is_panel(panel)
    if not (0 <= offset < np.inf and 0 <= rate < np.inf):
        raise ValueError(f"offset and rate must be 0 or more, and finite; got {offset} and {rate}.")
    rng = np.random.default_rng(random_state)
    shape = (len(panel), len(panel.channels))
    drawn = rng.standard_normal((2, *(shape if per_channel else (len(panel), 1))))
    wrong = chosen_channels(panel, channels)
    set_wrong = np.broadcast_to(offset * drawn[0], shape) * wrong
    runs_wrong = np.maximum(np.broadcast_to(rate * drawn[1], shape) * wrong, -0.99)
    record, channel = panel.record, panel.channel
    passed = panel.time - np.nan_to_num(panel.first_time)[record]
    shown = panel.time + set_wrong[record, channel] + runs_wrong[record, channel] * passed
    row = np.lexsort((shown, record))
    drifted = IrregularPanel._trusted(panel, time=shown[row], channel=channel[row], value=panel.value[row])
    return (drifted, ClockError(set_wrong, runs_wrong, row, panel.time[row])) if return_truth else drifted
