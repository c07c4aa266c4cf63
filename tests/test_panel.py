"""IrregularPanel: what it stores, selects and changes."""

import pickle

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cndts.panel import IrregularPanel
from cndts.queries import Queries

mpl.use("agg")


def two_patients(**fields) -> IrregularPanel:
    fields = {"records": ["p1", "p2"], "channels": ["HR", "Temp"]} | fields
    return IrregularPanel([0, 3, 4], [0.0, 0.5, 2.0, 1.0], [0, 1, 0, 0], [80, 36.9, 84, 71], **fields)


@st.composite
def panels(draw) -> IrregularPanel:
    """Panels of up to six records with static features, groups and, perhaps, queries."""
    lengths = draw(st.lists(st.integers(0, 4), max_size=6))
    n_channels = draw(st.integers(1, 3))
    time = np.concatenate([np.sort(draw(hnp.arrays(float, n, elements=st.floats(-9, 9)))) for n in lengths] or [[]])
    n = len(time)
    records = draw(st.permutations([f"r{i}" for i in range(len(lengths))]))
    queries = None
    if draw(st.booleans()):
        asked = np.array(draw(st.lists(st.integers(0, 2), min_size=len(lengths), max_size=len(lengths))), dtype=int)
        m = int(asked.sum())
        queries = Queries(
            np.concatenate([[0], np.cumsum(asked)]),
            draw(hnp.arrays(float, m, elements=st.floats(-9, 9))),
            draw(hnp.arrays(int, m, elements=st.integers(0, n_channels - 1))),
        )
    return IrregularPanel(
        np.concatenate([[0], np.cumsum(lengths)]).astype(int),
        time,
        draw(hnp.arrays(int, n, elements=st.integers(0, n_channels - 1))),
        draw(hnp.arrays(np.float32, n, elements=st.floats(-9, 9, width=32))),
        records=pd.Index(records, dtype=object),
        channels=[f"c{i}" for i in range(n_channels)],
        static=pd.DataFrame({"age": np.arange(len(records), dtype=float)}, index=pd.Index(records, dtype=object)),
        groups=np.arange(len(records)) // 2,
        queries=queries,
    )


def as_lists(panel: IrregularPanel) -> list:
    """The naive reference: one tuple of plain lists per record."""
    columns = (panel.time.tolist(), panel.channel.tolist(), panel.value.tolist())
    asked = panel.queries
    rows = []
    for i, record in enumerate(panel.records):
        part = slice(panel.offsets[i], panel.offsets[i + 1])
        own = None
        if asked is not None:
            cut = slice(asked.offsets[i], asked.offsets[i + 1])
            own = (asked.time[cut].tolist(), asked.channel[cut].tolist())
        static = panel.static.iloc[i].tolist()
        rows.append((record, [column[part] for column in columns], static, int(panel.groups[i]), own))
    return rows


KEYS = st.one_of(
    st.slices(6),
    st.lists(st.integers(-6, 5), max_size=8),
    st.lists(st.booleans(), min_size=6, max_size=6).map(np.array),
)


# ---- selection ----------------------------------------------------------------------------------


@settings(max_examples=40)
@given(panels(), KEYS, st.booleans())
def test_selection_equals_selection_from_lists(panel: IrregularPanel, key, with_ellipsis: bool):
    """Every kind of key picks what it would pick from a list with one entry per record."""
    n = len(panel)
    if isinstance(key, list):
        key = [i for i in key if -n <= i < n]
    elif isinstance(key, np.ndarray):
        key = key[:n]
    wanted = np.arange(n)[key] if n and len(np.arange(n)) else np.zeros(0, int)
    picked = panel[(key, ...)] if with_ellipsis else panel[key]
    assert type(picked) is IrregularPanel
    assert as_lists(picked) == [as_lists(panel)[i] for i in wanted]
    assert picked.channels == panel.channels


def test_an_integer_gives_a_panel_of_one_record():
    """Plain, negative and numpy integers."""
    panel = two_patients()
    for key in (1, -1, np.int64(1), (1, Ellipsis)):
        assert panel[key].records.tolist() == ["p2"]
    assert [one.records[0] for one in panel] == ["p1", "p2"]


