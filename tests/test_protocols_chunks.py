"""Protocols that cut recordings and stations into chunks: Human Activity and USHCN by months."""

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from cndts import protocol

PARTS = ("train", "validation", "test")


def as_rows(panel, i):
    """Record i as the source holds it: values by whole millisecond and channel, averaged."""
    first, last = panel.offsets[i], panel.offsets[i + 1]
    cells: dict[tuple[int, int], list[float]] = {}
    start = panel.time[first]
    for event in range(first, last):
        millisecond = round((panel.time[event] - start) * 1e3)
        cells.setdefault((millisecond, int(panel.channel[event])), []).append(float(panel.value[event]))
    return {place: float(np.mean(found)) for place, found in cells.items()}


def cells_of(part, name):
    """Context and targets of one record of a part, by time and channel."""
    X, y = part
    i = X.records.get_loc(name)
    return tuple(
        {(round(float(t), 6), int(c)): float(v) for t, c, v in zip(s.time[k], s.channel[k], s.value[k], strict=True)}
        for s in (X, y)
        for k in [slice(s.offsets[i], s.offsets[i + 1])]
    )


@pytest.mark.parametrize(("name", "stride", "horizon"), [("t-patchgnn", 1000, 1000), ("pyomnits", 4000, 300)])
def test_human_activity_step_by_step(panels, name, stride, horizon):
    """Recordings, scale, chunks, ends of chunks and cut, recomputed with plain loops."""
    panel = panels.recordings()
    split = protocol(f"{name}/human-activity").split(panel)
    if name == "t-patchgnn":
        seen, test = train_test_split(list(range(25)), train_size=0.8, random_state=42, shuffle=True)
        train, validation = train_test_split(seen, train_size=0.75, shuffle=False)
    else:
        train, validation, test = list(range(19)), [19, 20, 21], [22, 23, 24]
        seen = []
    source = [as_rows(panel, i) for i in range(25)]
    low, high = np.zeros(12), np.ones(12)
    if seen:
        for c in range(12):
            found = [v for i in seen for (_, channel), v in source[i].items() if channel == c]
            low[c], high[c] = min(found), max(found)
    for part, recordings in zip(PARTS, (train, validation, test), strict=True):
        expected = {}
        for i in recordings:
            t_max = max(t for t, _ in source[i])
            for st in range(0, t_max - 3000, stride):
                et = st + 3000 + horizon
                chunk = {
                    (t - st, c): (v - low[c]) / (high[c] - low[c])
                    for (t, c), v in source[i].items()
                    if st <= t < et or (t == et and et >= t_max)
                }
                expected[f"{panel.records[i]} from {st}"] = chunk
        X, y = getattr(split, part)
        assert X.records.tolist() == y.records.tolist() == list(expected)
        for chunk in list(expected)[::7]:
            context, targets = cells_of((X, y), chunk)
            assert context == pytest.approx({k: v for k, v in expected[chunk].items() if k[0] < 3000}, abs=1e-6)
            assert targets == pytest.approx({k: v for k, v in expected[chunk].items() if k[0] >= 3000}, abs=1e-6)
        assert list(X.groups) == [record.split(" ")[0] for record in X.records]
        assert X.static.shape[1] == X.outcomes.shape[1] == 0


def test_the_last_chunk_holds_the_last_reading(panels):
    """A chunk that ends exactly with the recording is closed there; one that ends before is open."""
    panel = panels.recordings(5, seconds=5.0)
    time = np.concatenate([np.linspace(0, 5.0, n // 3).repeat(3) for n in np.diff(panel.offsets)])  # the end is 5000 ms
    exact = type(panel)(panel.offsets, time, panel.channel, panel.value, channels=panel.channels, time_unit="s")
    X, y = protocol("t-patchgnn/human-activity").split(exact).train
    last, before = (np.flatnonzero(X.records.str.endswith(f"from {start}"))[0] for start in (1000, 0))
    assert y[last].time.max() == 4000
    assert y[before].time.max() < 4000


def test_human_activity_sizes_and_scores(panels):
    """15, 5 and 5 recordings; macro for one, micro for the other."""
    panel = panels.recordings()
    macro, micro = protocol("t-patchgnn/human-activity"), protocol("pyomnits/human-activity")
    split = macro.split(panel)
    assert [len(set(getattr(split, part)[0].groups)) for part in PARTS] == [15, 5, 5]
    _, y = split.test
    error = np.where(y.channel == 0, 3.0, 1.0)
    assert macro.score(y, y.value + error)["mse"] == pytest.approx((9 + 11) / 12, rel=1e-4)
    share = (y.channel == 0).mean()
    assert micro.score(y, y.value + error)["mse"] == pytest.approx(9 * share + (1 - share), rel=1e-4)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"channels": 11}, r"four tags with three coordinates each; the panel has 11 channels"),
        ({"time_unit": "step"}, r"counts milliseconds; the panel's time unit 'step' is no short time"),
        ({"n_records": 4}, r"needs 5 or more; got 4"),
    ],
)
def test_other_recordings_are_refused(panels, change, text):
    """What is not this data set is named."""
    panel = panels.recordings(change.get("n_records", 5), seconds=5.0)
    kept = panel.where(panel.channel < change.get("channels", 12)).with_channels(
        panel.channels[: change.get("channels", 12)]
    )
    other = type(panel)(
        kept.offsets,
        kept.time,
        kept.channel,
        kept.value,
        channels=kept.channels,
        time_unit=change.get("time_unit", "s"),
    )
    with pytest.raises(ValueError, match=text):
        protocol("t-patchgnn/human-activity").split(other)


def test_ushcn_by_months_step_by_step(panels):
    """Stations, 24 chunks of each, closed at month 48, with absolute months."""
    panel = panels.sporadic(20)
    split = protocol("t-patchgnn/ushcn").split(panel)
    seen, test = train_test_split(list(range(20)), train_size=0.8, random_state=42, shuffle=True)
    train, validation = train_test_split(seen, train_size=0.75, shuffle=False)
    for part, stations in zip(PARTS, (train, validation, test), strict=True):
        X, y = getattr(split, part)
        assert X.records.tolist() == [f"{i} from {st}" for i in stations for st in range(24)]
        for chunk in (0, 23, 30):
            i, st = stations[chunk // 24], chunk % 24
            one = panel[i]
            month = one.time * 48 / 200
            inside = (month >= st - 1e-9) & ((month < st + 25 - 1e-9) | (st == 23))
            expected = {
                (round(t, 6), int(c)): float(v)
                for t, c, v in zip(month[inside], one.channel[inside], one.value[inside], strict=True)
            }
            context, targets = cells_of((X, y), X.records[chunk])
            assert context | targets == pytest.approx(expected)
            assert all(t < st + 24 for t, _ in context)
            assert all(t >= st + 24 for t, _ in targets)
    assert split.train[0].time_unit == "month"
    assert sum(len(getattr(split, part)[0]) for part in PARTS) == 20 * 24
    assert split.scale.tolist() == [1] * 5


def test_human_activity_as_published(published):
    """The publisher's file, where it is: chunks as the sources count them."""
    from cndts.datasets import read_human_activity

    panel = read_human_activity(published("human_activity/ConfLongDemo_JSI.txt"))
    split = protocol("pyomnits/human-activity").split(panel)
    assert [len(getattr(split, part)[0]) for part in PARTS] == [949, 193, 218]
