"""What forecasters refuse, and how they say it."""

import numpy as np
import pytest

from cndts.estimators import LastValueForecaster
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets
from cndts.tasks import Extrapolation

CHANNELS = ("HR", "Lactate", "Temp")


@pytest.fixture(scope="module")
def data():
    """Thirty records of three channels, half an hour apart, cut after a day."""
    time, n_records = np.arange(0, 48, 0.5), 30
    panel = IrregularPanel(
        np.arange(n_records + 1) * len(time),
        np.tile(time, n_records),
        np.tile(np.arange(len(time)) % 3, n_records),
        np.random.default_rng(0).normal(size=n_records * len(time)),
        records=[f"r{i}" for i in range(n_records)],
        channels=CHANNELS,
    )
    return Extrapolation(observe=24, horizon=24).split(panel)


@pytest.fixture(scope="module")
def model(data):
    return LastValueForecaster().fit(*data)


def test_unknown_channels_are_named(model, data):
    """The error lists what is unknown and what is known."""
    X = data[0].with_channels([*CHANNELS, "Sodium"])
    message = (
        r"channels that the forecaster was not fitted on: \['Sodium'\].*Known channels: \['HR', 'Lactate', 'Temp'\]"
    )
    with pytest.raises(ValueError, match=message):
        model.predict(X)
    with pytest.raises(ValueError, match=message):
        model.predict(X, times=[30.0])


def test_other_time_unit_is_refused(model, data):
    """Minutes are not hours."""
    X = IrregularPanel._trusted(data[0], time_unit="min")
    with pytest.raises(ValueError, match="X has times in 'min', the forecaster was fitted on times in 'h'"):
        model.predict(X)


def test_training_pair_errors(data):
    """What does not fit together is told with both sides."""
    X, y = data
    model = LastValueForecaster()
    with pytest.raises(TypeError, match="X must be an IrregularPanel; got ndarray. Build one with"):
        model.fit(np.zeros((3, 2)), y)
    with pytest.raises(TypeError, match="y must be Targets aligned with X.queries; got ndarray. Use Extrapolation"):
        model.fit(X, np.asarray(y))
    with pytest.raises(ValueError, match="X has no queries, so there is nothing to predict: 30 records"):
        model.fit(X.without_queries(), y)
    with pytest.raises(ValueError, match="X has 30 records with .* y has 3 records with"):
        model.fit(X, y[:3])
    with pytest.raises(ValueError, match="record 0 has the id r0 in X and r29 in y; y must answer the queries of X"):
        model.fit(X, Targets(y.queries, y.value, X.records[::-1], y.channels))
    with pytest.raises(ValueError, match="query 0 has the time .* in X and .* in y"):
        model.fit(X, Targets(Queries(y.offsets, y.time + 1, y.channel), y.value, y.records, y.channels))
    with pytest.raises(ValueError, match="query 0 has the channel .* in X and .* in y"):
        model.fit(X, Targets(Queries(y.offsets, y.time, (y.channel + 1) % 3), y.value, y.records, y.channels))
    moved = y.offsets + np.eye(1, len(y.offsets), 1, dtype=int)[0]
    with pytest.raises(ValueError, match="the queries of record 0 end before row"):
        model.fit(X, Targets(Queries(moved, y.time, y.channel), y.value, y.records, y.channels))
    with pytest.raises(ValueError, match="X_val and y_val go together; got only X_val"):
        model.fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="y_val must answer the queries of X_val"):
        model.fit(X, y, X_val=X, y_val=y[:3])


def test_target_value_errors(data):
    """Infinite targets are placed; no known target at all is an error."""
    X, y = data
    broken = np.array(y.value)
    broken[0] = np.inf
    with pytest.raises(
        ValueError, match=r"y must be finite \(NaN = not known\); got inf at record 'r0', time .*, channel"
    ):
        LastValueForecaster().fit(X, y.with_values(broken))
    with pytest.raises(ValueError, match="y holds no known value: .* Fitting needs at least one"):
        LastValueForecaster().fit(X, y.with_values(np.full(len(broken), np.nan)))


@pytest.mark.parametrize("wrong", [[0.0, 0.5], [0.5, 1.0], [], 1.5, [np.nan], [[0.1]]])
def test_quantiles_outside_are_refused(wrong, model, data):
    """Probabilities lie strictly between 0 and 1."""
    with pytest.raises(ValueError, match="quantiles must lie strictly between 0 and 1; got"):
        model.predict_quantiles(data[0], wrong)


def test_coverage_outside_is_refused(model, data):
    """90 % is 0.9."""
    with pytest.raises(ValueError, match="coverage must lie strictly between 0 and 1; got 90. Use 0.9 for 90 %"):
        model.predict_interval(data[0], coverage=90)


def test_asking_for_nothing_is_refused(model, data):
    """Without queries and times there is nothing to predict."""
    with pytest.raises(
        ValueError, match=r"no queries, so there is nothing to predict.*predict\(panel, times=\[...\]\)"
    ):
        model.predict(data[0].without_queries())