@pytest.mark.parametrize("key", [slice(0, 2), [0, 1], np.array([True, True])])
def test_neighbours_are_views(key):
    """Records that lie side by side are not copied."""
    panel = two_patients()
    assert np.shares_memory(panel[key].value, panel.value)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (2, r"record position 2 is out of range for 2 records"),
        ([0, -3], r"record position -3 is out of range"),
        ([True], r"one entry per record \(2\); got 1 entries"),
        ([0.5], r"by position \(integers or booleans\); got dtype float64"),
        ((0, 1), r"one axis \(records\) and no columns; got the key \(0, 1\)"),
        ("age", r"no columns, indexed by position; got the key 'age'"),
        ((), r"one axis"),
        (True, r"records are indexed by position; got True"),
        (np.zeros((1, 1), int), r"must be one-dimensional; got shape \(1, 1\)"),
    ],
)
def test_wrong_keys(key, text):
    """Keys that select no records say why."""
    with pytest.raises(IndexError, match=text):
        two_patients()[key]


def test_arrays_refuse_writes_and_tables_are_copies():
    """Nothing reachable from a panel changes it, also after pickling."""
    panel = two_patients(static=pd.DataFrame({"age": [1, 2]}, index=["p1", "p2"]), groups=["x", "y"]).with_queries(
        [3.0]
    )
    static = panel.static
    static["age"] = 0
    panel.units["HR"] = "bpm"
    assert panel.static["age"].tolist() == [1, 2]
    assert panel.units == {}
    for copy in (panel, panel[::-1], pickle.loads(pickle.dumps(panel)), panel.where(panel.time > 0)):
        for array in (copy.offsets, copy.time, copy.channel, copy.value, copy.groups, copy.queries.time):
            with pytest.raises(ValueError, match="read-only"):
                array[:1] = 0


def test_a_panel_on_read_only_maps(tmp_path):
    """Arrays that live in a file are used in place."""
    np.arange(4.0).tofile(tmp_path / "time")
    time = np.memmap(tmp_path / "time", mode="r", dtype=float)
    panel = IrregularPanel([0, 1, 4], time, [0, 0, 0, 0], [1, 2, 3, 4])
    assert np.shares_memory(panel.time, time)
    assert panel[1:].where(panel[1:].time > 1).scale_values([1], [2]).value.tolist() == [1, 1.5]


@settings(max_examples=40)
@given(panels())
def test_pickle_keeps_everything(panel: IrregularPanel):
    """Workers of joblib receive panels this way."""
    assert pickle.loads(pickle.dumps(panel)).equals(panel)


def test_a_panel_is_no_array():
    """There is a clear refusal instead of an endless nest of panels."""
    with pytest.raises(TypeError, match=r"ragged and no array; use to_array\(\)"):
        np.asarray(two_patients())


# ---- what is legal ------------------------------------------------------------------------------


def test_empty_panel_and_empty_records():
    """No records, records without events, channels without observations."""
    nothing = IrregularPanel([0], [], [], [])
    assert (len(nothing), nothing.shape, nothing.channels) == (0, (0,), ())
    assert nothing[:].equals(nothing)
    assert nothing.last_time.shape == (0,)
    panel = IrregularPanel([0, 0, 1, 1], [5.0], [0], [1.0], channels=["a", "never"])
    np.testing.assert_array_equal(panel.last_time, [np.nan, 5, np.nan])
    np.testing.assert_array_equal(panel.first_time, [np.nan, 5, np.nan])
    assert panel.counts.tolist() == [0, 1, 0]
    assert "2 records without events" in repr(panel)


