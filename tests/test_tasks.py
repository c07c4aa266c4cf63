"""Tasks: what becomes context, what becomes a target, and that draws belong to records."""

import json
import os
import time
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cndts import Extrapolation, Interpolation, IrregularPanel, RecordSplit
from cndts.tasks._duration import in_time_unit


@st.composite
def panels(draw):
    """Panels with empty and one-event records, simultaneous events, and distinct values."""
    lengths = draw(st.lists(st.integers(0, 12), min_size=1, max_size=6))
    n_events = sum(lengths)
    times = draw(st.lists(st.integers(0, 50), min_size=n_events, max_size=n_events))
    channel = draw(st.lists(st.integers(0, 2), min_size=n_events, max_size=n_events))
    record = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((times, record))
    return IrregularPanel(
        np.concatenate([[0], np.cumsum(lengths)]),
        np.asarray(times, float)[order],
        channel,
        np.arange(n_events),
        records=[f"r{i}" for i in range(len(lengths))],
        channels=["a", "b", "c"],
    )


def random_panel(n_records: int, n_events: int, n_channels: int = 5, seed: int = 0) -> IrregularPanel:
    rng = np.random.default_rng(seed)
    record = np.sort(rng.integers(n_records, size=n_events))
    times = rng.random(n_events) * 48
    times = times[np.lexsort((times, record))]
    return IrregularPanel(
        np.searchsorted(record, np.arange(n_records + 1)),
        times,
        rng.integers(n_channels, size=n_events),
        np.arange(n_events),
        channels=[f"c{i}" for i in range(n_channels)],
    )


def rows(record, time_, channel, value):
    return sorted(zip(record.tolist(), time_.tolist(), channel.tolist(), value.tolist(), strict=True))


def context_rows(X):
    return rows(X.record, X.time, X.channel, X.value)


def target_rows(y):
    return rows(y.record, y.time, y.channel, y.value)


def same_panel(a, b):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("offsets", "time", "channel", "value"))


# ---- extrapolation -----------------------------------------------------------------------------------


@given(panels(), st.integers(0, 60), st.integers(0, 60), st.sampled_from(["zero", "first"]))
def test_extrapolation_equals_the_loop(panel, observe, horizon, since):
    """Context and targets are what a loop over the events finds, and no record is lost."""
    X, y = Extrapolation(observe=observe, horizon=horizon, since=since).split(panel)

    context, targets = [], []
    for i in range(len(panel)):
        events = range(panel.offsets[i], panel.offsets[i + 1])
        start = panel.time[events[0]] if since == "first" and len(events) else 0
        for event in events:
            row = (i, panel.time[event], panel.channel[event], panel.value[event])
            elapsed = panel.time[event] - start
            if elapsed < observe:
                context.append(row)
            elif elapsed <= observe + horizon:
                targets.append(row)
    assert context_rows(X) == sorted(context)
    assert target_rows(y) == sorted(targets)
    assert len(X) == len(y) == len(panel)
    assert y.queries is X.queries
    assert y.records.equals(panel.records)


def test_extrapolation_bounds():
    """The cut belongs to the targets, and so does the far end."""
    panel = IrregularPanel([0, 5], [23.999, 24.0, 47.0, 48.0, 48.001], [0] * 5, [1, 2, 3, 4, 5])
    X, y = Extrapolation(observe=24, horizon=24).split(panel)
    assert X.value.tolist() == [1]
    assert np.asarray(y).tolist() == [2, 3, 4]
    assert np.asarray(Extrapolation(24, np.inf).split(panel)[1]).tolist() == [2, 3, 4, 5]


