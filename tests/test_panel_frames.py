"""Long and wide tables and arrays, to a panel and back."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cndts.panel import IrregularPanel

LONG = pd.DataFrame(
    {
        "record": ["b", "a", "b", "b"],
        "time": [2.0, 1.0, 0.5, 2.0],
        "channel": ["HR", "HR", "Temp", "Temp"],
        "value": [80.0, 71.0, 36.9, 37.1],
    }
)


@st.composite
def long_frames(draw) -> pd.DataFrame:
    """Shuffled events of a few records and channels, some of them blank, none repeated."""
    n = draw(st.integers(0, 12))
    frame = pd.DataFrame(
        {
            "record": draw(hnp.arrays(int, n, elements=st.integers(0, 3))),
            "time": draw(hnp.arrays(float, n, elements=st.sampled_from([-1.5, 0.0, 0.1, 2.0, 3e5]))),
            "channel": np.array(["HR", "Temp", "pH"], dtype=object)[
                draw(hnp.arrays(int, n, elements=st.integers(0, 2)))
            ],
            "value": draw(hnp.arrays(float, n, elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6, width=32)))),
        }
    )
    blank = frame["value"].isna()
    return pd.concat([frame[~blank].drop_duplicates(["record", "time", "channel"]), frame[blank]]).sample(
        frac=1, random_state=0
    )


# ---- long ---------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(long_frames())
def test_long_keeps_every_row(frame: pd.DataFrame):
    """Events come back sorted by time (ties in their order), blank rows in the order given."""
    panel = IrregularPanel.from_long(frame)
    order = {record: i for i, record in enumerate(dict.fromkeys(frame["record"]))}
    frame = frame.assign(at=frame["record"].map(order), blank=frame["value"].isna())
    frame["key"] = frame["time"].where(~frame["blank"], 0.0)
    wanted = frame.sort_values(["at", "blank", "key"], kind="stable").reset_index(drop=True)
    back = panel.to_long()
    for name in ("record", "time", "channel", "value"):
        np.testing.assert_array_equal(back[name].to_numpy(), wanted[name].to_numpy())


@settings(max_examples=40)
@given(long_frames())
def test_long_round_trip_is_exact(frame: pd.DataFrame):
    """A panel is its own long table, given the names that no row shows."""
    panel = IrregularPanel.from_long(frame, channels=["pH", "HR", "never", "Temp"], records=[3, 1, 0, 2, 9])
    back = IrregularPanel.from_long(panel.to_long(), channels=panel.channels, records=panel.records)
    assert back.equals(panel)


def test_long_sorts_and_names_in_order_of_appearance():
    """Records and channels keep the order of the table; other column names by argument."""
    frame = LONG.set_axis(["id", "hours", "variable", "x"], axis=1)
    panel = IrregularPanel.from_long(frame, record="id", time="hours", channel="variable", value="x", time_unit="min")
    assert panel.records.tolist() == ["b", "a"]
    assert panel.channels == ("HR", "Temp")
    assert panel.time.tolist() == [0.5, 2, 2, 1]
    assert panel.channel.tolist() == [1, 0, 1, 0]
    assert panel.time_unit == "min"
    assert panel.to_long(record="id").columns.tolist() == ["id", "time", "channel", "value"]
    with pytest.raises(ValueError, match="four columns need four names"):
        panel.to_long(record="time")


def test_the_table_stays_the_users():
    """Neither a later write to the table reaches the panel, nor the other way round."""
    frame = pd.DataFrame({"record": 0, "time": [0.0, 1.0], "channel": "x", "value": np.array([1, 2], np.float32)})
    panel = IrregularPanel.from_long(frame)
    frame.loc[:, ["time", "value"]] = 9
    assert panel.time.tolist() == [0, 1]
    assert panel.value.tolist() == [1, 2]
    back = panel.to_long()
    back.loc[:, ["time", "value"]] = 9
    assert panel.time.tolist() == [0, 1]


def test_blank_values_become_queries():
    """Each record asks for its own times; records that only ask are kept."""
    frame = pd.concat(
        [LONG, pd.DataFrame({"record": ["a", "c"], "time": [9.0, 0.0], "channel": ["pH", "HR"]})], ignore_index=True
    )
    panel = IrregularPanel.from_long(frame)
    assert panel.records.tolist() == ["b", "a", "c"]
    assert panel.counts.tolist() == [3, 1, 0]
    assert panel.queries.record.tolist() == [1, 2]
    assert [panel.channels[i] for i in panel.queries.channel] == ["pH", "HR"]
    assert IrregularPanel.from_long(LONG).queries is None


def test_columns_of_many_kinds():
    """Categories give the channels, nullable and integer columns are read, index levels are columns."""
    frame = LONG.assign(channel=pd.Categorical(LONG["channel"], categories=["Temp", "pH", "HR"]))
    assert IrregularPanel.from_long(frame).channels == ("Temp", "pH", "HR")
    kept = frame.assign(record=frame["record"].astype("category"))
    assert IrregularPanel.from_long(kept[kept["record"] == "a"]).records.tolist() == ["a"]
    nullable = LONG.convert_dtypes().assign(time=pd.array([2, 1, 0, 3], dtype="Int64"))
    assert IrregularPanel.from_long(nullable).n_events == 4
    assert IrregularPanel.from_long(LONG.assign(value=[1, None, True, np.float64(2)])).n_events == 3
    assert IrregularPanel.from_long(LONG.set_index(["record", "time"])).equals(IrregularPanel.from_long(LONG))
    assert IrregularPanel.from_long(dict(LONG)).equals(IrregularPanel.from_long(LONG))
    one = IrregularPanel.from_long(LONG[:1], record=None, channel=None)
    assert (len(one), one.channels) == (1, ("value",))
    assert len(IrregularPanel.from_long(LONG[:0])) == 0
    assert len(IrregularPanel.from_long(pd.DataFrame(columns=LONG.columns))) == 0


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"time": [2.0, 1.0, np.nan, 2.0]}, r"record 'b', row 2 has no time \(nan\); fill it in or drop the row"),
        ({"time": [2.0, np.inf, 1.0, 2.0]}, r"record 'a', row 1 has the time inf; times must be finite"),
        (
            {"time": ["2", "1", "0", "2"]},
            r"record 'b', row 0 has the text '2' as its time\. 4 rows.*pandas.to_datetime",
        ),
        ({"time": [2, 1, "noon", 2]}, r"record 'b', row 2 has the text 'noon' as its time"),
        ({"time": pd.to_datetime(["2024", None, "2025", "2024"])}, r"record 'a', row 1 has no time \(NaT\)"),
        ({"time": pd.period_range("2024", periods=4)}, r"holds periods; use dt.to_timestamp\(\)"),
        ({"time": [2.0, 1.0, pd.Timestamp("2024"), 2.0]}, r"mixes what cannot be one kind of time"),
        ({"value": [1.0, 2.0, -np.inf, 4.0]}, r"record 'b', row 2 has the value -inf; values must be finite"),
        ({"value": [1.0, 1e39, 3.0, 4.0]}, r"record 'a', row 1 has the value 1e\+39; values must be finite in float32"),
        ({"value": [1.0, 2.0, "<0.5", 4.0]}, r"record 'b', row 2 has '<0.5' in column 'value'; values must be numbers"),
        ({"record": ["b", None, "b", "b"]}, r"row 1 has no record id in column 'record'"),
        ({"channel": ["HR", "HR", None, "Temp"]}, r"record 'b', row 2 has no channel in column 'channel'"),
        (
            {"time": [2.0, 1.0, 2.0, 2.0]},
            r"record 'b', row 3 repeats the channel 'Temp' at time 2\. Choose duplicates=",
        ),
    ],
)
def test_faults_of_long_tables(changes, text):
    """Record and row of the user's own table are named."""
    with pytest.raises((ValueError, TypeError), match=text):
        IrregularPanel.from_long(LONG.assign(**changes))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"time": "hours"}, r"no column 'hours'; its columns are \['record', 'time', 'channel', 'value'\]"),
        (
            {"channels": ["HR"]},
            r"record 'b', row 2 has the channel 'Temp', which is not among.*2 rows.*Unknown: \['Temp'",
        ),
        ({"records": ["b"]}, r"row 1 belongs to record 'a', which the given records lack \(1 such records\)"),
        ({"records": ["a", "b", "b"]}, r"record id 'b' occurs more than once"),
        ({"duplicates": "drop"}, r"duplicates must be one of \['error', 'mean', 'first', 'last', 'keep'\]; got 'drop'"),
        ({"groups": {"a": 1}}, r"groups lack a label for record 'b'"),
        ({"groups": "channel"}, r"record 'b' has 'HR' and, in row 2, 'Temp'; a record belongs to one group"),
        ({"units": "value"}, r"channel 'HR' has 80.0 and, in row 1, 71.0; convert its values to one unit"),
    ],
)
def test_arguments_that_do_not_fit(arguments, text):
    """Unknown names and unfit tables say what there is."""
    with pytest.raises(ValueError, match=text):
        IrregularPanel.from_long(LONG, **arguments)