def test_counts_and_last_times():
    """One number per record."""
    panel = two_patients()
    assert panel.counts.tolist() == [3, 1]
    assert panel.first_time.tolist() == [0, 1]
    assert panel.last_time.tolist() == [2, 1]
    assert panel.record.tolist() == [0, 0, 0, 1]


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"time": [0.0, 2.0, 1.0, 1.0]}, r"record 'p1', row 2 comes before the row above it \(time 1.0\); sort"),
        ({"time": [0.0, 1.0, 2.0, np.nan]}, r"record 'p2', row 0 has the time nan; times must be finite"),
        ({"time": [0.0, 1.0, np.inf, np.inf]}, r"record 'p1', row 2 has the time inf.*2 rows have this fault"),
        ({"time": ["a", "b", "c", "d"]}, r"times must be numbers in the panel's time_unit; got dtype <U1"),
        ({"time": np.zeros(4, "M8[s]")}, r"got dtype datetime64\[s\]. Use IrregularPanel.from_long"),
        ({"time": np.zeros((4, 1))}, r"time must be one-dimensional, flat over all records; got shape \(4, 1\)"),
        ({"value": [1, 2, np.nan, 4]}, r"record 'p1', row 2 has the value nan; leave out what was not observed"),
        ({"value": [1, 2, 3, -np.inf]}, r"record 'p2', row 0 has the value -inf"),
        ({"value": [1, 2, 3, 1e39]}, r"record 'p2', row 0 has the value inf"),
        ({"value": ["x"] * 4}, r"values must be numbers; got dtype <U1"),
        ({"channel": [0, 1, 2, 0]}, r"record 'p1', row 2 has channel 2; channels run from 0 to 1"),
        ({"channel": [0, -1, 0, 0]}, r"record 'p1', row 1 has channel -1"),
        ({"channel": ["HR"] * 4}, r"channel holds positions in channels \(integers\); got dtype <U2"),
        ({"channel": [0.5] * 4}, r"channel holds positions"),
        ({"channel": [0, 1]}, r"4 times, 2 channels and 4 values"),
        ({"offsets": [0, 3]}, r"got 2 record ids for 1 records"),
        ({"offsets": [0, 5, 4]}, r"offsets must rise from 0 to the number of events; got 0..4"),
        ({"offsets": []}, r"offsets must start with 0: got an empty array"),
        ({"records": ["p", "p"]}, r"record id 'p' occurs more than once"),
        ({"records": [7, 7]}, r"record id 7 occurs more than once"),
        ({"records": ["p", None]}, r"record 1 has no id"),
        ({"channels": ["HR", "HR"]}, r"channel name 'HR' occurs more than once"),
        ({"units": {"BP": "mmHg"}}, r"units name channels that the panel lacks: \['BP'\]"),
        ({"groups": ["x"]}, r"groups need one label per record \(2\); got shape \(1,\)"),
        ({"static": pd.DataFrame({"a": [1]}, index=["p1"])}, r"static lacks a row for record 'p2'.*\(1 are missing\)"),
        ({"static": pd.DataFrame({"a": [1, 2, 3]}, index=["p1", "p2", "p3"])}, r"one row per record \(2\); got 3 rows"),
        ({"outcomes": pd.DataFrame({"a": [1, 2]}, index=["p1", "p1"])}, r"outcomes has more than one row for record"),
        ({"queries": Queries([0, 1], [1.0], [0])}, r"queries need one segment per record \(2\); got 1"),
        ({"queries": Queries([0, 1, 2], [1.0, 1.0], [0, 5])}, r"record 'p2', query 0 asks for channel 5"),
    ],
)
def test_what_does_not_fit_is_refused(changes, text):
    """Every fault is named with what was got, what was wanted and where."""
    fields = {"offsets": [0, 3, 4], "time": [0.0, 0.5, 2.0, 1.0], "channel": [0, 1, 0, 0], "value": [80, 37, 84, 71]}
    fields |= {"records": ["p1", "p2"], "channels": ["HR", "Temp"]}
    with pytest.raises((ValueError, TypeError), match=text):
        IrregularPanel(**fields | changes)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (([0, 2], [1.0], [0]), r"offsets end at 2, got 1 times and 1 channels"),
        (([0, 1], [np.nan], [0]), r"query 0 has the time nan"),
        (([1, 1], [], []), r"query offsets must start with 0 and never fall"),
    ],
)
def test_wrong_queries(parts, text):
    """Queries check themselves."""
    with pytest.raises(ValueError, match=text):
        Queries(*map(np.array, parts))


# ---- queries ------------------------------------------------------------------------------------


