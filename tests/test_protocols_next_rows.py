"""Protocols that ask for the next rows: sparse weather and hourly means."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from cndts import IrregularPanel, protocol
from cndts.datasets import read_ghcn_daily, read_physionet2012, read_ushcn_legacy
from cndts.protocols import read_sporadic_csv, sporadic_ushcn

PARTS = ("train", "validation", "test")


# ---- sparse weather ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [3, 50])
@pytest.mark.parametrize(("name", "cut"), [("grafiti/ushcn", 150), ("pyomnits/ushcn", 149.5)])
def test_the_next_rows(panels, name, cut, rows):
    """Context up to the cut, then three distinct times with all their values; 50 in the longer task."""
    panel = panels.sporadic()
    split = protocol(name, rows=rows).split(panel)
    for part in PARTS:
        X, y = getattr(split, part)
        for i in range(len(X)):
            one = panel[panel.records.get_loc(X.records[i])]
            asked = np.unique(one.time[one.time > cut])[:rows]
            np.testing.assert_array_equal(X[i].time, one.time[one.time <= cut])
            np.testing.assert_array_equal(y[i].value, one.value[np.isin(one.time, asked)])


def test_fewer_rows_than_asked_for(panels):
    """A station with two rows after the cut is asked for two; one without any for none."""
    time = [10.0, 151.0, 151.0, 160.0, 20.0, 30.0, 155.0, 40.0, 170.0, 41.0]
    panel = IrregularPanel(
        [0, 4, 6, 7, 9, 10],
        time,
        [0, 1, 2, 0, 0, 0, 1, 0, 3, 4],
        np.arange(10),
        channels=list("abcde"),
        time_unit="step",
    )
    found = {}
    for X, y in map(protocol("grafiti/ushcn").split(panel).__getattribute__, PARTS):
        found |= {record: y[i].value.tolist() for i, record in enumerate(X.records)}
    assert found == {0: [1, 2, 3], 1: [], 2: [6], 3: [8], 4: []}


def test_folds_come_from_one_generator(panels):
    """As in the source: seeded once, the fifth fold is the fifth draw."""
    panel = panels.sporadic()
    np.random.seed(432)
    for fold in range(5):
        seen, test = train_test_split(np.arange(40), test_size=0.1)
        train, validation = train_test_split(seen, test_size=0.2)
        split = protocol("grafiti/ushcn", fold=fold).split(panel)
        assert split.records.train.tolist() == train.tolist()
        assert split.records.validation.tolist() == validation.tolist()
        assert split.records.test.tolist() == test.tolist()


def test_sizes_of_the_sources(panels):
    """1,114 stations: 72/18/10 and 81/9/10."""
    empty = IrregularPanel(np.zeros(1115), [], [], [], channels=list("abcde"), time_unit="step")
    sizes = {
        name: [len(getattr(protocol(name).split(empty), part)[0]) for part in PARTS]
        for name in ("grafiti/ushcn", "pyomnits/ushcn")
    }
    assert sizes == {"grafiti/ushcn": [801, 201, 112], "pyomnits/ushcn": [901, 101, 112]}


def test_daily_weather_is_prepared_by_the_steps_of_the_source(panels):
    """Active stations, one value in twenty, z-scores over the draw, tenths of steps, the last four years."""
    panel = panels.daily()
    sparse = sporadic_ushcn(panel, random_state=5)
    assert sparse.records.tolist() == [name for i, name in enumerate(panel.records) if i % 4 != 3]
    assert sparse.channels == ("SNOW", "SNWD", "PRCP", "TMAX", "TMIN")
    assert (sparse.time_unit, sparse.origin, sparse.units) == ("step", None, {})
    assert sparse.time.min() >= 0
    assert sparse.time.max() <= 200
    np.testing.assert_allclose(sparse.time * 10, np.round(sparse.time * 10), atol=1e-6)
    # 8 % of the 51 years are left of a twentieth of 15,000 days (41 of them lie after 1960)
    n_days = 41 * 365.25
    assert sparse.counts.mean() == pytest.approx(0.05 * n_days * (200 / 2500) * 51 / 41, rel=0.15)


def test_prepared_values_are_those_of_their_days(panels):
    """Undone scale and time lead back to a day and its value; the scale is that of the draw of all stations."""
    panel = panels.daily()
    sparse = sporadic_ushcn(panel)
    first = pd.Timestamp("1950-01-01")
    day = panel.time + (panel.origin - first).days
    step = np.round(np.round(2500 * day / 18627, 1) - 2300, 1)
    for i in range(len(sparse)):
        at = panel.records.get_loc(sparse.records[i])
        for channel, name in enumerate(sparse.channels):
            mine = (panel.record == at) & (panel.channel == panel.channels.index(name))
            known = dict(zip(step[mine].tolist(), panel.value[mine].tolist(), strict=True))
            own = sparse[i]
            found = own.channel == channel
            raw = [known[round(float(t), 1)] for t in own.time[found]]
            slope = np.polyfit(raw, own.value[found], 1)
            assert np.polyval(slope, raw) == pytest.approx(own.value[found], abs=1e-4)
            # noise of 1 to 5, and 4.67 between the six stations that stay
            expected = np.sqrt((1 + panel.channels.index(name)) ** 2 + 4.67)
            assert slope[0] == pytest.approx(1 / expected, rel=0.1)


def test_the_draw_belongs_to_a_station(panels):
    """Other stations do not change it; another seed does."""
    panel = panels.daily()
    whole, part = sporadic_ushcn(panel, stations="all"), sporadic_ushcn(panel[[2, 5]], stations="all")
    for i, record in enumerate(part.records):
        at = whole.records.get_loc(record)
        np.testing.assert_array_equal(whole[at].time, part[i].time)
        np.testing.assert_array_equal(whole[at].channel, part[i].channel)
    assert not np.array_equal(whole[2].time, sporadic_ushcn(panel, stations="all", random_state=1)[2].time)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda p: p.daily(first_year=1996, last_year=2000), 'no station is left: .*pass stations="all"'),
        (lambda p: p.stays(10), r"daily weather with a calendar .* the panel has \d+ channels and times in 'h'"),
        (lambda p: p.sporadic(4), "needs 5 or more; got 4"),
        (lambda p: p.daily(5).with_channels(("PRCP", "SNOW", "SNWD", "TMAX", "TMIN", "X"))[:0], "no station is left"),
    ],
)
def test_other_weather_is_refused(panels, make, text):
    """What is wrong is named, and the way out."""
    with pytest.raises(ValueError, match=text):
        protocol("grafiti/ushcn").split(make(panels))


def test_weather_without_an_element_or_a_calendar(panels):
    """The missing element is named; days without an origin are no calendar."""
    panel = panels.daily(5)
    three = panel.where(panel.channel < 3).with_channels(panel.channels[:3])
    with pytest.raises(ValueError, match="the panel lacks TMAX, TMIN"):
        sporadic_ushcn(three)
    with pytest.raises(ValueError, match="has times in days and an origin; got 'D' and None"):
        sporadic_ushcn(
            IrregularPanel(
                panel.offsets, panel.time, panel.channel, panel.value, channels=panel.channels, time_unit="D"
            )
        )
    with pytest.raises(ValueError, match='stations must be "active" or "all"; got \'some\''):
        sporadic_ushcn(panel, stations="some")


def test_prepared_table_is_read(tmp_path):
    """Masked zeros are no values, rows come in any order, and a missing column is named."""
    values, masks = [f"Value_{i}" for i in range(5)], [f"Mask_{i}" for i in range(5)]
    table = pd.DataFrame(0.0, index=range(3), columns=["ID", "Time", *values, *masks])
    table["ID"], table["Time"] = [3.0, 1.0, 3.0], [7.5, 2.0, 0.1]
    table.loc[0, ["Value_4", "Mask_4"]] = [-1.25, 1]
    table.loc[1, "Mask_0"] = 1
    table.loc[2, ["Value_1", "Mask_1", "Value_2"]] = [2.5, 1, 9]
    table.to_csv(tmp_path / "small_chunked_sporadic.csv", index=False)
    panel = read_sporadic_csv(tmp_path / "small_chunked_sporadic.csv")
    assert panel.records.tolist() == [1, 3]
    assert panel.channels == tuple(values)
    assert panel.value.tolist() == [0.0, 2.5, -1.25]
    assert panel.time.tolist() == [2.0, 0.1, 7.5]
    table.drop(columns="Mask_3").to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(ValueError, match=r"other.csv lacks the columns Mask_3; small_chunked_sporadic.csv has"):
        read_sporadic_csv(tmp_path / "other.csv")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "7,soon,0,0,1,0,0,0,0,1,0,0",
            "has a Time that is no finite number in 1 rows, the first below the header in row 2",
        ),
        ("7.5,1,0,0,1,0,0,0,0,1,0,0", "has an ID that is no whole number"),
        (",1,0,0,1,0,0,0,0,1,0,0", "has an ID that is no whole number"),
        ("7,1,0,0,1e40,0,0,0,0,1,0,0", "has a Value that is no finite number"),
        ("7,1,0,0,1,0,0,0,0,2,0,0", "has a Mask other than 0 or 1"),
        ("7,1,0,0,1,0,0,0,0,1,0,", "has a Mask other than 0 or 1"),
        ("7,1,0,0,1,0,0,0,0,1,0", "cannot be read as the prepared USHCN table .line 3: 11 cells in place of the 12"),
        ("7,1,0,0,1,0,0,0,0,1,0,0,0", "cannot be read as the prepared USHCN table .line 3: 13 cells"),
        (
            '7,1,0,0,1,0,0,0,0,1,0,"0\n8,1,0,0,1,0,0,0,0,1,0,0\n9,1,0,0,1,0,0,0,0,1,0,0"',
            "cannot be read as the prepared USHCN table .line 3: a quoted cell runs over several lines",
        ),
        # the lines between would be a cell of a column that nothing hangs on
        (
            '7,1,"0\n8,1,0,0,1,0,0,0,0,1,0,0\n9,1,"0,0,1,0,0,0,0,1,0,0',
            "cannot be read as the prepared USHCN table .line 3: ",
        ),
    ],
)
def test_prepared_table_with_damage_is_refused(tmp_path, row, message):
    """A mask that is no number used to hide the values of its whole column."""
    header = ",".join(["ID", "Time", *(f"{name}_{i}" for name in ("Value", "Mask") for i in range(5))])
    path = tmp_path / "small_chunked_sporadic.csv"
    path.write_text(f"{header}\n7,0.5,0,0,1.5,0,0,0,0,1,0,0\n{row}\n")
    with pytest.raises(ValueError, match=rf"small_chunked_sporadic\.csv {message}"):
        read_sporadic_csv(path)


def test_rhode_island(published):
    """The source's own kind of file: of three stations two go on from before 1970 to 2001, as many rows as in its table."""
    panel = read_ushcn_legacy(published("ushcn/ushcn_legacy_state37_RI.tar.gz"))
    sparse = sporadic_ushcn(panel)
    assert len(sparse) == 2
    # 350,665 rows of 1,114 stations are 315 a station
    rows = np.mean([len(np.unique(sparse[i].time)) for i in range(2)])
    assert rows == pytest.approx(315, rel=0.2)