def test_what_is_no_table():
    """Lists and arrays are refused."""
    with pytest.raises(TypeError, match="got list; give a pandas or polars DataFrame, an Arrow table, or a dict"):
        IrregularPanel.from_long([1, 2])


def test_tables_by_record():
    """Statics give the records, also those without events; outcomes, units and groups ride along."""
    static = pd.DataFrame({"record": ["c", "b", "a"], "age": [1, 2, 3]})
    outcomes = pd.DataFrame({"died": [0, 1, 0]}, index=["a", "b", "c"])
    frame = LONG.assign(unit=["bpm", "bpm", "°C", "°C"], ward=["x", "y", "x", "x"])
    panel = IrregularPanel.from_long(frame, static=static, outcomes=outcomes, units="unit", groups=[1, 2, 3])
    assert panel.records.tolist() == ["c", "b", "a"]
    assert panel.counts.tolist() == [0, 3, 1]
    assert panel.static["age"].tolist() == [1, 2, 3]
    assert panel.outcomes["died"].tolist() == [0, 1, 0]
    assert panel.units == {"HR": "bpm", "Temp": "°C"}
    assert panel.groups.tolist() == [1, 2, 3]
    assert IrregularPanel.from_long(frame, groups="ward").groups.tolist() == ["x", "y"]
    some = IrregularPanel.from_long(LONG, records=["a", "b"], static=static.iloc[[2, 1]])
    assert some.static["age"].tolist() == [3, 2]
    with pytest.raises(ValueError, match=r"row 1 belongs to record 'a', which the given records lack"):
        IrregularPanel.from_long(LONG, static=static[:2])
    with pytest.raises(ValueError, match=r"Record 'c' is not in the panel"):
        IrregularPanel.from_long(LONG, records=["a", "b"], static=static)