def test_queries_at_the_same_times_for_all():
    """Every record gets each time with each channel."""
    asked = two_patients().with_queries([5, 4]).queries
    assert asked.record.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert asked.time.tolist() == [5, 5, 4, 4] * 2
    assert asked.channel.tolist() == [0, 1, 0, 1] * 2
    assert two_patients().with_queries(5.0, "Temp").queries.channel.tolist() == [1, 1]
    assert two_patients().with_queries([]).queries.n_queries == 0


def test_queries_of_each_record():
    """A mapping, rows of an array and a table say the same."""
    panel = two_patients()
    mapping = panel.with_queries({"p2": [9.0], "p1": [7.0, 6.0]}, ["HR"])
    table = pd.DataFrame({"record": ["p2", "p1", "p1"], "time": [9.0, 7.0, 6.0]})
    assert mapping.queries.record.tolist() == [0, 0, 1]
    assert mapping.queries.time.tolist() == [7, 6, 9]
    assert mapping.equals(panel.with_queries(table, ["HR"]))
    assert mapping.equals(panel.with_queries(table.assign(channel="HR")))
    assert mapping.equals(panel.with_queries(queries=mapping.queries))
    assert panel.with_queries({"p2": [1.0]}).queries.offsets.tolist() == [0, 0, 2]
    assert panel.with_queries({}).queries.n_queries == 0
    assert panel.with_queries(np.array([[1.0], [2.0]]), "HR").queries.time.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (({"p9": [1.0]},), r"the panel has no record 'p9'"),
        (([1.0], ["BP"]), r"the panel has no channels \['BP'\]; its channels are \['HR', 'Temp'\]"),
        (([np.nan],), r"query time 0 has no time"),
        (([np.inf],), r"query time 0 has the time inf"),
        ((["noon"],), r"query time 0 has the text 'noon' as its time"),
        (({"p2": [np.nan]},), r"query time 0 \(record 'p2'\) has no time"),
        ((np.zeros((3, 1)),), r"one row per record \(2\); got 3 rows"),
        (([pd.Timestamp("2024-01-01")],), r"got calendar times .* for a panel that counts elapsed h"),
        ((pd.DataFrame({"record": ["p3"], "time": [1.0]}),), r"row 0 belongs to record 'p3'"),
        ((pd.DataFrame({"record": ["p1"], "time": [1.0], "channel": ["BP"]}),), r"has the channel 'BP'"),
        ((), r"give either times \(with channels\) or queries="),
    ],
)
def test_wrong_query_times(args, text):
    """What cannot be asked for."""
    with pytest.raises(ValueError, match=text):
        two_patients().with_queries(*args)


# ---- events -------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(panels(), st.randoms())
def test_where_keeps_events_and_records(panel: IrregularPanel, random):
    """The kept events, in order, under the same records."""
    kept = np.array([random.random() < 0.5 for _ in range(panel.n_events)], dtype=bool)
    some = panel.where(kept)
    assert some.record.tolist() == panel.record[kept].tolist()
    assert some.value.tolist() == panel.value[kept].tolist()
    assert some.records.equals(panel.records)


def test_where_wants_one_boolean_per_event():
    """Positions or record masks are refused."""
    with pytest.raises(ValueError, match=r"one boolean per event \(4\); got dtype int64 and shape \(2,\)"):
        two_patients().where([0, 1])


@settings(max_examples=40)
@given(panels())
def test_scaling_is_undone_by_its_inverse(panel: IrregularPanel):
    """(x - a) / b, then (y + a / b) * b."""
    shift, factor = np.arange(len(panel.channels)) + 1.0, np.arange(len(panel.channels)) + 2.0
    back = panel.scale_values(shift, factor).scale_values(-shift / factor, 1 / factor)
    np.testing.assert_allclose(back.value, panel.value, atol=1e-5)


@pytest.mark.parametrize(
    ("scaling", "text"),
    [
        (([0.0], [1.0]), r"one entry per channel, shape \(2,\); got \(1,\) and \(1,\)"),
        (([0.0, 0.0], [1.0, 0.0]), r"channel 'Temp' has offset 0 and scale 0"),
        (([0.0, np.nan], [1.0, 1.0]), r"channel 'Temp' has offset nan"),
    ],
)
def test_wrong_scaling(scaling, text):
    """Scales must be usable for every channel."""
    with pytest.raises(ValueError, match=text):
        two_patients().scale_values(*scaling)