@given(panels(), st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc")))
def test_channels_that_are_asked_for_and_channels_that_are_hidden(panel, asked, hidden):
    """Either choice takes rows away from one side and changes nothing else."""
    X, y = Extrapolation(observe=20, horizon=20).split(panel)
    X_some, y_some = Extrapolation(observe=20, horizon=20, channels=sorted(asked), hidden=sorted(hidden)).split(panel)
    names = np.array(panel.channels)
    assert context_rows(X_some) == [row for row in context_rows(X) if names[row[2]] not in hidden]
    assert target_rows(y_some) == [row for row in target_rows(y) if names[row[2]] in asked]
    assert X_some.channels == panel.channels


@given(panels(), st.sets(st.sampled_from("abc"), min_size=1), st.integers(0, 5))
def test_channels_that_lose_events(panel, chosen, seed):
    """Their events are hidden as they would be among all; the others stay whole."""
    _, everything = Interpolation(random_state=seed).split(panel)
    X, y = Interpolation(random_state=seed, channels=sorted(chosen)).split(panel)
    assert target_rows(y) == [row for row in target_rows(everything) if panel.channels[row[2]] in chosen]
    assert sorted(context_rows(X) + target_rows(y)) == context_rows(panel)


def test_extrapolation_keeps_what_belongs_to_records():
    """Statics, groups and units stay; queries of the panel are replaced."""
    panel = IrregularPanel(
        [0, 1, 2],
        [1.0, 30.0],
        [0, 0],
        [5.0, 6.0],
        records=["a", "b"],
        static=pd.DataFrame({"age": [50, 60]}, index=["a", "b"]),
        groups=["x", "y"],
        units={"x0": "mmHg"},
        time_unit="min",
    )
    X, _ = Extrapolation(observe=24, horizon=24).split(panel)
    again, _ = Extrapolation(observe=0.5, horizon=1).split(X)
    assert X.static["age"].tolist() == [50, 60]
    assert (X.groups.tolist(), X.units, X.time_unit) == (["x", "y"], {"x0": "mmHg"}, "min")
    assert X.queries.time.tolist() == [30.0]
    assert again.queries.time.tolist() == [1.0]


def test_lengths_as_timedelta():
    """A Timedelta is converted to the panel's unit."""
    panel = IrregularPanel([0, 3], [0.0, 60.0, 90.0], [0] * 3, [1, 2, 3], time_unit="min")
    X, y = Extrapolation(observe=pd.Timedelta("1h"), horizon=pd.Timedelta("20min")).split(panel)
    assert (X.value.tolist(), np.asarray(y).tolist()) == ([1], [2])
    assert in_time_unit(pd.Timedelta("2D"), "s", "observe") == 172_800


@pytest.mark.parametrize(
    ("task", "error", "text"),
    [
        ({"observe": -1}, ValueError, "observe must be zero or more; got -1"),
        ({"horizon": float("nan")}, ValueError, "horizon must be zero or more; got nan"),
        (
            {"horizon": "day"},
            TypeError,
            "horizon must be a number in the panel's unit or a pandas.Timedelta; got 'day'",
        ),
        ({"observe": pd.Timedelta("1h")}, TypeError, "time unit 'visit' is no unit of time; give observe as a number"),
        ({"channels": ["HR"]}, ValueError, r"channels names channels that the panel does not have: \['HR'\]; it has"),
        ({"hidden": ["HR"]}, ValueError, "hidden names channels that the panel does not have"),
        ({"channels": "HR"}, TypeError, r"got the string 'HR'. Write \['HR'\]"),
        ({"hidden": None}, TypeError, r"hidden must be a list of channel names; got None. Write \(\) to hide none"),
    ],
)
def test_extrapolation_refuses(task, error, text):
    """Lengths that make no sense are named."""
    panel = IrregularPanel([0, 1], [0.0], [0], [1.0], time_unit="visit")
    with pytest.raises(error, match=text):
        Extrapolation(**task).split(panel)


def test_since_is_checked():
    """A misspelt start is refused at once."""
    with pytest.raises(ValueError, match='since must be "zero" or "first"; got \'start\''):
        Extrapolation(since="start")


# ---- interpolation -----------------------------------------------------------------------------------

interpolations = st.builds(
    Interpolation,
    observed=st.floats(0.05, 0.95),
    pattern=st.sampled_from(["points", "blocks"]),
    per=st.sampled_from(["channel", "record"]),
    n_blocks=st.integers(1, 3),
    random_state=st.integers(0, 5),
)


@given(panels(), interpolations)
def test_interpolation_partitions_the_events(panel, task):
    """Every event is either visible or asked for, and each record keeps its share up to rounding."""
    X, y = task.split(panel)
    assert sorted(context_rows(X) + target_rows(y)) == context_rows(panel)
    assert (np.abs(np.diff(X.offsets) - task.observed * np.diff(panel.offsets)) < 1).all()


@given(panels(), interpolations, st.randoms(use_true_random=False))
def test_a_record_is_hidden_as_in_the_whole(panel, task, random):
    """Taking a subset of the records, in any order, changes no draw."""
    subset = random.sample(range(len(panel)), random.randint(1, len(panel)))
    X, y = task.split(panel)
    X_subset, y_subset = task.split(panel[subset])
    assert same_panel(X[subset], X_subset)
    assert np.array_equal(y[subset].value, y_subset.value)


@settings(max_examples=30)
@given(panels(), st.floats(0.05, 0.95), st.integers(0, 5))
def test_one_block_is_contiguous(panel, observed, seed):
    """One block per record hides a run of events; one per channel hides a run of each channel's events."""
    hidden = set(Interpolation(observed, "blocks", "record", random_state=seed).split(panel)[1].value.tolist())
    for i in range(len(panel)):
        assert n_runs(panel[i].value, hidden) <= 1
    hidden = set(Interpolation(observed, "blocks", "channel", random_state=seed).split(panel)[1].value.tolist())
    for i in range(len(panel)):
        for channel in range(3):
            assert n_runs(panel[i].value[panel[i].channel == channel], hidden) <= 1


def n_runs(values, hidden):
    inside = [False] + [value in hidden for value in values.tolist()]
    return sum(now and not before for before, now in pairwise(inside))


def blocks_of_time(panel, length, observed=0.6, per="channel", seed=0):
    return Interpolation(observed, "blocks", per, random_state=seed, block_length=length).split(panel)


@given(panels(), st.floats(0.1, 30), st.floats(0.05, 0.95), st.sampled_from(["channel", "record"]), st.integers(0, 5))
def test_blocks_of_time_partition_the_events(panel, length, observed, per, seed):
    """Visible and hidden events make up the record, whose first and last event stay; short records stay whole."""
    X, y = blocks_of_time(panel, length, observed, per, seed)
    assert sorted(context_rows(X) + target_rows(y)) == context_rows(panel)
    for i in range(len(panel)):
        whole, left = panel[i].time, X[i].time
        if len(whole):
            assert (left[0], left[-1]) == (whole[0], whole[-1])
            assert whole[-1] - whole[0] > length or len(left) == len(whole)


@given(panels(), st.floats(0.1, 30), st.integers(0, 5), st.randoms(use_true_random=False))
def test_blocks_of_time_belong_to_the_record(panel, length, seed, random):
    """Taking a subset of the records, in any order, changes no block."""
    subset = random.sample(range(len(panel)), random.randint(1, len(panel)))
    X, _ = blocks_of_time(panel, length, seed=seed)
    X_subset, _ = blocks_of_time(panel[subset], length, seed=seed)
    assert same_panel(X[subset], X_subset)


def every_minute(n_records=300, hours=24):
    """Two channels, each seen every minute of a day."""
    time = np.repeat(np.arange(60 * hours + 1) / 60, 2)
    channel = np.arange(len(time)) % 2
    n_events = n_records * len(time)
    return IrregularPanel(
        np.arange(n_records + 1) * len(time),
        np.tile(time, n_records),
        np.tile(channel, n_records),
        np.arange(n_events),
        channels=["a", "b"],
        time_unit="h",
    )


def test_blocks_of_time_have_their_length_and_share():
    """Three gaps of two hours take a quarter of the day, at places that are uniform."""
    panel = every_minute()
    _, y = blocks_of_time(panel, 2, observed=0.75, per="record")
    assert abs(len(y.value) / panel.n_events - 0.25) < 1e-3
    one = y.channel == 0
    time, record = y.time[one], y.record[one]
    is_new = np.flatnonzero((np.diff(record, prepend=-1) != 0) | (np.diff(time, prepend=-1) > 1.5 / 60))
    lengths = np.diff(is_new, append=len(time))
    apart = lengths <= 121  # two blocks may touch
    assert np.mean(apart) > 0.9
    assert set(lengths[apart].tolist()) <= {119, 120}
    middle = np.histogram(time, bins=8, range=(4, 20))[0]
    assert np.ptp(middle) < 0.2 * middle.mean()


def test_blocks_of_time_per_channel_or_for_all():
    """Channels fall silent together, or each on its own; a share that is no whole number of blocks is met on average."""
    panel = every_minute()
    for per, overlap in (("record", 1.0), ("channel", 0.1)):
        _, y = blocks_of_time(panel, pd.Timedelta("90min"), observed=0.9, per=per)
        a, b = ({*zip(y.record[y.channel == c], y.time[y.channel == c], strict=True)} for c in (0, 1))
        assert len(a & b) / len(a) == pytest.approx(overlap, abs=0.05)
        assert len(y.value) / panel.n_events == pytest.approx(0.1, abs=0.01)


def test_draw_of_time_blocks_is_the_same_everywhere():
    """A pinned draw, as for the other patterns."""
    panel = IrregularPanel([0, 8], np.arange(8.0), np.zeros(8, int), np.arange(8), records=["patient 1"])
    assert blocks_of_time(panel, 2.5)[0].value.tolist() == [0, 3, 7]


def test_several_blocks_lie_apart():
    """In a long record three blocks are three runs of equal length, save when two touch."""
    panel = random_panel(200, 200 * 60, n_channels=1)
    _, y = Interpolation(0.5, "blocks", n_blocks=3).split(panel)
    hidden = set(y.value.tolist())
    runs = [n_runs(panel[i].value, hidden) for i in range(len(panel))]
    assert set(runs) <= {1, 2, 3}
    assert np.mean(runs) > 2.5


def test_draws_are_uniform():
    """Every place of a record is hidden equally often, and the mean share is exact."""
    n_records, length = 4000, 5
    panel = IrregularPanel(
        np.arange(n_records + 1) * length,
        np.tile(np.arange(float(length)), n_records),
        np.zeros(n_records * length, int),
        np.arange(n_records * length),
    )
    X, _ = Interpolation(observed=0.5).split(panel)
    kept = np.bincount(X.value.astype(int) % length, minlength=length) / n_records
    assert np.abs(kept - 0.5).max() < 5 * np.sqrt(0.25 / n_records)
    blocks, _ = Interpolation(observed=0.6, pattern="blocks").split(panel)
    assert (np.diff(blocks.offsets) == 3).all()
    starts = [np.flatnonzero(~np.isin(np.arange(5), blocks[i].time)).min() for i in range(n_records)]
    assert np.abs(np.bincount(starts) / n_records - 0.25).max() < 5 * np.sqrt(0.1875 / n_records)


def test_seeds_differ_and_repeat():
    """One seed gives one draw; another seed another."""
    panel = random_panel(50, 2000)
    first, again, other = (Interpolation(random_state=seed).split(panel)[0] for seed in (0, 0, 1))
    assert same_panel(first, again)
    assert not same_panel(first, other)
    fresh = [Interpolation(random_state=None).split(panel)[0] for _ in range(2)]
    assert not same_panel(*fresh)


def test_draw_is_the_same_everywhere():
    """A pinned draw: saved results stay valid across releases, pandas versions and machines."""
    panel = IrregularPanel([0, 8], np.arange(8.0), np.zeros(8, int), np.arange(8), records=["patient 1"])
    assert Interpolation(random_state=0).split(panel)[0].value.tolist() == [0, 1, 3, 4]
    assert Interpolation(pattern="blocks", random_state=0).split(panel)[0].value.tolist() == [0, 5, 6, 7]


@pytest.mark.parametrize("dtype", ["int32", "object", "Int64"])
def test_draw_does_not_depend_on_the_dtype_of_ids(dtype):
    """The same ids in another dtype, as another reader may give them, are hidden alike."""
    fields = [0, 6, 9], np.arange(9.0) % 6, np.zeros(9, int), np.arange(9)
    expected, _ = Interpolation().split(IrregularPanel(*fields, records=pd.Index([-5, 7])))
    found, _ = Interpolation().split(IrregularPanel(*fields, records=pd.Index([-5, 7], dtype=dtype)))
    assert same_panel(found, expected)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"observed": 1.0}, "observed must lie between 0 and 1"),
        ({"observed": float("nan")}, "observed must lie between 0 and 1"),
        ({"pattern": "rows"}, 'pattern must be "points" or "blocks"; got \'rows\''),
        ({"per": "panel"}, 'per must be "channel" or "record"; got \'panel\''),
        ({"n_blocks": 0}, "n_blocks must be 1 or more; got 0"),
        ({"block_length": 2}, r"block_length goes with pattern=\"blocks\" and without n_blocks.*got pattern='points'"),
        ({"pattern": "blocks", "n_blocks": 2, "block_length": 2}, "as it sets their number; .* n_blocks=2"),
    ],
)
def test_interpolation_refuses(settings, text):
    """Settings that make no sense are named at once."""
    with pytest.raises(ValueError, match=text):
        Interpolation(**settings)


