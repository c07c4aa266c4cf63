"""Summaries of records against pandas, and the encoder."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer

from cndts import Extrapolation, IrregularPanel
from cndts.estimators import HybridMemoryEncoder, HybridMemoryForecaster, IrregularForecaster, RecordSummary
from cndts.memory import Memory
from cndts.training import Training

ONCE = Training(epochs=1, batch_size=10, members=1)
MEMORY = Memory(timescales=2, window=2, episodic_slots=0)


def panel(n_records: int = 20, seed: int = 0) -> IrregularPanel:
    """Records of different length, the last without events; a channel that is never seen."""
    rng = np.random.default_rng(seed)
    lengths = np.append(rng.integers(1, 15, n_records - 1), 0)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    time = np.concatenate([np.sort(rng.uniform(0, 48, length)) for length in lengths])
    static = pd.DataFrame(
        {"age": np.append(np.nan, rng.normal(60, 9, n_records - 1)), "ward": np.resize(["a", "b"], n_records)}
    )
    channel, value = rng.integers(0, 2, offsets[-1]), rng.normal(70, 10, offsets[-1])
    return IrregularPanel(offsets, time, channel, value, channels=["HR", "Temp", "Never"], static=static)


def small(**options: Any) -> HybridMemoryForecaster:
    given = {"training": ONCE, "memory": MEMORY, "width": 4, "layers": 1} | options
    return HybridMemoryForecaster(**given)


@pytest.fixture(scope="module")
def X() -> IrregularPanel:
    return panel()


@pytest.fixture(scope="module")
def encoder(X: IrregularPanel) -> HybridMemoryEncoder:
    return HybridMemoryEncoder(small(), n_components=5, random_state=0).fit(X)


@pytest.fixture(scope="module")
def columns(X: IrregularPanel) -> pd.DataFrame:
    summary = RecordSummary().fit(X)
    return pd.DataFrame(summary.transform(X), columns=summary.get_feature_names_out())


class TestRecordSummary:
    """Each column against pandas."""

    def test_channels(self, X: IrregularPanel, columns: pd.DataFrame) -> None:
        table = pd.DataFrame({"record": X.record, "channel": X.channel, "time": X.time, "value": X.value.astype(float)})
        for number, name in enumerate(X.channels):
            seen = table[table["channel"] == number].groupby("record")
            for part in ("last", "first", "mean", "min", "max"):
                expected = getattr(seen["value"], part)().reindex(range(len(X))).to_numpy(dtype=float)
                np.testing.assert_allclose(columns[f"{name}: {part}"], expected, rtol=1e-6)
            expected = seen["value"].std(ddof=0).reindex(range(len(X))).to_numpy(dtype=float)
            np.testing.assert_allclose(columns[f"{name}: std"], expected, atol=1e-5)
            assert columns[f"{name}: count"].tolist() == seen.size().reindex(range(len(X)), fill_value=0).tolist()
            age = X.last_time - seen["time"].last().reindex(range(len(X))).to_numpy(dtype=float)
            np.testing.assert_allclose(columns[f"{name}: age"], age)

    def test_slope(self) -> None:
        line = IrregularPanel([0, 3], [0.0, 1.0, 4.0], [0, 0, 0], [5.0, 7.0, 13.0])
        summary = RecordSummary().fit(line)
        named = dict(zip(summary.get_feature_names_out(), summary.transform(line)[0], strict=True))
        assert named[f"{line.channels[0]}: slope"] == pytest.approx(2.0) and named["span"] == 4 and named["events"] == 3

    def test_statics(self, X: IrregularPanel, columns: pd.DataFrame) -> None:
        np.testing.assert_array_equal(columns["static: age"], X.static["age"])
        assert columns["static: ward = a"].tolist() == (X.static["ward"] == "a").astype(float).tolist()

    def test_a_record_without_events(self, columns: pd.DataFrame) -> None:
        last = columns.iloc[-1].filter(regex="HR|Temp|span|events")
        assert (
            last.filter(regex="count|events").eq(0).all()
            and last.drop(last.filter(regex="count|events").index).isna().all()
        )

    def test_frames_and_unions(self, X: IrregularPanel) -> None:
        frame = RecordSummary().set_output(transform="pandas").fit_transform(X)
        assert next(iter(frame)) == "HR: last" and len(frame) == len(X)


class TestEncoder:
    """Components of what the network holds."""

    def test_components_are_principal(self, encoder: HybridMemoryEncoder, X: IrregularPanel) -> None:
        states = HybridMemoryEncoder(FrozenEstimator(encoder.forecaster_), n_components=None).fit(X).transform(X)
        deviation = states.std(axis=0)
        scaled = (states - states.mean(axis=0)) / np.where(deviation > 1e-9, deviation, 1)
        expected = PCA(5).fit_transform(scaled)
        features = encoder.transform(X)
        np.testing.assert_allclose(np.abs(features), np.abs(expected), atol=1e-5)
        assert (np.diff(features.var(axis=0)) <= 1e-9).all()

    def test_names_and_frames(self, encoder: HybridMemoryEncoder, X: IrregularPanel) -> None:
        assert encoder.get_feature_names_out().tolist() == [f"hybridmemoryencoder{k}" for k in range(5)]
        frame = clone(encoder).set_output(transform="pandas").fit(X).transform(X)
        assert frame.shape == (len(X), 5)

    def test_labels_are_not_looked_at(self, encoder: HybridMemoryEncoder, X: IrregularPanel) -> None:
        again = clone(encoder).fit(X, np.arange(len(X)) % 2)
        np.testing.assert_array_equal(again.transform(X), encoder.transform(X))

    def test_a_record_does_not_depend_on_its_mates(self, encoder: HybridMemoryEncoder, X: IrregularPanel) -> None:
        np.testing.assert_allclose(encoder.transform(X[[4, 2]]), encoder.transform(X)[[4, 2]], atol=1e-4)

    def test_a_frozen_forecaster_is_used_as_it_is(self, X: IrregularPanel, tmp_path: Path) -> None:
        task, y = Extrapolation(observe=24, horizon=24).split(X)
        model = small(random_state=0).fit(task, y)
        reused = clone(HybridMemoryEncoder(FrozenEstimator(model), n_components=3)).fit(X)
        assert reused.forecaster_ is model
        reused.save(tmp_path / "encoder.cndts")
        loaded = HybridMemoryEncoder.load(tmp_path / "encoder.cndts")
        np.testing.assert_array_equal(loaded.transform(X), reused.transform(X))
        np.testing.assert_array_equal(clone(loaded).fit(X).transform(X), reused.transform(X))

    def test_targets_are_a_task(self, X: IrregularPanel) -> None:
        task, y = Extrapolation(observe=24, horizon=24).split(X)
        model = small(random_state=0).fit(task, y)
        given = HybridMemoryEncoder(small(random_state=0), n_components=None).fit(task, y)
        reused = HybridMemoryEncoder(FrozenEstimator(model), n_components=None).fit(task)
        np.testing.assert_array_equal(given.transform(X), reused.transform(X))

    def test_nested_settings(self) -> None:
        assert HybridMemoryEncoder().set_params(forecaster__width=8).forecaster.width == 8

    def test_pipeline_with_summaries(self, encoder: HybridMemoryEncoder) -> None:
        seen = panel()[:19]
        frozen = HybridMemoryEncoder(FrozenEstimator(encoder.forecaster_), n_components=2)
        features = make_union(frozen, make_pipeline(RecordSummary(), FunctionTransformer(np.nan_to_num)))
        model = make_pipeline(features, LogisticRegression(max_iter=2000, C=1e-3)).fit(seen, np.arange(19) % 2)
        assert model.predict_proba(seen).shape == (19, 2)

    def test_plain_arrays(self) -> None:
        table = np.random.default_rng(0).normal(size=(12, 5))
        features = HybridMemoryEncoder(small(random_state=0), n_components=2).fit_transform(table)
        assert features.shape == (12, 2) and np.isfinite(features).all()

    def test_another_backbone(self, X: IrregularPanel) -> None:
        other = IrregularForecaster("gru-d", training=ONCE, width=4, random_state=0)
        with pytest.raises(ValueError, match=r"must have a hybrid-memory backbone.*got \['GruDBackbone'\]"):
            HybridMemoryEncoder(other).fit(X)

    def test_nothing_to_forecast(self) -> None:
        single = IrregularPanel(np.arange(5), np.zeros(4), np.zeros(4, dtype=int), np.ones(4))
        with pytest.raises(ValueError, match="X has nothing to forecast: none of its 4 records, with 4 events in all"):
            HybridMemoryEncoder(small()).fit(single)

    def test_no_components(self, X: IrregularPanel) -> None:
        with pytest.raises(ValueError, match="n_components must be 1 or more, or None for all states; got 0"):
            HybridMemoryEncoder(small(), n_components=0).fit(X)
