"""Units of values, times and static features."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cndts import IrregularPanel
from cndts.queries import Queries
from cndts.rank_scale import RankScale
from cndts.scaling import Scaling
from cndts.static_features import StaticEncoding
from cndts.targets import Targets

finite = st.floats(-1e6, 1e6, width=32)


def panel_of(channel: list[int], value: list[float], n_channels: int, queries: Queries | None = None) -> IrregularPanel:
    names = [f"c{i}" for i in range(n_channels)]
    time = np.arange(len(value), dtype=float)
    return IrregularPanel([0, len(value)], time, channel, value, channels=names, queries=queries)


# ---- values ------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 2), finite), min_size=1, max_size=30))
def test_moments_and_round_trip(events: list[tuple[int, float]]) -> None:
    """Each channel has its own mean and deviation, and values come back from their scale."""
    channel, value = np.array([c for c, _ in events]), np.array([v for _, v in events])
    scaling = Scaling.fit(panel_of(channel.tolist(), value.tolist(), 3), None)
    for c in range(3):
        own = value[channel == c]
        assert scaling.mean[c] == pytest.approx(own.mean() if len(own) else 0.0, abs=1e-6, rel=1e-9)
        if len(own) and own.std() > 1e-4 * max(1e-3, abs(own.mean())):
            assert scaling.std[c] == pytest.approx(own.std(), rel=1e-6)
    size = np.abs(value).max() + 1
    np.testing.assert_allclose(scaling.restore(channel, scaling.standardise(channel, value)), value, atol=1e-5 * size)


@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1, -7e5, 1e-8])
def test_constant_channels_are_not_blown_up(constant: float) -> None:
    """A channel that never changes has deviation 0, also where the mean is not exact, and is restored to its constant."""
    scaling = Scaling.fit(panel_of([0] * 7, [constant] * 7, 2), None)
    assert scaling.std.tolist() == [0.0, 1.0]
    assert scaling.restore(np.zeros(1, int), np.array([3.0])) == pytest.approx(constant, rel=1e-6)
    np.testing.assert_allclose(scaling.standardise(np.zeros(1, int), np.array([constant + 1])), [1.0], atol=1e-6)


def test_a_large_mean_costs_no_precision() -> None:
    """A small spread around a large mean is measured as what it is."""
    value = np.array([99_999.0, 100_001.0] * 50)
    scaling = Scaling.fit(panel_of([0] * 100, value.tolist(), 1), None)
    assert scaling.mean[0] == pytest.approx(1e5, rel=1e-12)
    assert scaling.std[0] == pytest.approx(1.0, rel=1e-9)


def test_a_mistyped_value_does_not_widen_the_unit() -> None:
    """The deviation is that of the bulk, and the mistyped value itself counts as 30 deviations out."""
    value = [*np.random.default_rng(0).normal(7.4, 0.1, 999), 735.0]
    scaling = Scaling.fit(panel_of([0] * 1000, value, 1), None)
    assert scaling.mean[0] == pytest.approx(7.4, abs=0.02) and scaling.std[0] == pytest.approx(0.1, rel=0.1)
    np.testing.assert_array_equal(scaling.standardise(np.zeros(2, int), np.array([735.0, -735.0])), [30, -30])


def test_unseen_channels_pass_through() -> None:
    """A channel without values keeps its units."""
    scaling = Scaling.fit(panel_of([1, 1], [3.0, 5.0], 3), None)
    assert (scaling.mean.tolist(), scaling.std.tolist()) == ([0, 4, 0], [1, 1, 1])


def test_targets_count_and_missing_ones_do_not() -> None:
    """Context and known targets are measured together."""
    queries = Queries([0, 3], [5.0, 6.0, 7.0], [0, 0, 1])
    X = panel_of([0, 0], [1.0, 3.0], 2, queries)
    y = Targets(queries, [5.0, np.nan, 8.0], X.records, X.channels)
    assert Scaling.fit(X, y).mean.tolist() == [3.0, 8.0]


def test_restore_takes_further_axes() -> None:
    """Quantiles of a query share its channel's scale."""
    scaling = Scaling(np.array([10.0, 0.0]), np.array([2.0, 3.0]), 1.0, RankScale.unknown(2))
    restored = scaling.restore(np.array([0, 1]), np.array([[-1.0, 1.0], [-1.0, 1.0]]))
    assert restored.tolist() == [[8, 12], [-3, 3]]


# ---- times -------------------------------------------------------------------------------------------


