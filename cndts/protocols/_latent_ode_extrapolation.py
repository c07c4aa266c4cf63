"""The extrapolation protocol of Latent ODE on PhysioNet 2012: the second half of the times from the first."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._latent_ode import PATIENTS, errors_by_stay_and_variable, scaled_stays
from cndts.protocols._published_latent_ode import latent_ode_extrapolation
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._words import LATENT_ODE_DATA, LATENT_ODE_SCORE, LATENT_ODE_TRAPS
from cndts.targets import Targets
from cndts.tasks._context import context_and_targets

_BATCH, _MIDDLE = 50, 24.0


@dataclass(frozen=True)
class LatentODEExtrapolation(Protocol):
    """Extrapolation protocol of Latent ODE (Rubanova et al., NeurIPS 2019) on PhysioNet 2012; see :meth:`describe`.

    Parameters
    ----------
    cut : {"union", "24h"}, default="union"
        Where the context ends: at the middle of the times that the stays of a batch have together, as published, or at
        24 h. Training stays come in batches of 50; those of validation and those of test are one batch each.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("latent-ode/physionet2012-extrapolation")
    >>> print(rules.describe().splitlines()[0])
    latent-ode/physionet2012-extrapolation: the first half of the times as context, the second as targets.
    >>> float(rules.published().loc["Latent ODE", "mse"])
    0.002231
    """

    name: ClassVar[str] = "latent-ode/physionet2012-extrapolation"
    data: ClassVar[str] = "physionet2012"

    cut: Literal["union", "24h"] = "union"

    def __post_init__(self) -> None:
        if self.cut not in ("union", "24h"):
            raise ValueError(f'cut must be "union" or "24h"; got {self.cut!r}.')

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Training, validation and test stays, scaled, cut at the middle of the times of a batch, or at 24 h.

        Parameters
        ----------
        panel : IrregularPanel
            What :func:`cndts.datasets.read_physionet2012` gives, in the units of the source. Its record order decides
            who is tested; read the sets in the order a, b.

        Returns
        -------
        ProtocolSplit
            Values scaled, times in hours on a grid of 0.016 h.

        Raises
        ------
        ValueError
            If the panel is not PhysioNet 2012 as read, or there are under five records.
        """
        events, records, offset, scale = scaled_stays(panel)
        train, *others = records.apply(events)
        # validation stands in for the test part, which the source takes as one batch
        validation, test = (self._cut(part, len(part)) for part in others)
        return ProtocolSplit(self._cut(train, _BATCH), validation, test, records, offset, scale)

    def _cut(self, panel: IrregularPanel, batch: int) -> tuple[IrregularPanel, Targets]:
        ends = middles(panel, batch) if self.cut == "union" else np.full(len(panel), _MIDDLE)
        is_target = panel.time >= ends[panel.record]
        return context_and_targets(panel, ~is_target, is_target)

    def score(self, y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
        """The published error by stay and variable, and plain means.

        Parameters
        ----------
        y : Targets
            True values on the protocol's scale.
        y_hat : Targets or array-like of shape (n_targets,)
            Predictions on the same scale.

        Returns
        -------
        dict
            ``mse`` (papers print it times 1e3) and ``mae`` by stay and variable, absent values counting as 0;
            ``mse_by_value`` and ``mae_by_value`` over all values alike.
        """
        return errors_by_stay_and_variable(y, y_hat)

    def describe(self) -> str:
        """What the protocol does, where it comes from, and where comparisons go wrong."""
        where = "the middle, by number, of the times that a batch has together" if self.cut == "union" else "24 h"
        return textwrap.dedent(f"""\
            {self.name}: the first half of the times as context, the second as targets.

            {LATENT_ODE_DATA}
            Task: context before {where}, targets from there on; only
            observed values are asked for. The test stays are one batch, and so are those of validation; training stays come in
            batches of 50. (latent_ode: lib/parse_datasets.py, lib/utils.py)
            {LATENT_ODE_SCORE}

            Traps
            - {PATIENTS}
            - The published cut of a stay depends on the others in its batch: of set a the 800 test stays are cut at 24.0 h, blocks of
              50 training stays at 21.2 to 23.1 h. cut="24h" is the same for all, and nothing published has it.
            {LATENT_ODE_TRAPS}
            - Age, Gender, Height and ICUType are never targets, yet count among the 41 variables with an error of 0.
            - Two other PhysioNet 2012 forecasting tasks are in use: t-PatchGNN's (values near 5e-3) and GraFITi's (near .29).
            """)

    def published(self) -> pd.DataFrame:
        """Published results, with their sources; empty for a cut at 24 h. See ``attrs["caution"]``.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std in the units of :meth:`score`, and source.
        """
        table = latent_ode_extrapolation()
        table = table if self.cut == "union" else table.iloc[:0]
        table.attrs["caution"] = PATIENTS
        return table


def middles(panel: IrregularPanel, batch: int) -> NDArray[np.float64]:
    """For each record, the middle one by number of the distinct times of its batch; infinity without times.

    Parameters
    ----------
    panel : IrregularPanel
        Whole records.
    batch : int
        How many consecutive records share their times.
    """
    ends = np.full(len(panel), np.inf)
    for first in range(0, len(panel), batch):
        stop = min(first + batch, len(panel))
        times = np.unique(panel.time[panel.offsets[first] : panel.offsets[stop]])
        if len(times):
            ends[first:stop] = times[len(times) // 2]
    return ends