@pytest.mark.parametrize(
    "task",
    [
        Extrapolation(),
        Interpolation(),
        Interpolation(pattern="blocks"),
        Interpolation(pattern="blocks", per="record"),
        Interpolation(pattern="blocks", block_length=3),
    ],
)
def test_tasks_do_not_loop_over_records(task):
    """4,000 records with 440,000 events split well under a second."""
    panel = random_panel(4000, 440_000, n_channels=37)
    start = time.process_time()
    task.split(panel)
    assert time.process_time() - start < 1


# ---- saved splits ------------------------------------------------------------------------------------


@given(st.integers(0, 40), st.integers(0, 10), st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted))
def test_drawn_parts_cover_the_panel(n_records, seed, bounds):
    """Each record is in one part, and the sizes are the fractions up to one record."""
    panel = random_panel(n_records, 0)
    fractions = (bounds[0], bounds[1] - bounds[0], 1 - bounds[1])
    split = RecordSplit.draw(panel, fractions, random_state=seed)
    parts = [split.train, split.validation, split.test]
    assert sorted(record for part in parts for record in part) == list(range(n_records))
    assert all(abs(len(part) - share * n_records) <= 1 for part, share in zip(parts, fractions, strict=True))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.integers(0, 5))
def test_groups_stay_together(groups, seed):
    """No group is in two parts."""
    panel = IrregularPanel(np.zeros(len(groups) + 1), [], [], [], groups=groups)
    split = RecordSplit.draw(panel, random_state=seed)
    labels = [set(np.asarray(groups)[part.to_numpy(dtype=int)]) for part in (split.train, split.validation, split.test)]
    assert sum(map(len, labels)) == len(set(groups))


