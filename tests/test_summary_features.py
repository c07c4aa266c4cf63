"""Summary features against a plain loop over queries, and the event look-ups behind them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cndts._panel_histories import ChannelHistories, events_until, horizons
from cndts.estimators import RecordSummary
from cndts.estimators._running_statistics import running_statistics
from cndts.estimators._summary_features import SummaryFeatures, channel_feature_names
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.static_features import StaticEncoding

TIMESCALES = (2.0, 8.0)


def draw_panel(seed, n_records, most_events):
    """Records of any length, many ties, queries before, between, at and after events."""
    rng = np.random.default_rng(seed)
    n_events, n_queries = rng.integers(0, most_events + 1, n_records), rng.integers(0, 6, n_records)
    record = np.repeat(np.arange(n_records), n_events)
    time, query_time = (
        np.where(rng.random(n) < 0.5, rng.integers(0, 10, n), rng.uniform(0, 10, n))
        for n in (n_events.sum(), n_queries.sum())
    )
    queries = Queries(np.append(0, np.cumsum(n_queries)), query_time, rng.integers(0, 3, len(query_time)))
    return IrregularPanel(
        np.append(0, np.cumsum(n_events)),
        time[np.lexsort((time, record))],
        rng.integers(0, 3, len(time)),
        rng.normal(size=len(time)) * 10.0 ** rng.integers(-2, 3, len(time)),
        channels=["x0", "x1", "x2"],
        queries=queries,
    )


# drawn from a seed: hypothesis would spend far more time on building such arrays than the tests on checking them
panels = st.builds(draw_panel, st.integers(0, 2**32 - 1), st.integers(0, 4), st.sampled_from([1, 3, 12, 40]))


def seen_by(X, query):
    """Times and values of each channel that a query may read, tied values averaged; and the context's times."""
    record, at = X.queries.record[query], X.queries.time[query]
    rows = np.flatnonzero((X.record == record) & (X.time <= at))
    seen = []
    for channel in range(len(X.channels)):
        own = rows[X.channel[rows] == channel]
        times = np.unique(X.time[own])
        seen.append((times, np.array([X.value[own][X.time[own] == t].mean(dtype=float) for t in times])))
    return seen, X.time[rows]


def expected_own(X, query):
    """The features of one query, written out."""
    seen, context = seen_by(X, query)
    at = X.queries.time[query]
    times, values = seen[X.queries.channel[query]]
    features = dict.fromkeys(("last", "previous", "first", "mean", "min", "max", "std", "slope", "age"), np.nan)
    features |= {"ewm0": np.nan, "ewm1": np.nan, "count": len(values), "horizon": np.nan, "elapsed": np.nan}
    features |= {"events": len(context), "observed": sum(len(t) > 0 for t, _ in seen)}
    if len(context):
        features |= {"horizon": at - context[-1], "elapsed": at - context[0]}
    if len(values):
        features |= {"last": values[-1], "first": values[0], "mean": values.mean(), "std": values.std()}
        features |= {"min": values.min(), "max": values.max(), "age": at - times[-1]}
        for k, timescale in enumerate(TIMESCALES):
            features[f"ewm{k}"] = np.average(values, weights=np.exp((times - times[-1]) / timescale))
    if len(values) > 1:
        centred = times - times.mean()
        features |= {"previous": values[-2], "slope": (centred @ values) / (centred @ centred)}
    return features


@given(panels)
def test_own_features_equal_a_plain_loop(X):
    """Vectorised features of the query's channel equal their definitions, query by query."""
    features = SummaryFeatures(X, TIMESCALES)
    own = features.own()

    assert own.shape == (X.queries.n_queries, len(features.names_own))
    for query in range(X.queries.n_queries):
        expected = expected_own(X, query)
        assert set(expected) == set(features.names_own)
        for name, got in zip(features.names_own, own[query].tolist(), strict=True):
            # a slope over times that almost coincide has no digits left in float32 times
            tolerance = 1e-3 * (1 + abs(expected[name])) if name == "slope" else 1e-3
            np.testing.assert_allclose(got, expected[name], rtol=1e-4, atol=tolerance, err_msg=name)


@given(panels)
def test_features_of_all_channels_equal_a_plain_loop(X):
    """Last value, age and mean of every channel, query by query."""
    features = SummaryFeatures(X, TIMESCALES)
    table = features.of_channels([0, 1, 2]).reshape(-1, 3, 3)

    assert channel_feature_names(["x0", "x2"])[1] == "x2: last"
    for query in range(X.queries.n_queries):
        seen, _ = seen_by(X, query)
        for channel, (times, values) in enumerate(seen):
            age = X.queries.time[query] - times[-1] if len(times) else np.nan
            last, mean = (values[-1], values.mean()) if len(values) else (np.nan, np.nan)
            np.testing.assert_allclose(table[query, :, channel], [last, age, mean], rtol=1e-5, atol=1e-4)