@pytest.mark.slow
def test_network_of_1996_to_2000(published):
    """Real stations of the network: the three tasks have the sizes that the sources lead to expect."""
    panel = read_ghcn_daily(published("ushcn/ghcnd_hcn_1996-2000.tar.gz"))
    X, y = protocol("grafiti/ushcn", stations="all").split(panel).test
    assert len(X) == 117
    assert len(y.value) / len(y) == pytest.approx(3.3, abs=0.2)


# ---- hourly means ------------------------------------------------------------------------------------


def lines(panel, i):
    """Events of a stay as lines of a file, descriptors at time 0 left out."""
    one = panel[i]
    names = np.array(panel.channels)[one.channel]
    return [
        (float(t), str(c), float(v))
        for t, c, v in zip(one.time, names, one.value, strict=True)
        if not (t == 0 and c == "Weight")
    ]


def binned_as_in_the_source(rows):
    """Hourly means as the TSDM parser makes them, with what it drops."""
    table, sums, hour = {}, {}, None
    for time, name, value in rows:
        if hour is None or hour == int(time):
            hour = int(time)
            sums.setdefault(name, []).append(value)
        else:
            table[hour] = {name: np.mean(found) for name, found in sums.items()}
            hour, sums = int(time), {}  # this line is lost, and so is what follows the last change of hour
    return table


