"""The protocol of PyOmniTS on PhysioNet 2012: 36 h of hourly means, the next three hourly rows, split by order."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._hourly import BINNINGS, Binning, hourly_scores
from cndts.protocols._next_rows import next_rows
from cndts.protocols._parts import in_parts, positions, record_split
from cndts.protocols._published_next_rows import pyomnits
from cndts.protocols._scores import errors
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._words import HOURLY_DATA, HOURLY_TRAPS, PYOMNITS_SOURCE, PYOMNITS_TRAINING
from cndts.targets import Targets

TASKS = {(36, 3), (36, 12), (24, 24)}
_LAST_HOUR = 47
CAUTION = (
    "The test stays are the last tenth of the records: with all three sets the last stays of set c, with set a alone its own last "
    "stays. Results are from five seeds of the model on one split."
)


@dataclass(frozen=True)
class PyOmniTSPhysioNet2012(Protocol):
    """Protocol of PyOmniTS on PhysioNet 2012; :meth:`describe` tells what it does.

    Parameters
    ----------
    observe, rows : int, default=36, 3
        Hours of context and rows to forecast: 36 and 3, 36 and 12, or 24 and 24, under their names in the source; see the
        traps of :meth:`describe` for what is seen. Published results are for the first.
    binning : {"source", "complete"}, default="source"
        Hourly means as the source computes them, with what it loses, or of all values.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("pyomnits/physionet2012")
    >>> print(rules.describe().splitlines()[0])
    pyomnits/physionet2012: 36 h of hourly means as context, the next 3 hourly rows as targets.
    >>> float(rules.published().loc["HD-TTS", "mse"])
    0.283
    """

    name: ClassVar[str] = "pyomnits/physionet2012"
    data: ClassVar[str] = "physionet2012"

    observe: int = 36
    rows: int = 3
    binning: Binning = "source"

    def __post_init__(self) -> None:
        if (self.observe, self.rows) not in TASKS:
            raise ValueError(
                "the protocol knows 36 h and 3 rows, 36 h and 12 rows, 24 h and 24 rows; got "
                f"observe={self.observe!r}, rows={self.rows!r}."
            )
        if self.binning not in BINNINGS:
            raise ValueError(f'binning must be "source" or "complete"; got {self.binning!r}.')

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """The first stays to train, those after them to choose, the last ones to test; binned, scaled, cut.

        Parameters
        ----------
        panel : IrregularPanel
            What :func:`cndts.datasets.read_physionet2012` gives, in the units of the source; read the sets in the order
            a, b, c. With ``duplicates="keep"`` hourly means are over all values, as in the source.

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
        parts = positions(len(hourly.panel), test=0.1, validation=0.1, shuffle=False)

        def cut(part: IrregularPanel) -> tuple[IrregularPanel, Targets]:
            return next_rows(part, self._end(), self.rows, hourly.rows_of(part))

        records = record_split(hourly.panel.records, tuple(map(np.sort, parts)))
        return in_parts(hourly.panel, records, cut, hourly.offset, hourly.scale)

    def _end(self) -> float:
        """Where the context ends: the source divides this by the last hour plus one, but times by the last hour."""
        return (self.observe - 0.5) * _LAST_HOUR / (_LAST_HOUR + 1)

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
            {self.name}: {self.observe} h of hourly means as context, the next {self.rows} hourly rows as targets.

            {PYOMNITS_SOURCE}.

            Data: {HOURLY_DATA}
            About 11,981 of the 12,000 stays have a row. (PyOmniTS: data/dependencies/tsdm/datasets/physionet2012.py)
            Split: in the order of the panel, not shuffled: the last tenth for test, the tenth before it for validation, both rounded
            up. For 11,981 stays that is 9,703, 1,079 and 1,199, as the source's code has it; its comment says 9,704, 1,078 and 1,199.
            (PyOmniTS: data/data_provider/datasets/P12.py)
            Scale: z-scores over all stays, then values beyond 5 deviations left out. Times are left in hours. (PyOmniTS:
            data/dependencies/tsdm/tasks/P12.py)
            Task: context the rows up to hour {int(self._end())} (included), targets the next {self.rows} rows. (PyOmniTS:
            data/data_provider/datasets/P12.py, data/dependencies/tsdm/tasks/P12.py)
            Score: MSE and MAE over all targets alike (micro average); five seeds of the model on one split. (PyOmniTS:
            utils/metrics.py)
            {PYOMNITS_TRAINING}

            Traps
            - {CAUTION}
            - "{self.observe} h" end at {self.observe - 0.5} h times 47/48, as in the source, which divides that end by 48 and its times by 47, the
              largest hour: of 36 hours named 35 are seen (0 to 34), of 24 all (0 to 23).
            {HOURLY_TRAPS}
            - GraFITi's version of the task includes hour 36 in the context and draws its split at random.
            """)

    def published(self) -> pd.DataFrame:
        """Published results for 36 h and three rows, with their sources; empty for other tasks.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std in the units of :meth:`score`, and source.
        """
        table = pyomnits("physionet2012")
        table = table if (self.observe, self.rows) == (36, 3) else table.iloc[:0]
        table.attrs["caution"] = CAUTION
        return table
