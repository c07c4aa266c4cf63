"""The protocol of PyOmniTS on Human Activity: 3 s of positions, the next 300 ms as targets, not scaled."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._chunks import chunks
from cndts.protocols._human_activity import in_milliseconds
from cndts.protocols._parts import chunk_split, in_parts, positions, record_split
from cndts.protocols._published_next_rows import pyomnits
from cndts.protocols._scores import errors
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._words import PYOMNITS_SOURCE, PYOMNITS_TRAINING
from cndts.targets import Targets
from cndts.tasks import Extrapolation

HISTORY, STRIDE = 3000, 4000
CAUTION = "Recordings are split in the order of the file; a reader that sorts them otherwise tests other people."


@dataclass(frozen=True)
class PyOmniTSHumanActivity(Protocol):
    """Protocol of PyOmniTS on Human Activity; :meth:`describe` tells what it does.

    Parameters
    ----------
    horizon : float, default=300
        Milliseconds to forecast, up to 1000; published results are for 300.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("pyomnits/human-activity")
    >>> print(rules.describe().splitlines()[0])
    pyomnits/human-activity: 3000 ms of context, the next 300 ms as targets.
    >>> float(rules.published().loc["ASTGI", "mse"])
    0.0412
    """

    name: ClassVar[str] = "pyomnits/human-activity"
    data: ClassVar[str] = "human-activity"

    horizon: float = 300

    def __post_init__(self) -> None:
        if not 0 < self.horizon <= STRIDE - HISTORY:
            raise ValueError(f"horizon must be at most {STRIDE - HISTORY} ms and more than 0; got {self.horizon!r}.")

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Chunks of the first, the following and the last recordings, as they are, cut after 3000 ms.

        Parameters
        ----------
        panel : IrregularPanel
            Recordings with twelve channels: four tags with three coordinates, in metres. Their order decides who is
            tested.

        Returns
        -------
        ProtocolSplit
            Values as given, times in milliseconds since the start of the chunk. Records are named
            ``"<recording> from <start>"``; groups tell the recording.

        Raises
        ------
        ValueError
            If the panel is something else, or there are under five recordings.
        """
        events = in_milliseconds(panel)
        sources = record_split(events.records, positions(len(events), test=0.1, validation=0.1, shuffle=False))
        cut = chunks(events, _starts, HISTORY + self.horizon)
        return in_parts(cut, chunk_split(cut, sources), Extrapolation(observe=HISTORY, horizon=np.inf).split)

    def score(self, y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
        """MSE and MAE over all targets alike.

        Parameters
        ----------
        y : Targets
            True values.
        y_hat : Targets or array-like of shape (n_targets,)
            Predictions.

        Returns
        -------
        dict
            ``mse`` (m²; papers print it times 1e1) and ``mae`` (m).
        """
        return errors(y, y_hat, self.average)

    def describe(self) -> str:
        """What the protocol does, where it comes from, and where comparisons go wrong."""
        return textwrap.dedent(f"""\
            {self.name}: 3000 ms of context, the next {self.horizon:g} ms as targets.

            {PYOMNITS_SOURCE}.

            Data: UCI Localization Data for Person Activity, 25 recordings, 12 variables: x, y and z of tags on both ankles, the
            chest and the belt. Times are whole milliseconds since the recording's first reading; readings of a tag at one time
            are averaged. (PyOmniTS: data/dependencies/HumanActivity/HumanActivity.py)
            Split: recordings in the order of the file, not shuffled: a tenth at the end for test, a tenth of the rest before it
            for validation (19, 3 and 3). Then chunks that start every 4000 ms, so that none overlap, while the start lies more
            than 3000 ms before the recording's end; 1,360 in all (949, 193 and 218). (PyOmniTS:
            data/data_provider/datasets/HumanActivity.py, data/dependencies/HumanActivity/HumanActivity.py)
            Scale: none; values are metres. Times are left in milliseconds since the chunk's start. (PyOmniTS:
            data/dependencies/HumanActivity/HumanActivity.py)
            Task: context t < 3000 ms, targets 3000 ms <= t < {HISTORY + self.horizon:g} ms; only observed values are asked for. (PyOmniTS:
            data/data_provider/datasets/HumanActivity.py)
            Score: MSE and MAE over all targets alike (micro average); five seeds of the model on one split. (PyOmniTS:
            utils/metrics.py)
            {PYOMNITS_TRAINING}

            Traps
            - {CAUTION}
            - t-PatchGNN has another Human Activity: 1000 ms ahead, overlapping chunks, scaled, macro average (values near 2.5e-3).
            - Batches of the source lack the last, incomplete one in training and validation; nothing is dropped here.
            """)

    def published(self) -> pd.DataFrame:
        """Published results for a horizon of 300 ms, with their sources; empty for other horizons.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std in the units of :meth:`score`, and source.
        """
        table = pyomnits("human-activity")
        table = table if self.horizon == 300 else table.iloc[:0]
        table.attrs["caution"] = CAUTION
        return table


def _starts(last: float) -> np.ndarray:
    return np.arange(0.0, int(last) - HISTORY, STRIDE)