@pytest.mark.parametrize(
    ("name", "rows"), [("grafiti/physionet2012", 3), ("grafiti/physionet2012", 7), ("pyomnits/physionet2012", 3)]
)
def test_hourly_rows_step_by_step(panels, name, rows):
    """Bins, scale, extremes, split and the next rows, empty ones included, recomputed with plain loops."""
    panel = panels.stays()
    split = protocol(name, rows=rows).split(panel)
    source = {panel.records[i]: table for i in range(len(panel)) if (table := binned_as_in_the_source(lines(panel, i)))}
    ids = list(source)
    if name.startswith("grafiti"):
        seen, test = train_test_split(ids, test_size=0.15, random_state=0)
        train, validation = train_test_split(seen, test_size=0.2, random_state=0)
    else:
        train, validation, test = ids[:48], ids[48:54], ids[54:]
    names = sorted({name for table in source.values() for row in table.values() for name in row})
    every = {c: [row[c] for table in source.values() for row in table.values() if c in row] for c in names}
    last_seen = 36 if name.startswith("grafiti") else 34
    for part, records in zip(PARTS, (train, validation, test), strict=True):
        X, y = getattr(split, part)
        assert X.records.tolist() == records
        assert set(X.channels) == {c for c in names if np.std(every[c]) > 0}
        for i, record in enumerate(records):
            z = {
                (hour, c): (v - np.mean(every[c])) / np.std(every[c])
                for hour, row in source[record].items()
                for c, v in row.items()
                if np.std(every[c]) > 0
            }
            z = {place: v for place, v in z.items() if -5 < v < 5}
            asked = [hour for hour in source[record] if hour > last_seen][:rows]
            found = [
                {(int(t), s.channels[c]): float(v) for t, c, v in zip(s.time, s.channel, s.value, strict=True)}
                for s in (X[i], y[i])
            ]
            assert found[0] == pytest.approx({k: v for k, v in z.items() if k[0] <= last_seen}, abs=1e-4)
            assert found[1] == pytest.approx({k: v for k, v in z.items() if k[0] in asked}, abs=1e-4)


