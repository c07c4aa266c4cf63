"""The protocol of t-PatchGNN on Human Activity: 3 s of positions, the next second as targets."""

from __future__ import annotations

import textwrap
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cndts.metrics._average import Average
from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._chunks import chunks
from cndts.protocols._human_activity import in_milliseconds
from cndts.protocols._parts import chunk_split, in_parts
from cndts.protocols._published_t_patchgnn import t_patchgnn_human_activity
from cndts.protocols._scales import min_and_range
from cndts.protocols._scores import errors
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._t_patchgnn import split_records
from cndts.protocols._words import T_PATCHGNN_SOURCE, t_patchgnn_training
from cndts.targets import Targets
from cndts.tasks import Extrapolation

HISTORY, HORIZON = 3000, 1000
CAUTION = "Recordings are split in the order of the file; a reader that sorts them otherwise tests other people."


class TPatchGNNHumanActivity(Protocol):
    """Protocol of t-PatchGNN (Zhang et al., ICML 2024) on Human Activity; :meth:`describe` tells what it does.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("t-patchgnn/human-activity")
    >>> print(rules.describe().splitlines()[0])
    t-patchgnn/human-activity: 3000 ms of context, the next 1000 ms as targets.
    >>> rules.published()["mse"].tail(1)
    model
    ViRe    0.00255
    Name: mse, dtype: float64
    """

    name: ClassVar[str] = "t-patchgnn/human-activity"
    data: ClassVar[str] = "human-activity"
    average: ClassVar[Average] = "channel"

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Chunks of the training, validation and test recordings, scaled, cut after 3000 ms.

        Parameters
        ----------
        panel : IrregularPanel
            Recordings with twelve channels: four tags with three coordinates, in metres. Their order decides who is
            tested.

        Returns
        -------
        ProtocolSplit
            Values scaled, times in milliseconds since the start of the chunk. Records are named
            ``"<recording> from <start>"``; groups tell the recording.

        Raises
        ------
        ValueError
            If the panel is something else, or there are under five recordings.
        """
        events = in_milliseconds(panel)
        sources = split_records(events.records)
        seen = events.records.get_indexer(sources.train.append(sources.validation))
        offset, scale = min_and_range(events[seen])
        cut = chunks(events.scale_values(offset, scale), _starts, HISTORY + HORIZON)
        task = Extrapolation(observe=HISTORY, horizon=np.inf)
        return in_parts(cut, chunk_split(cut, sources), task.split, offset, scale)

    def score(self, y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
        """MSE and MAE, averaged within each variable over all chunks, then over the variables with a target.

        Parameters
        ----------
        y : Targets
            True values on the protocol's scale.
        y_hat : Targets or array-like of shape (n_targets,)
            Predictions on the same scale.

        Returns
        -------
        dict
            ``mse`` (papers print it times 1e3) and ``mae`` (times 1e2).
        """
        return errors(y, y_hat, self.average)

    def describe(self) -> str:
        """What the protocol does, where it comes from, and where comparisons go wrong."""
        return textwrap.dedent(f"""\
            {self.name}: 3000 ms of context, the next 1000 ms as targets.

            {T_PATCHGNN_SOURCE}.

            Data: UCI Localization Data for Person Activity, 25 recordings of 5 people. 12 variables: x, y and z of tags on the
            left ankle, the right ankle, the chest and the belt. Times are whole milliseconds since the recording's first
            reading; readings of a tag at one time are averaged. (t-PatchGNN: lib/person_activity.py)
            Split: recordings, in the order of the file, shuffled 80/20 with random state 42, the first part cut 75/25 without
            shuffling: 15, 5 and 5. Then chunks of 4000 ms that start every 1000 ms while the start lies more than 3000 ms
            before the recording's end; a chunk that reaches the end holds the last reading. About 5,400 in all. (t-PatchGNN:
            lib/parse_datasets.py, lib/person_activity.py)
            Scale: (x - min) / (max - min) of each variable over whole training and validation recordings; a range of zero
            counts as 1e-8. Times are left in milliseconds since the chunk's start (the source divides by 4000). (t-PatchGNN:
            lib/parse_datasets.py, lib/utils.py)
            Task: context t < 3000 ms, targets t >= 3000 ms; only observed values are asked for. (t-PatchGNN: lib/physionet.py)
            Score: MSE and MAE within each variable, then the plain mean over variables with a target (macro average). Papers
            print MSE times 1e3 and MAE times 1e2, mean and standard deviation over five seeds of the model. (t-PatchGNN:
            lib/evaluation.py)
            {t_patchgnn_training(32)}

            Traps
            - {CAUTION}
            - The same people are in all parts: recordings are split, not people. Chunks of one recording overlap by three
              seconds, so that a target is also context of another chunk of the same part.
            - The scale uses the validation recordings. Test recordings touch nothing.
            - Late chunks may hold few targets, or none; they are kept and cannot change the score.
            - PyOmniTS has another Human Activity: 300 ms ahead, without overlap and without scaling (values near 0.04).
            """)

    def published(self) -> pd.DataFrame:
        """Published results under this protocol, one row a model, with their sources; see ``attrs["caution"]``.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std in the units of :meth:`score`, and source.
        """
        table = t_patchgnn_human_activity()
        table.attrs["caution"] = CAUTION
        return table


def _starts(last: float) -> np.ndarray:
    return np.arange(0.0, int(last) - HISTORY, HORIZON)