@settings(max_examples=40)
@given(long_frames(), st.sampled_from(["mean", "first", "last"]))
def test_duplicates_as_pandas_settles_them(frame: pd.DataFrame, policy: str):
    """The policies agree with groupby."""
    events = frame.dropna()
    events = events.assign(time=events["time"].clip(0, 1).round())
    panel = IrregularPanel.from_long(events, duplicates=policy)
    got = panel.to_long().set_index(["record", "time", "channel"])["value"]
    wanted = events.groupby(["record", "time", "channel"])["value"].agg(policy)
    assert got.index.is_unique
    np.testing.assert_allclose(got.loc[wanted.index], wanted, rtol=1e-6, atol=np.finfo(np.float32).tiny)


@pytest.mark.slow
def test_two_million_rows_take_seconds():
    """Shuffled rows are read without a Python loop; the bound is loose, for shared machines."""
    random = np.random.default_rng(0)
    n = 2_000_000
    frame = pd.DataFrame(
        {
            "record": random.integers(0, 4000, n),
            "time": random.random(n) * 48,
            "channel": np.array([f"c{i}" for i in range(40)])[random.integers(0, 40, n)],
            "value": random.random(n),
        }
    )
    start = time.process_time()
    panel = IrregularPanel.from_long(frame)
    assert time.process_time() - start < 3
    np.testing.assert_array_equal(panel.time, frame["time"].to_numpy()[np.lexsort((frame["time"], panel_codes(frame)))])