@pytest.mark.parametrize("records", [["a", "ä", "c", "d", "e"], [5, 3, 8, 1, 2], ["07", "7", "8", "9", "10"]])
def test_saved_split_comes_back(tmp_path, records):
    """Ids and their order survive the file, which is replaced as a whole."""
    panel = IrregularPanel(np.zeros(6), [], [], [], records=records)
    split = RecordSplit.draw(panel, random_state=1)
    split.save(tmp_path / "split.json")
    split.save(tmp_path / "split.json")
    loaded = RecordSplit.load(tmp_path / "split.json")
    for name in ("train", "validation", "test"):
        assert getattr(loaded, name).tolist() == getattr(split, name).tolist()
    for part, again in zip(split.apply(panel), loaded.apply(panel), strict=True):
        assert part.records.equals(again.records)
    assert os.listdir(tmp_path) == ["split.json"]


def test_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    """A crash while writing leaves neither half a file nor rubbish."""
    split = RecordSplit(["a"], ["b"], ["c"])
    split.save(tmp_path / "split.json")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        RecordSplit(["x"], ["y"], ["z"]).save(tmp_path / "split.json")
    assert os.listdir(tmp_path) == ["split.json"]
    assert RecordSplit.load(tmp_path / "split.json").train.tolist() == ["a"]


