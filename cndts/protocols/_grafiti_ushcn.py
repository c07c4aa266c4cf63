"""The protocol of GRU-ODE-Bayes and GraFITi on USHCN: three years of sparse weather, the next rows."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._next_rows import next_rows
from cndts.protocols._parts import Positions, in_parts, record_split
from cndts.protocols._published_next_rows import grafiti_ushcn
from cndts.protocols._scores import errors
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._sporadic import Stations, as_sporadic
from cndts.protocols._words import GRAFITI_SOURCE, GRAFITI_TRAINING, SPORADIC_DATA, SPORADIC_SOURCE, SPORADIC_TRAPS
from cndts.targets import Targets

OBSERVE, N_FOLDS, SEED = 150, 5, 432
CAUTION = (
    "Published values are means over the five folds, and their deviations (.05 to .09) are between folds: one fold does not "
    "compare with them."
)


@dataclass(frozen=True)
class GraFITiUSHCN(Protocol):
    """Protocol of GRU-ODE-Bayes (NeurIPS 2019) and GraFITi (AAAI 2024) on USHCN; :meth:`describe` tells what it does.

    Parameters
    ----------
    fold : int, default=0
        Which of the five folds, 0 to 4; publish the mean over all.
    rows : int, default=3
        How many rows to forecast; published results are for 3.
    stations : {"active", "all"}, default="active"
        Stations to keep of daily weather, see :func:`sporadic_ushcn`; the prepared table has the active ones.
    random_state : int, default=0
        Seed of the draw from daily weather; the prepared table is drawn already.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("grafiti/ushcn", fold=3)
    >>> print(rules.describe().splitlines()[0])
    grafiti/ushcn: three years of context, the next 3 rows as targets; fold 3 of 0 to 4.
    >>> float(rules.published().loc["GraFITi", "mse"])
    0.272
    """

    name: ClassVar[str] = "grafiti/ushcn"
    data: ClassVar[str] = "ushcn"

    fold: int = 0
    rows: int = 3
    stations: Stations = "active"
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.fold not in range(N_FOLDS):
            raise ValueError(f"fold must be 0 to {N_FOLDS - 1}; got {self.fold!r}.")
        if self.rows < 1:
            raise ValueError(f"rows must be 1 or more; got {self.rows!r}.")

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Training, validation and test stations of the fold, cut after three years.

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
        records = record_split(events.records, fold_positions(len(events), self.fold))
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
            {self.name}: three years of context, the next {self.rows} rows as targets; fold {self.fold} of 0 to 4.

            Source: De Brouwer et al., GRU-ODE-Bayes, NeurIPS 2019, and its published code, {SPORADIC_SOURCE};
            the same protocol in {GRAFITI_SOURCE}.

            Data: {SPORADIC_DATA}
            (gru_ode_bayes: data_preproc/Climate/process.py)
            Split: NumPy's generator seeded with 432 once, then five times: a tenth of the stations, in the order of their
            numbers, for test, a fifth of the rest for validation: 72/18/10. The folds overlap. (gru_ode_bayes:
            data_preproc/Climate/generate_folds.py; GraFITi: tsdm/tasks/ushcn_debrouwer2019.py)
            Scale: none beyond the z-scores of the data. Times are left in steps (GraFITi divides by the largest). (GraFITi:
            tsdm/tasks/ushcn_debrouwer2019.py)
            Task: context t <= 150 (three years), targets the next {self.rows} rows (times with a value) of the station, with as many
            values as they have; GraFITi's longer tasks (--forc-time) are other numbers of rows. (gru_ode_bayes:
            experiments/Climate/climate_gruode.py; GraFITi: tsdm/tasks/ushcn_debrouwer2019.py)
            Score: MSE over all targets alike (micro average), mean and standard deviation over the five folds. GRU-ODE-Bayes also has
            the negative log-likelihood of normal forecasts, in nats a target: models with head="gaussian" get it as nll.
            (GraFITi: train_grafiti.py; gru_ode_bayes: experiments/Climate/climate_gruode.py)
            {GRAFITI_TRAINING}

            Traps
            - {CAUTION}
            {SPORADIC_TRAPS}
            - Three rows come soon: the horizon is weeks at most, and a few hundred values decide the score of a fold.
            - PyOmniTS asks for the same rows on one other split (values .16 to .24); t-PatchGNN for a month, macro average (near .5).
            """)

    def published(self) -> pd.DataFrame:
        """Published results for three rows, means over folds, with their sources; empty for other numbers of rows.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std, nll, nll_std in the units of :meth:`score` and
            :meth:`score_normal`, and source.
        """
        table = grafiti_ushcn()
        table = table if self.rows == 3 else table.iloc[:0]
        table.attrs["caution"] = CAUTION
        return table


def fold_positions(n_records: int, fold: int) -> tuple[Positions, ...]:
    """Training, validation and test positions: one generator for all folds, as in the source."""
    from sklearn.model_selection import train_test_split

    random = np.random.RandomState(SEED)
    for _ in range(fold + 1):
        seen, test = train_test_split(np.arange(n_records), test_size=0.1, random_state=random)
        train, validation = train_test_split(seen, test_size=0.2, random_state=random)
    return train, validation, test
