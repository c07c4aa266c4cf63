"""The protocol of PyOmniTS on USHCN: three years of sparse weather, the next three rows, one split."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import pandas as pd
from numpy.typing import ArrayLike

from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._next_rows import next_rows
from cndts.protocols._parts import in_parts, positions, record_split
from cndts.protocols._published_next_rows import pyomnits
from cndts.protocols._scores import errors
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._sporadic import Stations, as_sporadic
from cndts.protocols._words import PYOMNITS_SOURCE, PYOMNITS_TRAINING, SPORADIC_DATA, SPORADIC_SOURCE, SPORADIC_TRAPS
from cndts.targets import Targets

OBSERVE = 149.5  # PyOmniTS takes half a step off the length
CAUTION = (
    "Results before PyOmniTS 2.0.0 used another USHCN table, which was corrected; and the values drawn differ unless the prepared "
    "table is read."
)


@dataclass(frozen=True)
class PyOmniTSUSHCN(Protocol):
    """Protocol of PyOmniTS on USHCN; :meth:`describe` tells what it does.

    Parameters
    ----------
    rows : int, default=3
        How many rows to forecast: 3, which published results are for, 50 as in the source's longer task, or others.
    stations : {"active", "all"}, default="active"
        Stations to keep of daily weather, see :func:`sporadic_ushcn`; the prepared table has the active ones.
    random_state : int, default=0
        Seed of the draw from daily weather; the prepared table is drawn already.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("pyomnits/ushcn")
    >>> print(rules.describe().splitlines()[0])
    pyomnits/ushcn: three years of context, the next 3 rows as targets.
    >>> float(rules.published().loc["TimeCHEAT + ReIMTS", "mse"])
    0.162
    """

    name: ClassVar[str] = "pyomnits/ushcn"
    data: ClassVar[str] = "ushcn"

    rows: int = 3
    stations: Stations = "active"
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise ValueError(f"rows must be 1 or more; got {self.rows!r}.")

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Training, validation and test stations, cut after three years.

        Parameters
        ----------
        panel : IrregularPanel
            The prepared table (:func:`read_sporadic_csv`), or daily weather, which is prepared first
            (:func:`sporadic_ushcn`). The order of the stations decides who is tested.

        Returns
        -------
        ProtocolSplit
            Values in deviations, times in steps, 50 a year.

        Raises
        ------
        ValueError
            If the panel is neither, no station is left, or there are under five.
        """
        events = as_sporadic(panel, self.stations, self.random_state)
        parts = positions(len(events), test=0.1, validation=0.1, random_state=1)
        records = record_split(events.records, parts)
        return in_parts(events, records, partial(next_rows, observe=OBSERVE, n_rows=self.rows))

    def score(self, y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
        """MSE and MAE over all targets alike.

        Parameters
        ----------
        y : Targets
            True values on the protocol's scale.
        y_hat : Targets or array-like of shape (n_targets,)
            Predictions on the same scale.

        Returns
        -------
        dict
            ``mse`` and ``mae``.
        """
        return errors(y, y_hat, self.average)

    def describe(self) -> str:
        """What the protocol does, where it comes from, and where comparisons go wrong."""
        return textwrap.dedent(f"""\
            {self.name}: three years of context, the next {self.rows} rows as targets.

            {PYOMNITS_SOURCE}; for the data {SPORADIC_SOURCE}.

            Data: {SPORADIC_DATA}
            (gru_ode_bayes: data_preproc/Climate/process.py; PyOmniTS: data/dependencies/tsdm/datasets/ushcn_debrouwer2019.py)
            Split: stations, in the order of their numbers, with random state 1: a tenth for test, a tenth of the rest for
            validation, both rounded up. For 1,114 stations that is 901, 101 and 112, as the source's code has it; its comment says 902,
            100 and 112. (PyOmniTS: data/data_provider/datasets/USHCN.py)
            Scale: none beyond the z-scores of the data. Times are left in steps (the source divides by the largest). (PyOmniTS:
            data/dependencies/tsdm/tasks/ushcn_debrouwer2019.py)
            Task: context t <= 149.5, targets the next {self.rows} rows (times with a value) of the station. The source has two tasks,
            150 -> 3, which published results are for, and 150 -> 50: rows=50. (PyOmniTS: data/data_provider/datasets/USHCN.py,
            data/dependencies/tsdm/tasks/ushcn_debrouwer2019.py)
            Score: MSE and MAE over all targets alike (micro average); five seeds of the model on one split. (PyOmniTS:
            utils/metrics.py)
            {PYOMNITS_TRAINING}

            Traps
            - {CAUTION}
            {SPORADIC_TRAPS}
            - One split of few stations: reruns of one model differ by more than models do (HyperIMTS .174 and .241).
            - GraFITi asks for the same rows on five other folds (.27 to .45); t-PatchGNN for a month, macro average (near .5).
            """)

    def published(self) -> pd.DataFrame:
        """Published results for three rows, with their sources; empty for other numbers. See ``attrs["caution"]``.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std in the units of :meth:`score`, and source.
        """
        table = pyomnits("ushcn")
        table = table if self.rows == 3 else table.iloc[:0]
        table.attrs["caution"] = CAUTION
        return table