def test_with_channels_moves_events_and_queries():
    """Positions change, what they mean does not."""
    panel = two_patients(units={"HR": "bpm"}).with_queries([3.0], "Temp")
    moved = panel.with_channels(["new", "Temp", "HR"])
    assert [moved.channels[i] for i in moved.channel] == [panel.channels[i] for i in panel.channel]
    assert moved.queries.channel.tolist() == [1, 1]
    assert moved.units == {"HR": "bpm"}
    assert moved.with_channels(["HR", "Temp"]).equals(panel)
    with pytest.raises(ValueError, match=r"1 channels .* among the 1 wanted: Temp \(3\)"):
        panel.with_channels(["HR"])
    with pytest.raises(ValueError, match="channel name 'HR' occurs more than once"):
        panel.with_channels(["HR", "HR", "Temp"])


@settings(max_examples=40)
@given(panels(), st.integers(0, 6))
def test_concat_joins_what_was_cut(panel: IrregularPanel, cut: int):
    """Head and tail of a panel make the panel."""
    assert IrregularPanel.concat([panel[:cut], panel[cut:]]).equals(panel)


def test_concat_joins_channels_by_name_and_queries():
    """Panels with other channels and without queries."""
    first, second = two_patients(), two_patients(records=["a", "b"], channels=["Temp", "Lactate"])
    both = IrregularPanel.concat([first, second.with_queries([8.0], "Lactate")])
    assert both.channels == ("HR", "Temp", "Lactate")
    assert both.channel.tolist() == [0, 1, 0, 0, 1, 2, 1, 1]
    assert both.queries.offsets.tolist() == [0, 0, 0, 1, 2]
    assert both.queries.channel.tolist() == [2, 2]
    assert IrregularPanel.concat([first, first], ignore_records=True).records.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, r"record id 'p1' occurs in more than one place \(2 such ids\).*ignore_records=True"),
        ({"records": ["a", "b"], "time_unit": "D"}, r"panel 1 counts in 'D' and panel 0 in 'h'"),
        ({"records": ["a", "b"], "units": {"HR": "Hz"}}, r"channel 'HR' is in 'bpm' and, in panel 1, in 'Hz'"),
        ({"records": ["a", "b"], "groups": [1, 2]}, r"1 of 2 panels have groups"),
        ({"records": ["a", "b"], "origin": pd.Timestamp("2024-01-01")}, r"cannot be put on one clock"),
    ],
)
def test_panels_that_do_not_join(changes, text):
    """Clocks, units, groups and ids must fit."""
    with pytest.raises(ValueError, match=text):
        IrregularPanel.concat([two_patients(units={"HR": "bpm"}), two_patients(**changes)])
    with pytest.raises(ValueError, match="nothing to join"):
        IrregularPanel.concat([])


@pytest.mark.parametrize(("policy", "value"), [("mean", [2, 5]), ("first", [1, 5]), ("last", [3, 5])])
def test_duplicates_are_settled(policy, value):
    """Equal channel and time in one record; other channels between them stay."""
    panel = IrregularPanel([0, 3, 4], [1, 1, 1, 1], [0, 1, 0, 0], [1, 7, 3, 5])
    settled = panel.deduplicate(policy)
    assert settled.value[settled.channel == 0].tolist() == value
    assert settled.channel.tolist() == [0, 1, 0]
    assert settled.deduplicate("error").equals(settled)
    assert panel.deduplicate("keep").equals(panel)


def test_duplicates_are_named():
    """The error says where, what and what to do."""
    panel = IrregularPanel([0, 3], [1, 1, 1], [0, 1, 0], [1, 7, 3], records=[42])
    text = r"record 42, row 2 repeats the channel 'x0' at time 1. Choose duplicates='mean', 'first', 'last' or 'keep'"
    with pytest.raises(ValueError, match=text):
        panel.deduplicate()
    with pytest.raises(ValueError, match=r"duplicates must be one of .*; got 'drop'"):
        panel.deduplicate("drop")