def panel_codes(frame: pd.DataFrame) -> np.ndarray:
    return pd.factorize(frame["record"])[0]


# ---- wide ---------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(long_frames())
def test_wide_round_trip_is_exact(frame: pd.DataFrame):
    """Every event has its cell; records without events come back by name."""
    panel = IrregularPanel.from_long(frame.dropna(), channels=["pH", "HR", "never", "Temp"], records=[3, 1, 0, 2])
    panel = panel.where(np.ones(panel.n_events, dtype=bool))
    wide = panel.to_wide()
    assert wide.columns.tolist() == ["record", "time", "pH", "HR", "never", "Temp"]
    assert not wide.duplicated(["record", "time"]).any()
    back = IrregularPanel.from_wide(wide, records=panel.records)
    by_cell = np.lexsort((panel.channel, panel.time, panel.record))
    assert back.channels == panel.channels
    assert back.offsets.tolist() == panel.offsets.tolist()
    for name in ("time", "channel", "value"):
        np.testing.assert_array_equal(getattr(back, name), getattr(panel, name)[by_cell])


def test_wide_tables():
    """Unsorted rows, chosen channels, index levels, groups."""
    frame = pd.DataFrame({"id": [1, 1, 2], "t": [3.0, 0.0, 1.0], "a": [1, 2, None], "b": [None, 5.0, None], "g": "u"})
    panel = IrregularPanel.from_wide(frame, record="id", time="t", groups="g", time_unit="s")
    assert panel.channels == ("a", "b")
    assert panel.value.tolist() == [2, 5, 1]
    assert panel.counts.tolist() == [3, 0]
    assert panel.groups.tolist() == ["u", "u"]
    assert IrregularPanel.from_wide(frame, record="id", time="t", channels=["b"]).value.tolist() == [5]
    indexed = frame.drop(columns="g").set_index(["id", "t"])
    assert IrregularPanel.from_wide(indexed, record="id", time="t").value.tolist() == [2, 5, 1]
    assert len(IrregularPanel.from_wide(frame[["t", "a"]], record=None, time="t")) == 1


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        ({"record": [1], "time": [0.0], "a": [np.inf]}, r"record 1, row 0 has the value inf"),
        ({"record": [1], "time": [0.0], "a": ["x"]}, r"record 1, row 0 has 'x' in column 'a'; values must be numbers"),
        ({"record": [1, 1], "time": [0.0, 0.0], "a": [1, 2]}, r"record 1, row 1 repeats the channel 'a' at time 0"),
        ({"record": [1], "t": [0.0]}, r"the table has no column 'time'"),
    ],
)
def test_faults_of_wide_tables(frame, text):
    """As for long tables."""
    with pytest.raises(ValueError, match=text):
        IrregularPanel.from_wide(pd.DataFrame(frame))


def test_what_has_no_wide_table():
    """Two values for one cell, and names that clash."""
    panel = IrregularPanel([0, 2], [1, 1], [0, 0], [1, 2], channels=["time"])
    with pytest.raises(ValueError, match=r"channels are called \['time'\]; choose other column names"):
        panel.to_wide()
    with pytest.raises(ValueError, match=r"several observations of one channel at one time.*deduplicate"):
        panel.to_wide(time="t")


# ---- other libraries ----------------------------------------------------------------------------