def test_time_scale_is_the_longest_horizon() -> None:
    """From a record's last event to its furthest query, in either direction; else the longest span; else 1."""
    queries = Queries([0, 1, 2, 3], [9.0, -5.0, 99.0], [0, 0, 0])
    times = ([0, 2, 3, 3], [0.0, 4.0, 1.0], [0, 0, 0], [1.0, 2.0, 3.0])
    assert Scaling.fit(IrregularPanel(*times, queries=queries), None).time_scale == 6.0
    assert Scaling.fit(IrregularPanel(*times), None).time_scale == 4.0
    assert Scaling.fit(IrregularPanel([0, 1], [3.0], [0], [1.0]), None).time_scale == 1.0
    assert Scaling.fit(IrregularPanel([0, 0], [], [], [], channels=["a"], queries=queries[:1]), None).time_scale == 1.0


# ---- static features ---------------------------------------------------------------------------------


def test_static_encoding_by_hand() -> None:
    """Numbers are standardised beside an indicator, categories one-hot; what is new or missing has no 1."""
    table = pd.DataFrame(
        {
            "age": [50.0, 70.0, np.nan],
            "ventilated": [True, False, True],
            "visits": pd.array([1, None, 3], dtype="Int64"),
            "unit": ["a", "b", None],
            "sex": pd.Categorical(["f", "m", "f"]),
        }
    )
    encoding = StaticEncoding.fit(table)
    new = pd.DataFrame(
        {"sex": ["m", "x"], "unit": ["b", "new"], "visits": [5, 2], "ventilated": [True, None], "age": [60.0, 80.0]}
    )
    deviation = np.std([1, 0, 1])
    expected = [
        [0, 0, (1 - 2 / 3) / deviation, 0, 3, 0, 0, 1, 0, 1],
        [2, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(encoding.transform(new), expected, atol=1e-6)
    assert encoding.n_features == encoding.transform(table).shape[1] == 10
    assert encoding.transform(table).dtype == np.float32


@pytest.mark.parametrize("constant", [0.0, 0.1, 3.3, -1e9])
def test_constant_static_columns_are_not_blown_up(constant: float) -> None:
    """Rounding noise in a constant column is not a deviation."""
    encoding = StaticEncoding.fit(pd.DataFrame({"a": [constant] * 3}))
    assert encoding.transform(pd.DataFrame({"a": [constant, constant + 1]}))[:, 0].tolist() == pytest.approx(
        [0, 1], abs=1e-6
    )


def test_static_columns_may_have_any_name() -> None:
    """Columns are matched by their name as text."""
    table = pd.DataFrame({0: [1.0, 3.0], ("a", 1): ["u", "v"]})
    assert StaticEncoding.fit(table).transform(table).tolist() == [[-1, 0, 1, 0], [1, 0, 0, 1]]


def test_tables_without_columns_or_values() -> None:
    """No features give an empty vector; a column without a value gives a missing indicator."""
    assert StaticEncoding.fit(pd.DataFrame(index=range(3))).transform(pd.DataFrame(index=range(2))).shape == (2, 0)
    table = pd.DataFrame({"a": [np.nan, np.nan]})
    assert StaticEncoding.fit(table).transform(table).tolist() == [[0, 1], [0, 1]]


def test_missing_static_column() -> None:
    """The error names the column and what there is."""
    encoding = StaticEncoding.fit(pd.DataFrame({"age": [1.0], "unit": ["a"]}))
    with pytest.raises(
        ValueError, match=r"static table lacks the columns \['unit'\].*it has \['age', 'sex'\].*Add them"
    ):
        encoding.transform(pd.DataFrame({"age": [1.0], "sex": ["f"]}))


def test_rare_categories_have_no_indicator() -> None:
    """Of names, notes and dates none is left; of many wards those with 1 % of the records, of a few all."""
    n_records = 1000
    numbers = np.arange(n_records)
    table = pd.DataFrame(
        {
            "note": [f"note {i}" for i in numbers],
            "born": pd.date_range("1950-01-01", periods=n_records),
            "ward": ["big" if i % 2 else f"ward {i % 102:03d}" for i in numbers],
            "sex": ["x" if i == 0 else "f" if i % 2 else "m" for i in numbers],
        }
    )
    encoding = StaticEncoding.fit(table)
    assert encoding.categorical["note"] == encoding.categorical["born"] == []
    assert encoding.categorical["ward"] == ["big", *(f"ward {i:03d}" for i in range(0, 82, 2))]
    assert encoding.categorical["sex"] == ["f", "m", "x"]
    assert StaticEncoding.fit(table.iloc[:40]).categorical["note"] == []
    assert len(StaticEncoding.fit(table.iloc[:32]).categorical["note"]) == 32
    assert encoding.transform(table).sum(axis=1).max() == 2