@pytest.mark.parametrize(("observe", "rows", "last"), [(36, 12, 34), (24, 24, 23)])
def test_hours_that_pyomnits_sees(panels, observe, rows, last):
    """The source divides the end of the context by 48 and its times by 47."""
    rules = protocol("pyomnits/physionet2012", observe=observe, rows=rows)
    X, y = rules.split(panels.stays()).train
    assert (X.time.max(), y.time.min()) == (last, last + 1)
    assert f"context the rows up to hour {last} (included)" in rules.describe()


def test_complete_binning_loses_nothing(panels):
    """Every value is in the mean of its hour, the last one included."""
    panel = panels.stays()
    split = protocol("pyomnits/physionet2012", binning="complete").split(panel)
    X, y = split.train
    one, heart = panel[panel.records.get_loc(X.records[0])], panel.channels.index("HR")
    mine = one.channel == heart
    last = np.floor(one.time[mine]).max()
    expected = one.value[mine & (np.floor(one.time) == last)].mean()
    parts = [part for part in (X[0], y[0]) if (part.channel == X.channels.index("HR")).any()]
    part = parts[-1]
    at = np.flatnonzero(part.channel == X.channels.index("HR"))[-1]
    raw = part.value[at] * split.scale[part.channel[at]] + split.offset[part.channel[at]]
    hour = part.time[at]
    in_hour = mine & (np.floor(one.time) == hour)
    assert raw == pytest.approx(one.value[in_hour].mean(), rel=1e-3)
    assert hour <= last
    assert np.isfinite(expected)


def test_constant_channels_and_empty_stays_drop_out(panels):
    """As MechVent, which is always 1, and stays of a single hour."""
    panel = panels.stays()
    constant = np.where(panel.channel == panel.channels.index("HR"), 1.0, panel.value)
    first = panel.offsets[1]
    short = panels.with_value(panel, constant).where((np.arange(panel.n_events) >= first) | (panel.time < 1))
    split = protocol("grafiti/physionet2012").split(short)
    assert "HR" not in split.train[0].channels
    everyone = [record for part in PARTS for record in getattr(split, part)[0].records]
    assert panel.records[0] not in everyone
    assert len(everyone) == len(panel) - 1


def test_set_a_by_the_hour(physionet2012_folder):
    """36 variables, one stay in some hundred without a row, and errors near those of DLinear (.38)."""
    split = protocol("grafiti/physionet2012").split(read_physionet2012(physionet2012_folder / "set-a.tar.gz"))
    sizes = [len(getattr(split, part)[0]) for part in PARTS]
    assert sizes == [2715, 679, 600]
    X, y = split.test
    assert len(X.channels) == 36
    assert "MechVent" not in X.channels
    last = np.zeros((len(X), 36))
    last[X.record, X.channel] = X.value
    assert protocol("grafiti/physionet2012").score(y, last[y.record, y.channel])["mse"] == pytest.approx(
        0.402, abs=0.01
    )
