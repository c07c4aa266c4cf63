"""The protocol of GraFITi on PhysioNet 2012: 36 h of hourly means, the next hourly rows."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
from numpy.typing import ArrayLike

from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._hourly import BINNINGS, Binning, hourly_scores
from cndts.protocols._next_rows import next_rows
from cndts.protocols._parts import in_parts, positions, record_split
from cndts.protocols._published_next_rows import grafiti_physionet2012
from cndts.protocols._scores import errors
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._words import GRAFITI_SOURCE, GRAFITI_TRAINING, HOURLY_DATA, HOURLY_TRAPS
from cndts.targets import Targets

OBSERVE = 36
CAUTION = (
    "The authors' five folds are one split (fixed random state), so their deviations are between seeds of the model; the order of "
    "their stays within a set is not documented, ours is that of the ids."
)


@dataclass(frozen=True)
class GraFITiPhysioNet2012(Protocol):
    """Protocol of GraFITi (AAAI 2024) on PhysioNet 2012; :meth:`describe` tells what it does.

    Parameters
    ----------
    rows : int, default=3
        How many rows to forecast; published results are for 3.
    binning : {"source", "complete"}, default="source"
        Hourly means as the source computes them, with what it loses, or of all values.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("grafiti/physionet2012")
    >>> print(rules.describe().splitlines()[0])
    grafiti/physionet2012: 36 h of hourly means as context, the next 3 hourly rows as targets.
    >>> float(rules.published().loc["GraFITi", "mse"])
    0.286
    """

    name: ClassVar[str] = "grafiti/physionet2012"
    data: ClassVar[str] = "physionet2012"

    rows: int = 3
    binning: Binning = "source"

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise ValueError(f"rows must be 1 or more; got {self.rows!r}.")
        if self.binning not in BINNINGS:
            raise ValueError(f'binning must be "source" or "complete"; got {self.binning!r}.')

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Training, validation and test stays, binned, scaled, cut after hour 36.

        Parameters
        ----------
        panel : IrregularPanel
            What :func:`cndts.datasets.read_physionet2012` gives, in the units of the source. Its record order decides
            who is tested; read the sets in the order a, b, c. With ``duplicates="keep"`` hourly means are over all
            values, as in the source.

        Returns
        -------
        ProtocolSplit
            Values in deviations, times in whole hours. Stays without an hourly row are left out.

        Raises
        ------
        ValueError
            If the panel is something else, or under five stays have a row.
        """
        hourly = hourly_scores(panel, self.binning)
        parts = positions(len(hourly.panel), test=0.15, validation=0.2, random_state=0)

        def cut(part: IrregularPanel) -> tuple[IrregularPanel, Targets]:
            return next_rows(part, OBSERVE, self.rows, hourly.rows_of(part))

        records = record_split(hourly.panel.records, parts)
        return in_parts(hourly.panel, records, cut, hourly.offset, hourly.scale)

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
            {self.name}: 36 h of hourly means as context, the next {self.rows} hourly rows as targets.

            Source: {GRAFITI_SOURCE}.

            Data: {HOURLY_DATA}
            About 11,981 of the 12,000 stays have a row. (GraFITi: tsdm/datasets/physionet2012.py)
            Split: stays in the order of the panel, random state 0: 15 % for test, 20 % of the rest for validation. (GraFITi:
            tsdm/tasks/physionet2012.py)
            Scale: z-scores over all stays, then values beyond 5 deviations left out. Times are left in hours (the source divides
            by the largest). (GraFITi: tsdm/tasks/physionet2012.py)
            Task: context the rows up to hour 36 (included), targets the next {self.rows} rows; the source's longer tasks (its option
            --forc-time) are other numbers of rows. (GraFITi: tsdm/tasks/physionet2012.py)
            Score: MSE over all targets alike (micro average), mean and standard deviation over five runs on the one split. (GraFITi:
            train_grafiti.py)
            {GRAFITI_TRAINING}

            Traps
            - {CAUTION}
            {HOURLY_TRAPS}
            - Two other PhysioNet 2012 forecasting tasks are in use: t-PatchGNN's (values near 5e-3) and Latent ODE's (near 2e-3).
            """)

    def published(self) -> pd.DataFrame:
        """Published results for three rows, with their sources; empty for other numbers. See ``attrs["caution"]``.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std in the units of :meth:`score`, and source.
        """
        table = grafiti_physionet2012()
        table = table if self.rows == 3 else table.iloc[:0]
        table.attrs["caution"] = CAUTION
        return table
