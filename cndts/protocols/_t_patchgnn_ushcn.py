"""The protocol of t-PatchGNN on USHCN: 24 months of sparse weather, the next month as targets."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cndts.metrics._average import Average
from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._chunks import chunks
from cndts.protocols._parts import chunk_split, in_parts
from cndts.protocols._published_t_patchgnn import t_patchgnn_ushcn
from cndts.protocols._scores import errors
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._sporadic import END, Stations, as_sporadic
from cndts.protocols._t_patchgnn import split_records
from cndts.protocols._words import (
    SPORADIC_DATA,
    SPORADIC_SOURCE,
    SPORADIC_TRAPS,
    T_PATCHGNN_SOURCE,
    t_patchgnn_training,
)
from cndts.targets import Targets
from cndts.tasks._context import context_and_targets

MONTHS, HISTORY = 48, 24
CAUTION = "The values drawn differ: the authors' draw of one value in twenty was not seeded; theirs is in the table that they ship."


@dataclass(frozen=True)
class TPatchGNNUSHCN(Protocol):
    """Protocol of t-PatchGNN (Zhang et al., ICML 2024) on USHCN; :meth:`describe` tells what it does.

    Parameters
    ----------
    stations : {"active", "all"}, default="active"
        Stations to keep of daily weather, see :func:`sporadic_ushcn`; the prepared table has the active ones.
    random_state : int, default=0
        Seed of the draw from daily weather; the prepared table is drawn already.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("t-patchgnn/ushcn")
    >>> print(rules.describe().splitlines()[0])
    t-patchgnn/ushcn: 24 months of context, the next month as targets.
    >>> float(rules.published().loc["t-PatchGNN", "mse"])
    0.5
    """

    name: ClassVar[str] = "t-patchgnn/ushcn"
    data: ClassVar[str] = "ushcn"
    average: ClassVar[Average] = "channel"

    stations: Stations = "active"
    random_state: int = 0

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Chunks of 25 months of the training, validation and test stations, cut after 24.

        Parameters
        ----------
        panel : IrregularPanel
            The prepared table (:func:`read_sporadic_csv`), or daily weather, which is prepared first
            (:func:`sporadic_ushcn`). The order of the stations decides who is tested.

        Returns
        -------
        ProtocolSplit
            Values in deviations, times in months (``"month"``) since the start of the four years, not of the chunk.
            Records are named ``"<station> from <month>"``; groups tell the station.

        Raises
        ------
        ValueError
            If the panel is neither, no station is left, or there are under five.
        """
        events = as_sporadic(panel, self.stations, self.random_state)
        month = np.round(events.time * (MONTHS / END), 9)
        events = IrregularPanel._trusted(events, time=month, time_unit="month", origin=None)
        sources = split_records(events.records)
        cut = chunks(events, _starts, HISTORY + 1, end=MONTHS, from_zero=False)
        return in_parts(cut, chunk_split(cut, sources), _cut)

    def score(self, y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
        """MSE and MAE, averaged within each variable over all chunks, then over the variables.

        Parameters
        ----------
        y : Targets
            True values on the protocol's scale.
        y_hat : Targets or array-like of shape (n_targets,)
            Predictions on the same scale.

        Returns
        -------
        dict
            ``mse`` and ``mae`` (papers print both times 1e1).
        """
        return errors(y, y_hat, self.average)

    def describe(self) -> str:
        """What the protocol does, where it comes from, and where comparisons go wrong."""
        return textwrap.dedent(f"""\
            {self.name}: 24 months of context, the next month as targets.

            {T_PATCHGNN_SOURCE};
            for the data {SPORADIC_SOURCE}.

            Data: {SPORADIC_DATA}
            Times are multiplied by 48/200, which gives months 0 to 48. (gru_ode_bayes: data_preproc/Climate/process.py;
            t-PatchGNN: lib/ushcn.py)
            Split: stations, in the order of their numbers, shuffled 80/20 with random state 42, the first part cut 75/25
            without shuffling: 60/20/20. Then 24 chunks of 25 months from each, starting at months 0 to 23; the last one holds
            month 48 itself: 26,736 chunks. (t-PatchGNN: lib/parse_datasets.py, lib/ushcn.py)
            Scale: none beyond the z-scores of the data. Times count from the start of the four years in every chunk, as the source
            adds the start back before its models see a time (it divides by 48). (t-PatchGNN: lib/ushcn.py)
            Task: context t < start + 24, targets from there on; only observed values are asked for. (t-PatchGNN: lib/ushcn.py)
            Score: MSE and MAE within each variable, then the plain mean over variables (macro average). Papers print both times
            1e1, mean and standard deviation over five seeds of the model. (t-PatchGNN: lib/evaluation.py)
            {t_patchgnn_training(192)}

            Traps
            - {CAUTION}
            {SPORADIC_TRAPS}
            - Chunks of one station overlap by 24 months: a target is context of later chunks of the same part.
            - A model that sees only differences of times cannot know the month.
            - Two other USHCN tasks are in use: the next three rows after three years (GRU-ODE-Bayes, GraFITi, PyOmniTS), and CRU's
              of 1990 to 1993.
            """)

    def published(self) -> pd.DataFrame:
        """Published results under this protocol, one row a model, with their sources; see ``attrs["caution"]``.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std in the units of :meth:`score`, and source.
        """
        table = t_patchgnn_ushcn()
        table.attrs["caution"] = CAUTION
        return table


def _starts(last: float) -> np.ndarray:
    return np.arange(0.0, MONTHS - HISTORY)


def _cut(panel: IrregularPanel) -> tuple[IrregularPanel, Targets]:
    start = np.array([float(str(name).rsplit(" ", 1)[1]) for name in panel.records])
    is_target = panel.time >= (start + HISTORY)[panel.record]
    return context_and_targets(panel, ~is_target, is_target)
