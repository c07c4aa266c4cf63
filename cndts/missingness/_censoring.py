"""Values beyond what an instrument can show."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from cndts._panel_required import check_is_panel
from cndts.missingness._choice import ByChannel, by_channel
from cndts.panel import IrregularPanel


@overload
def censor_values(
    panel: IrregularPanel,
    lower: ByChannel | None = ...,
    upper: ByChannel | None = ...,
    *,
    drop: bool = ...,
    return_truth: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def censor_values(
    panel: IrregularPanel,
    lower: ByChannel | None = ...,
    upper: ByChannel | None = ...,
    *,
    drop: bool = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, NDArray[np.int8]]: ...


def censor_values(
    panel: IrregularPanel,
    lower: ByChannel | None = None,
    upper: ByChannel | None = None,
    *,
    drop: bool = False,
    return_truth: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, NDArray[np.int8]]:
    """Replace values beyond the limits of detection by the limit, or lose them.

    Nothing here is random: what an instrument cannot show is decided by the value alone.

    Parameters
    ----------
    panel : IrregularPanel
        Records; queries stay as they are.
    lower, upper : float or mapping from channel to float, optional
        Limits in the unit of the channel; none by default, and none for channels that a mapping lacks.
    drop : bool, default=False
        Whether values beyond a limit are lost instead of shown as the limit.
    return_truth : bool, default=False
        Also return what was done.

    Returns
    -------
    panel : IrregularPanel
        With the values that the instrument shows.
    side : ndarray of int8, shape (panel.n_events,)
        Only with ``return_truth=True``: for each event of the given panel -1 where it was below the lower limit, 1 where it was
        above the upper one, else 0.

    Raises
    ------
    ValueError
        If a limit is NaN, the lower one is not below the upper one, or a channel is unknown.

    Examples
    --------
    >>> panel = IrregularPanel([0, 3], [0.0, 1.0, 2.0], [0, 0, 0], [0.1, 0.7, 9.0], channels=["Troponin"])
    >>> shown, side = censor_values(panel, lower=0.3, upper={"Troponin": 5.0}, return_truth=True)
    >>> shown.value, side
    (array([0.3, 0.7, 5. ], dtype=float32), array([-1,  0,  1], dtype=int8))
    """
    check_is_panel(panel)
    low, high = by_channel(panel, lower, -np.inf), by_channel(panel, upper, np.inf)
    if not (low < high).all():
        wrong = int(np.flatnonzero(~(low < high))[0])
        raise ValueError(
            f"the lower limit must lie below the upper one; got {low[wrong]:g} and {high[wrong]:g} for "
            f"{panel.channels[wrong]!r}."
        )
    value, least, most = panel.value, low[panel.channel], high[panel.channel]
    side = (value > most).astype(np.int8) - (value < least).astype(np.int8)
    if drop:
        censored = panel.where(side == 0)
    else:
        censored = IrregularPanel._trusted(panel, value=np.clip(value, least, most).astype(np.float32))
    return (censored, side) if return_truth else censored