def test_tables_and_labels_are_replaced():
    """By record id, in any order."""
    panel = two_patients()
    table = pd.DataFrame({"record": ["p2", "p1"], "age": [2, 1]})
    assert panel.with_static(table).static["age"].tolist() == [1, 2]
    assert panel.with_outcomes(table).outcomes["age"].tolist() == [1, 2]
    assert panel.with_static(table).with_static(None).static.shape == (2, 0)
    assert panel.with_groups(pd.Series({"p2": "y", "p1": "x"})).groups.tolist() == ["x", "y"]
    assert panel.with_groups(["x", "y"]).with_groups(None).groups is None
    assert panel.with_units({"HR": "bpm"}).units == {"HR": "bpm"}
    with pytest.raises(ValueError, match="groups lack a label for record 'p2'"):
        panel.with_groups({"p1": 1})
    with pytest.raises(ValueError, match="units name channels that the panel lacks"):
        panel.with_units({"BP": "mmHg"})


def test_records_drawn_twice_can_be_changed():
    """A bootstrap sample repeats ids."""
    sample = two_patients(static=pd.DataFrame({"age": [1, 2]}, index=["p1", "p2"]))[[1, 0, 1]]
    assert sample.static["age"].tolist() == [2, 1, 2]
    assert sample.with_groups([1, 2, 3]).with_units({"HR": "bpm"}).with_channels(["Temp", "HR"]).n_events == 5
    assert sample.with_queries([1.0], "HR").queries.n_queries == 3


# ---- what it says and shows ---------------------------------------------------------------------


def test_repr_tells_what_is_there():
    """Counts, span, gap quantiles, and what hangs on the records."""
    panel = two_patients(
        static=pd.DataFrame({"age": [1, 2]}, index=["p1", "p2"]),
        origin=pd.Timestamp("2024-01-01", tz="UTC"),
        groups=[1, 1],
    ).with_queries([9.0])
    text = repr(panel)
    assert text.splitlines()[0] == "IrregularPanel: 2 records, 4 events, 2 channels (HR, Temp)"
    for part in ("median 1 h (5 %: 0.55 h, 95 %: 1.45 h)", "0 to 2 h", "queries: 4", "static: age", "2024-01-01"):
        assert part in text
    html = two_patients(channels=["<b>", "Temp"])._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert repr(IrregularPanel([0], [], [], [])) == "IrregularPanel: 0 records, 0 events, 0 channels"


def test_gaps_are_within_records():
    """The jump from one record to the next is no gap, and neither are simultaneous events."""
    panel = IrregularPanel([0, 2, 4, 5], [0, 1, 100, 101, 50], [0] * 5, [1] * 5)
    assert "gaps: median 1 h (5 %: 1 h, 95 %: 1 h)" in repr(panel)
    assert "gaps" not in repr(IrregularPanel([0, 2], [1, 1], [0, 0], [1, 2]))


def test_plot_draws_events_and_queries():
    """One axes per observed channel, query ticks where something is asked."""
    plt = pytest.importorskip("matplotlib.pyplot")
    figure = two_patients(units={"HR": "bpm"}).with_queries([3.0], "HR").plot()
    hr, temp = figure.axes
    assert (hr.get_ylabel(), temp.get_ylabel(), temp.get_xlabel()) == ("HR (bpm)", "Temp", "time (h)")
    np.testing.assert_array_equal(hr.lines[0].get_xydata(), [[0, 80], [2, 84]])
    assert hr.lines[1].get_xdata().tolist() == [3]
    dated = two_patients(origin=pd.Timestamp("2024-01-01")).plot("p2", channels="HR")
    assert dated.axes[0].get_xlabel() == "time"
    assert len(two_patients()[:1].where(np.zeros(3, bool)).plot().axes) == 1
    with pytest.raises(ValueError, match="no record 'p9'; its ids run from 'p1' to 'p2'"):
        two_patients().plot("p9")
    with pytest.raises(ValueError, match=r"no channels \['BP'\]"):
        two_patients().plot(channels=["BP"])
    with pytest.raises(ValueError, match="no records to draw"):
        two_patients()[:0].plot()
    plt.close("all")