def test_ids_that_json_cannot_hold():
    """Dates and mixtures are refused before anything is written."""
    with pytest.raises(TypeError, match=r"whole numbers or all strings can be saved; the train ids are datetime64"):
        RecordSplit(pd.to_datetime(["2020-01-01"]), [], []).save("never.json")
    with pytest.raises(TypeError, match="the test ids are object, for example 'a'"):
        RecordSplit([], [], ["a", 1]).save("never.json")
    assert not os.path.exists("never.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "other"}', '{"format": "cndts.RecordSplit"}'])
def test_files_that_are_no_split(tmp_path, text):
    """Anything else is named as such."""
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ValueError, match=r"x\.json is not a saved split; write one with RecordSplit\.save"):
        RecordSplit.load(tmp_path / "x.json")


def test_split_of_a_later_version(tmp_path):
    """A later format is refused, not guessed at."""
    RecordSplit(["a"], [], []).save(tmp_path / "x.json")
    document = json.loads((tmp_path / "x.json").read_text()) | {"version": 2}
    (tmp_path / "x.json").write_text(json.dumps(document))
    with pytest.raises(ValueError, match="has version 2; this cndts reads version 1"):
        RecordSplit.load(tmp_path / "x.json")


def test_apply_names_missing_records():
    """Ids of the wrong type are the usual cause, so both types are shown."""
    panel = IrregularPanel(np.zeros(3), [], [], [], records=[1, 2])
    with pytest.raises(
        ValueError, match=r"lacks 1 of the 1 test records, the first is '2' \(str\); .* first id is 1 \(int\)"
    ):
        RecordSplit([1], [], ["2"]).apply(panel)
    train, validation, test = RecordSplit([2], [], []).apply(panel)
    assert (train.records.tolist(), len(validation), len(test)) == ([2], 0, 0)


def test_split_refuses_overlap_and_bad_fractions():
    """A record in two parts would leak."""
    with pytest.raises(ValueError, match="record 'a' occurs twice in the split"):
        RecordSplit(["a"], ["b"], ["a"])
    for fractions in [(0.5, 0.5), (0.5, 0.2, 0.2), (1.2, -0.2, 0.0)]:
        with pytest.raises(ValueError, match="three shares .* that add up to 1"):
            RecordSplit.draw(random_panel(5, 0), fractions)


@pytest.mark.parametrize("task", [Extrapolation(24, 24), Interpolation(0.5)])
@pytest.mark.parametrize(("given", "got"), [(None, "NoneType"), ("events.csv", "str"), (pd.DataFrame(), "DataFrame")])
def test_what_is_no_panel_is_refused(task, given, got):
    with pytest.raises(TypeError, match=f"panel must be an IrregularPanel; got {got}. Build one with"):
        task.split(given)