def test_polars_and_arrow():
    """Both come in through the Arrow stream interface, zones and nulls included."""
    pa, pl = pytest.importorskip("pyarrow"), pytest.importorskip("polars")
    stamps = pd.to_datetime(["2024-01-02", "2024-01-01", "2024-01-01", "2024-01-02"]).tz_localize("Asia/Tokyo")
    frame = LONG.assign(time=stamps.as_unit("us"), value=[80.0, 71.0, None, 37.1])
    wanted = IrregularPanel.from_long(frame)
    table = pa.Table.from_pandas(frame).append_column("extra", pa.array([{"a": 1}] * 4))
    assert IrregularPanel.from_long(table).equals(wanted)
    polars = pl.from_arrow(pa.Table.from_pandas(frame))
    assert IrregularPanel.from_long(polars).equals(wanted)
    with pytest.raises(TypeError, match=r"got LazyFrame; .*call collect\(\)"):
        IrregularPanel.from_long(polars.lazy())
    wide = wanted.to_wide()
    assert IrregularPanel.from_wide(pl.from_arrow(pa.Table.from_pandas(wide))).equals(IrregularPanel.from_wide(wide))
    static = pl.DataFrame({"record": ["a", "b"], "age": [1, 2]})
    assert IrregularPanel.from_long(polars, static=static).static["age"].tolist() == [1, 2]
    assert wanted.with_queries(pl.DataFrame({"record": ["a"], "time": [5.0]})).queries.n_queries == 2


def test_arrow_backed_pandas_columns():
    """Columns that pandas keeps in Arrow memory."""
    pa = pytest.importorskip("pyarrow")
    frame = LONG.astype(
        {
            "record": pd.ArrowDtype(pa.string()),
            "time": pd.ArrowDtype(pa.float64()),
            "channel": pd.ArrowDtype(pa.string()),
            "value": pd.ArrowDtype(pa.float32()),
        }
    )
    assert IrregularPanel.from_long(frame).equals(IrregularPanel.from_long(LONG))


# ---- arrays -------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=4),
        elements=st.one_of(st.just(np.nan), st.floats(-9, 9, width=32)),
    )
)
def test_array_round_trip_is_exact(values: np.ndarray):
    """What was on a grid goes back onto it."""
    times = np.linspace(3, -1, values.shape[1])
    panel = IrregularPanel.from_array(values, times)
    back, grid = panel.to_array(times)
    np.testing.assert_array_equal(back, values)
    np.testing.assert_array_equal(grid, times)


def test_arrays_of_two_dimensions():
    """One channel on a grid of steps; times may differ by record."""
    panel = IrregularPanel.from_array([[1, np.nan, 3], [np.nan] * 3], records=["a", "b"])
    assert (panel.channels, panel.time_unit, panel.counts.tolist()) == (("x0",), "step", [2, 0])
    own = IrregularPanel.from_array([[1, 2], [3, 4]], [[1, 0], [5, 6]], time_unit="D", channels=["y"])
    assert own.time.tolist() == [0, 1, 5, 6]
    assert own.value.tolist() == [2, 1, 3, 4]
    assert own.time_unit == "D"
    values, times = own.to_array()
    assert values.shape == (2, 4, 1)
    assert times.tolist() == [0, 1, 5, 6]
    assert IrregularPanel.from_array(np.zeros((0, 3))).to_array()[0].shape == (0, 0, 1)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (([1.0, 2.0],), r"values need the shape .*; got \(2,\)\. Use values\[None, :\] for one record"),
        (([[1.0, np.inf]],), r"record 0, channel 0 has the value inf at time 1"),
        (([[1.0, 2.0]], [0.0]), r"times need the shape \(2,\) or \(1, 2\) to fit the values; got \(1,\)"),
        (([[1.0, 2.0]], [0.0, np.nan]), r"times must be finite; got nan"),
    ],
)
def test_faults_of_arrays(arguments, text):
    """Shapes and numbers are checked."""
    with pytest.raises(ValueError, match=text):
        IrregularPanel.from_array(*arguments)
    with pytest.raises(ValueError, match="got 2 channel names for 1 channels"):
        IrregularPanel.from_array([[1.0]], channels=["a", "b"])


def test_what_does_not_fit_a_grid():
    """Events off the grid and events in one cell."""
    panel = IrregularPanel([0, 2], [1, 1], [0, 0], [1, 2])
    with pytest.raises(ValueError, match="several events of one channel fall on one time"):
        panel.to_array()
    with pytest.raises(ValueError, match="2 events lie off the given times, the first at 1"):
        panel.to_array([0.0, 2.0])
    with pytest.raises(ValueError, match="2 events lie off the given times"):
        panel.to_array([])
