"""What interpolators around a neural backbone share: they are taught and asked gap by gap."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cndts._panel_queries import check_asks
from cndts.batching import EventStore
from cndts.dynamics.row_names import rows_named
from cndts.estimators._base_interpolator import BaseInterpolator
from cndts.estimators._neural_forecaster import NeuralForecaster
from cndts.event_batch import EventBatch
from cndts.panel import IrregularPanel
from cndts.scaling import Scaling
from cndts.targets import Targets
from cndts.training import Gaps, GapSamples, Training

# Gaps are answered together until their records' events and queries reach this number, which bounds memory.
_ROWS_PER_BATCH = 50_000


class NeuralInterpolator(BaseInterpolator, NeuralForecaster):
    """Fits networks that read both sides of a gap; a subclass holds the constructor and builds the backbone.

    All queries between the same two visits of a record share one encoding.
    """

    def _measure(self, X: IrregularPanel, y: Targets) -> Scaling:
        scaling = super()._measure(X, y)
        gaps = Gaps.of(X, y.queries)
        length = (gaps.upper - gaps.lower)[np.isfinite(gaps.upper - gaps.lower)]
        return replace(scaling, time_scale=float(np.quantile(length, 0.99))) if len(length) else scaling

    def _samples(self, X: IrregularPanel, y: Targets, training: Training) -> GapSamples:
        return GapSamples(X, y, self.scaling_, self.static_.transform(X.static), training.channel_balance)

    def _answer_block(self, X: IrregularPanel, part: Any) -> NDArray[np.float64]:
        gaps = Gaps.of(X, check_asks(X))
        answers = []
        for records, batch in self._gap_batches(X, gaps):
            with rows_named(X.records[records], X.channels):
                answers.append(part(self.network_(batch.to(self.device)).forecast).cpu())
        answer = torch.cat(answers).double().numpy()
        placed = np.empty_like(answer)
        placed[gaps.row] = answer
        return placed

    def _gap_batches(self, X: IrregularPanel, gaps: Gaps) -> Iterator[tuple[NDArray[np.int64], EventBatch]]:
        store = EventStore(X, self.scaling_, self.static_.transform(X.static))
        rows = np.cumsum(np.diff(X.offsets)[gaps.record] + np.diff(gaps.queries.offsets))
        for picked in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows // _ROWS_PER_BATCH)) + 1):
            yield gaps.record[picked], gaps.batch(store, picked)