@given(panels)
def test_features_of_some_queries(X):
    """Rows may be computed for a part of the queries."""
    features = SummaryFeatures(X, TIMESCALES)
    some = np.arange(0, X.queries.n_queries, 2)

    np.testing.assert_array_equal(features.own(some), features.own()[some])
    np.testing.assert_array_equal(features.of_channels([2, 0], some), features.of_channels([2, 0])[some])


@given(panels)
def test_events_until_and_horizon(X):
    """The last event a query reads is the last one at or before its time."""
    until, horizon = events_until(X), horizons(X)
    for query in range(X.queries.n_queries):
        _, context = seen_by(X, query)
        start = X.offsets[X.queries.record[query]]

        assert until[query] == start + len(context)
        np.testing.assert_allclose(horizon[query], X.queries.time[query] - context[-1] if len(context) else np.nan)


@given(panels)
def test_rows_next_to_a_query(X):
    """Look-ups find the rows of the own channel before and after a query, first and previous ones included."""
    histories, until = ChannelHistories.of(X), events_until(X)
    record, channel = X.queries.record, X.queries.channel
    last, following = histories.last(record, channel, until), histories.next(record, channel, until)
    for query in range(X.queries.n_queries):
        times, values = seen_by(X, query)[0][channel[query]]
        rest = X.time[(X.record == record[query]) & (X.channel == channel[query]) & (X.time > X.queries.time[query])]
        np.testing.assert_allclose(histories.value_of(last)[query], values[-1] if len(values) else np.nan, rtol=1e-6)
        np.testing.assert_equal(histories.time_of(histories.first(last))[query], times[0] if len(times) else np.nan)
        previous = histories.time_of(histories.previous(last))[query]
        np.testing.assert_equal(previous, times[-2] if len(times) > 1 else np.nan)
        np.testing.assert_equal(histories.time_of(following)[query], rest.min() if len(rest) else np.nan)


def test_long_segments_keep_their_precision():
    """Moments far from zero and from the time origin are those of the centred data."""
    rng = np.random.default_rng(0)
    time, value = 1e6 + np.sort(rng.uniform(0, 10, 3000)), 1e5 + rng.integers(0, 100, 3000)
    statistics = running_statistics(ChannelHistories.of(IrregularPanel([0, 3000], time, [0] * 3000, value)), TIMESCALES)

    np.testing.assert_allclose(statistics["std"][-1], value.std(), rtol=1e-9)
    np.testing.assert_allclose(statistics["slope"][-1], np.polyfit(time - time.mean(), value, 1)[0], rtol=1e-6)


def test_static_columns_are_added():
    """Statics follow the query's record, under names of any type; an unknown number or a new category is missing."""
    static = pd.DataFrame({"age": [61, 48], 7: [70.5, None], "ward": ["b", "new"]})
    X = IrregularPanel([0, 1, 2], [0.0, 0.0], [0, 0], [1.0, 2.0], static=static).with_queries([3.0])
    encoding = StaticEncoding(dict.fromkeys(["age", "7"], (0.0, 1.0)), {"ward": ["a", "b"]})
    features = SummaryFeatures(X, TIMESCALES, encoding)

    assert features.names_own[-4:] == ("static: age", "static: 7", "static: ward = a", "static: ward = b")
    np.testing.assert_array_equal(features.own()[:, -4:], [[61, 70.5, 0, 1], [48, np.nan, 0, 0]])


@pytest.mark.parametrize(("lost", "told"), [(["age"], r"\['age'\]"), (["ward", "age"], r"\['age', 'ward'\]")])
def test_static_columns_must_be_there(lost, told):
    """A number is wanted as a category is, by every tabular model."""
    static = pd.DataFrame({"age": [61, 48], "ward": ["b", "a"]})
    X = IrregularPanel([0, 1, 2], [0.0, 0.0], [0, 0], [1.0, 2.0], static=static)
    lacking = X.with_static(static.drop(columns=lost))
    encoding = StaticEncoding.fit(static)

    with pytest.raises(ValueError, match=f"static table lacks the columns {told}.*Add them"):
        SummaryFeatures(lacking.with_queries([3.0]), TIMESCALES, encoding)
    with pytest.raises(ValueError, match=f"static table lacks the columns {told}.*Add them"):
        RecordSummary().fit(X).transform(lacking)


@pytest.mark.parametrize("n_events", [0, 1])
def test_smallest_panels(n_events):
    """No event, or one, gives missing features rather than an error."""
    X = IrregularPanel([0, n_events], [1.0] * n_events, [0] * n_events, [5.0] * n_events, channels=["x"])
    own = SummaryFeatures(X.with_queries([2.0]), TIMESCALES).own()

    assert own.shape == (1, 16)
    assert np.isnan(own[0, 0]) == (n_events == 0)
