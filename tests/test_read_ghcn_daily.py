"""GHCN-Daily and the older USHCN-Daily: units, flags and calendar; every value is kept or counted."""

import io
import tarfile
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cndts.datasets import DataWarning, ReadCounts, read_ghcn_daily, read_ushcn_legacy
from cndts.datasets._ghcn_elements import GHCN_ELEMENTS

STATION = "USC00011084"
ABSENT = "-9999   "


def line(element="TMAX", days=None, *, station=STATION, year=1996, month=1):
    """A line with the given groups (8 characters) by day of the month."""
    groups = [(days or {}).get(day, ABSENT) for day in range(1, 32)]
    assert all(len(group) == 8 for group in groups)
    return f"{station}{year:04d}{month:02d}{element}{''.join(groups)}"


def one(value, flags="  0"):
    return f"{value:>5}{flags}"


def write(folder, *lines, name=f"{STATION}.dly", ending="\n"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes("".join(each + ending for each in lines).encode("latin-1"))
    return folder / name


def read(path, **options):
    return read_ghcn_daily(path, return_report=True, **options)


def read_quietly(path, reader=read_ghcn_daily, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return reader(path, return_report=True, **options)


def events(panel):
    frame = panel.to_long()
    return [(row.record, str(row.time.date()), row.channel, round(float(row.value), 4)) for row in frame.itertuples()]


def assert_balanced(panel, report):
    assert report.n_kept == panel.n_events
    assert report.n_found == report.n_kept + report.n_merged + report.n_left_out


# ---- values --------------------------------------------------------------------------------------


def test_a_file_becomes_a_record(tmp_path):
    path = write(
        tmp_path, line("TMIN", {2: one(-17), 3: one(250)}), line("PRCP", {2: one(3), 31: one(0)}), line("SNOW", {})
    )
    panel, report = read(path)

    assert events(panel) == [
        (STATION, "1996-01-02", "PRCP", 0.3),
        (STATION, "1996-01-02", "TMIN", -1.7),
        (STATION, "1996-01-03", "TMIN", 25.0),
        (STATION, "1996-01-31", "PRCP", 0.0),
    ]
    assert panel.channels == ("PRCP", "SNOW", "SNWD", "TMAX", "TMIN")
    assert panel.units == {"PRCP": "mm", "SNOW": "mm", "SNWD": "mm", "TMAX": "°C", "TMIN": "°C"}
    assert panel.time.tolist() == [1, 1, 2, 30]
    assert (panel.time_unit, panel.origin) == ("D", pd.Timestamp("1996-01-01"))
    assert panel.static.loc[STATION].to_dict() == {"Country": "US", "Network": "C"}
    assert report == ReadCounts("values", (str(path),), 1, 1, 4, 4)


@pytest.mark.parametrize(
    ("element", "stored", "value", "unit"),
    [
        ("TOBS", -11, -1.1, "°C"),
        ("SNWD", 25, 25.0, "mm"),
        ("AWND", 34, 3.4, "m/s"),
        ("WDF5", 270, 270.0, "°"),
        ("PSUN", 55, 55.0, "%"),
        ("WDMV", 120, 120.0, "km"),
        ("TSUN", 600, 600.0, "min"),
        ("FMTM", 1345, 13.75, "h"),
        ("PGTM", 5, 5 / 60, "h"),
        ("WT16", 1, 1.0, "0/1"),
        ("SX52", 121, 12.1, "°C"),
        ("WESD", 1234, 123.4, "mm"),
        ("MDPR", 99999, 9999.9, "mm"),
    ],
)
def test_units(tmp_path, element, stored, value, unit):
    panel, _ = read(write(tmp_path, line(element, {1: one(stored)})))

    assert panel.value[0] == np.float32(value)
    assert panel.units[element] == unit
    assert panel.channels[panel.channel[0]] == element


def test_every_element_of_the_readme_is_known():
    assert {"PRCP", "ACMC", "DWPR", "GAHT", "MDSF", "SN01", "SX87", "WT22", "WV20", "WSFM"} <= set(GHCN_ELEMENTS)


@pytest.mark.parametrize("policy", ["drop", "keep"])
def test_failed_checks(tmp_path, policy):
    path = write(tmp_path, line("TMAX", {1: one(10), 2: one(20, " I0"), 3: one(30, " S0"), 4: one(40, " I0")}))
    panel, report = read(path, failed_checks=policy)
    counts = {"a failed quality check (I)": 2, "a failed quality check (S)": 1}

    assert panel.value.tolist() == ([1.0] if policy == "drop" else [1.0, 2.0, 3.0, 4.0])
    assert report.documented == (counts if policy == "drop" else {})
    assert report.noticed == (counts if policy == "keep" else {})
    assert_balanced(panel, report)


@pytest.mark.parametrize("policy", ["keep", "drop"])
def test_traces_and_presumed_zeros(tmp_path, policy):
    path = write(tmp_path, line("PRCP", {1: one(0, "T 0"), 2: one(0, "P 0"), 3: one(5)}))
    panel, report = read(path, traces=policy)

    assert len(panel.value) == (3 if policy == "keep" else 2)
    assert report.noticed["missing presumed zero"] == 1
    assert (report.noticed if policy == "keep" else report.documented)["a trace"] == 1
    assert_balanced(panel, report)


@pytest.mark.parametrize(("year", "last"), [(1996, 29), (1900, 28), (2000, 29), (1999, 28)])
def test_days_that_a_month_does_not_have(tmp_path, year, last):
    path = write(tmp_path, line("SNOW", {day: one(day) for day in range(27, 32)}, year=year, month=2))
    with pytest.warns(
        DataWarning, match=rf"{31 - last} of 5 values are left out .* GHCN-Daily .* a day that the month"
    ):
        panel, report = read(path)

    assert panel.value.tolist() == list(range(27, last + 1))
    assert report.unforeseen == {"a day that the month does not have": 31 - last}
    assert_balanced(panel, report)


def test_years_before_nanoseconds_reach(tmp_path):
    panel, _ = read(write(tmp_path, line(days={1: one(1)}, year=1600), line(days={1: one(2)}, year=2024)))

    assert panel.origin == pd.Timestamp("1600-01-01")
    assert panel.to_long()["time"].dt.year.tolist() == [1600, 2024]


def test_elements_and_years_can_be_chosen(tmp_path):
    lines = [line(name, {1: one(1)}, year=year) for name in ("TMAX", "PRCP", "TOBS") for year in (1995, 1996)]
    panel, report = read(write(tmp_path, *lines), elements=["TOBS", "TMAX"], years=(1996, 1999))

    assert panel.channels == ("TOBS", "TMAX")
    assert events(panel) == [(STATION, "1996-01-01", "TOBS", 0.1), (STATION, "1996-01-01", "TMAX", 0.1)]
    assert report.documented == {"an element or year that was not asked for": 4}
    assert_balanced(panel, report)


def test_other_elements_follow_the_core_in_alphabetical_order(tmp_path):
    panel, _ = read(write(tmp_path, *[line(name, {1: one(1)}) for name in ("WT01", "TOBS", "PRCP")]))

    assert panel.channels == ("PRCP", "SNOW", "SNWD", "TMAX", "TMIN", "TOBS", "WT01")
    assert [panel.channels[code] for code in panel.channel] == ["PRCP", "TOBS", "WT01"]


# ---- files ---------------------------------------------------------------------------------------


def test_stations_from_folders_archives_and_lists_agree(tmp_path):
    folder = tmp_path / "hcn"
    for number, station in enumerate(["USW00014742", STATION, "CA1ON000001"]):
        write(folder / "deep", line("SNOW", {1: one(number)}, station=station), name=f"{station}.dly")
    (folder / "readme.txt").write_text("no data")
    (folder / "deep" / f"._{STATION}.dly").write_text("rubbish of another system")
    with tarfile.open(tmp_path / "hcn.tar.gz", "w:gz") as archive:
        archive.add(folder, "hcn")
    panel, report = read(folder)

    assert panel.records.tolist() == ["CA1ON000001", STATION, "USW00014742"]
    assert panel.value.tolist() == [2, 1, 0]
    assert set(report.other_files) == {"readme.txt", f"deep/._{STATION}.dly"}
    assert read(tmp_path / "hcn.tar.gz")[0].equals(panel)
    assert read(sorted((folder / "deep").glob("[!.]*.dly")))[0].equals(panel)


def test_several_stations_in_a_file_and_files_of_one_station(tmp_path):
    write(tmp_path, line(days={1: one(1)}), line(days={1: one(2)}, station="USC00011085"), name="a.dly")
    write(tmp_path, line(days={1: one(3)}, month=2), name="b.dly")
    panel, _ = read(tmp_path)

    assert panel.counts.tolist() == [2, 1]
    assert panel.value.tolist() == [np.float32(0.1), np.float32(0.3), np.float32(0.2)]


def test_the_first_of_several_values_of_a_day_counts(tmp_path):
    path = write(tmp_path, line(days={1: one(1), 2: one(2)}), line(days={2: one(3), 3: one(4)}))
    panel, report = read_quietly(path)

    assert panel.value.tolist() == [np.float32(value) for value in (0.1, 0.2, 0.4)]
    assert report.unforeseen == {"a station, day and element given before": 1}
    assert_balanced(panel, report)


def test_a_station_without_values_stays(tmp_path):
    panel, report = read(write(tmp_path, line(days={1: one(1, " X0")}), line(days={}, station="USC00000001")))

    assert panel.counts.tolist() == [0, 0]
    assert report.empty_records == ("USC00000001", STATION)
    assert len(read(write(tmp_path, name="empty.dly"))[0]) == 0


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["\n", "\r", "\r\n"])
def test_coordinates_come_from_the_table_of_stations(tmp_path, mark, ending):
    table = tmp_path / "ghcnd-stations.txt"
    table.write_text(
        f"{mark}{STATION}  31.0581  -87.0547   25.9 AL BREWTON 3 SSE                      HCN\n"
        "USW00014742  44.4683  -73.1499 -999.9 VT BURLINGTON\n",
        encoding="utf-8",
        newline=ending,
    )
    lines = [line(days={1: one(1)}, station=name) for name in (STATION, "USW00014742", "USC00099999")]
    panel, _ = read(write(tmp_path, *lines), stations=table)

    assert panel.static.loc[STATION, ["Latitude", "Longitude", "Elevation"]].tolist() == [31.0581, -87.0547, 25.9]
    assert np.isnan(panel.static.loc["USW00014742", "Elevation"])
    assert panel.static.loc["USC00099999", ["Latitude", "Elevation"]].isna().all()
    with pytest.raises(ValueError, match=r"is no table of stations: wanted ghcnd-stations.txt"):
        read(write(tmp_path, *lines), stations=tmp_path / f"{STATION}.dly")


# ---- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "reason", "n"),
    [
        (line(days={1: one("1-2")}), "an unreadable number", 1),
        (line(days={1: one("")}), "an unreadable number", 1),
        (line(days={1: one("- 5")}), "an unreadable number", 1),
        (line(days={1: one("1 5")}), "an unreadable number", 1),
        (line(days={1: one("--5"), 2: one("1.5"), 3: one("\xb2")}), "an unreadable number", 3),
        (line("FMTM", {1: one(1260), 2: one(2401), 3: one(-5)}), "a time of day that is not HHMM", 3),
        (line(days={1: one(1)})[:-20], "a line of another length", 1),
        (line(days={1: one(1)}) + "x", "a line of another length", 1),
        (line("QQQQ", {1: one(1)}), "the unknown element 'QQQQ'", 1),
        (line("tmax", {1: one(1)}), "a line without a readable station, year, month or element", 1),
        (line(station="USC 0011084"), "a line without a readable station, year, month or element", 1),
        (line(month=13), "a line without a readable station, year, month or element", 1),
        (line(year=0), "a line without a readable station, year, month or element", 1),
        (line().replace("199601", "-99601"), "a line without a readable station, year, month or element", 1),
    ],
)
def test_unusable_entries_are_left_out_and_counted(tmp_path, bad, reason, n):
    panel, report = read_quietly(write(tmp_path, line("PRCP", {5: one(7)}), bad))

    assert events(panel) == [(STATION, "1996-01-05", "PRCP", 0.7)]
    assert report.unforeseen == {reason: n}
    assert report.n_found == 1 + n
    assert_balanced(panel, report)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "   \n", "\n\n"])
def test_line_ends_and_cut_blanks(tmp_path, ending):
    lines = [line(days={1: one(1), 31: one(2, "   ")}), line("PRCP", {1: one(3)})]
    panel, report = read(write(tmp_path, *[each.rstrip() for each in lines], ending=ending))

    assert panel.value.tolist() == [np.float32(value) for value in (0.3, 0.1, 0.2)]
    assert report.n_left_out == 0


def test_wrong_sources_and_options_are_named(tmp_path):
    path = write(tmp_path, line(days={1: one(1)}))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("x")
    cases = [
        ((tmp_path / "other",), {}, "holds no data of the kind wanted: wanted files named .dly, got 'notes.txt'"),
        ((tmp_path / "other" / "notes.txt",), {}, "neither a folder nor a tar or zip archive"),
        (([],), {}, "got an empty list for path"),
        ((path,), {"failed_checks": "maybe"}, "failed_checks must be one of 'drop', 'keep'; got 'maybe'"),
        ((path,), {"traces": 0}, "traces must be one of 'keep', 'drop'|traces must be one of 'drop', 'keep'; got 0"),
        ((path,), {"elements": ["TMAX", "Foo"]}, r"elements must be some of PRCP, .*; got \['TMAX', 'Foo'\]"),
        ((path,), {"elements": []}, "elements must be some of"),
        ((path,), {"years": (2000, 1996)}, "years must not fall: got 2000 to 1996"),
        ((path,), {"years": 1996}, "years must be the first and the last year"),
    ]
    for given_args, options, message in cases:
        with pytest.raises(ValueError, match=message):
            read_ghcn_daily(*given_args, **options)
    with pytest.raises(FileNotFoundError, match="there is no file or folder"):
        read_ghcn_daily(tmp_path / "nowhere")
    with pytest.raises(TypeError, match="path must be a path or a list of paths; got 7"):
        read_ghcn_daily(7)


@settings(max_examples=80)
@given(st.data())
def test_damaged_bytes_give_a_balanced_panel(tmp_path_factory, data):
    days = st.dictionaries(st.integers(1, 31), st.integers(-999, 9999).map(one))
    lines = data.draw(
        st.lists(st.builds(line, st.sampled_from(["TMAX", "PRCP", "WT01"]), days), min_size=1, max_size=4)
    )
    content = bytearray("\n".join(lines).encode())
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("dly")
    (folder / "x.dly").write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    panel, report = read_quietly(folder)

    assert_balanced(panel, report)


def test_damaged_archives_give_a_value_error(tmp_path):
    write(tmp_path / "in", line(days={1: one(1)}))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(tmp_path / "in", "in")
    (tmp_path / "cut.tar.gz").write_bytes(packed.getvalue()[:-30])
    with pytest.raises(ValueError, match=r"cut.tar.gz is damaged or cut short"):
        read_ghcn_daily(tmp_path / "cut.tar.gz")
    with tarfile.open(tmp_path / "climb.tar", "w") as archive:
        archive.add(tmp_path / "in", "../in")
    with pytest.raises(ValueError, match="points outside the archive"):
        read_ghcn_daily(tmp_path / "climb.tar")


def test_text_larger_than_a_batch_is_cut_at_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr("cndts.datasets._station_days._BATCH_BYTES", 1000)
    lines = [line(days={day: one(year) for day in range(1, 32)}, year=year) for year in range(1900, 1960)]
    panel, report = read(write(tmp_path, *lines))

    assert panel.n_events == 60 * 31
    assert report.n_left_out == 0
    np.testing.assert_array_equal(panel.value, np.repeat(np.arange(1900, 1960) / 10, 31).astype(np.float32))


# ---- the older files -----------------------------------------------------------------------------


LEGACY = {"PRCP": (84, 21.336, 0.84), "SNOW": (15, 38.1, 1.5), "SNWD": (3, 76.2, 3.0), "TMAX": (-40, -40.0, -40.0)}


@pytest.mark.parametrize(("units", "position"), [("metric", 1), ("us", 2)])
def test_legacy_units(tmp_path, units, position):
    lines = [line(name, {1: one(row[0])}, station="370896") for name, row in LEGACY.items()]
    panel, _ = read_quietly(write(tmp_path, *lines, name="state37_RI.txt"), read_ushcn_legacy, units=units)

    np.testing.assert_allclose(panel.value, [row[position] for row in LEGACY.values()], rtol=1e-6)
    assert panel.units["PRCP"] == {"metric": "mm", "us": "in"}[units]
    assert panel.static.loc["370896"].to_dict() == {"State": "37"}


def test_legacy_files_are_known_by_their_content(tmp_path):
    write(tmp_path, line(days={1: one(50)}, station="370896"), name="state37_RI.txt")
    write(tmp_path, "a readme " * 40, name="readme.txt")
    panel, report = read_quietly(tmp_path, read_ushcn_legacy)

    assert panel.value.tolist() == [10.0]
    assert report.other_files == ("readme.txt",)
    with pytest.raises(ValueError, match=r"wanted state files of USHCN-Daily \(.txt\)"):
        read_ushcn_legacy(write(tmp_path / "other", line(), name="ghcn.txt"))
    with pytest.raises(ValueError, match="units must be one of 'metric', 'us'; got 'si'"):
        read_ushcn_legacy(tmp_path, units="si")


# ---- the published files -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hcn(published):
    start = time.process_time()
    panel, report = read_ghcn_daily(
        published("ushcn/ghcnd_hcn_1996-2000.tar.gz"), failed_checks="keep", return_report=True
    )
    return panel, report, time.process_time() - start


def test_the_network_has_the_published_counts(hcn):
    panel, report, seconds = hcn
    counts = dict(zip(panel.channels, np.bincount(panel.channel), strict=True))
    failed = {name: count for name, count in report.noticed.items() if name.startswith("a failed")}

    assert len(panel) == 1193
    assert report.n_found == panel.n_events == 10_060_488
    assert counts == {"PRCP": 2_048_204, "TMAX": 2_044_741, "TMIN": 2_043_613, "SNOW": 2_011_354, "SNWD": 1_912_576}
    assert (sum(failed.values()), failed["a failed quality check (I)"]) == (69_280, 62_812)
    assert report.noticed["a trace"] == 188_219
    assert report.n_left_out == 0
    assert panel.origin == pd.Timestamp("1996-01-01")
    assert panel.time.max() == 1826  # 31 December 2000
    assert seconds < 20


def test_the_network_agrees_with_a_plain_reading(hcn, published):
    """Every two hundredth station, line by line."""
    panel, _, _ = hcn
    with tarfile.open(published("ushcn/ghcnd_hcn_1996-2000.tar.gz")) as archive:
        for position, member in enumerate(archive):
            if position % 200 == 0:
                record = panel[[int(panel.records.get_loc(member.name[-15:-4]))]].to_long()
                got = {(row.time.date(), row.channel): np.float32(row.value) for row in record.itertuples()}
                assert got == _plain(archive.extractfile(member).read().decode())


def _plain(text):
    values = {}
    for row in text.splitlines():
        for day in range(31):
            stored = int(row[21 + 8 * day : 26 + 8 * day])
            if stored != -9999:
                date = pd.Timestamp(int(row[11:15]), int(row[15:17]), day + 1).date()
                scale = 1.0 if row[17:21] in ("SNOW", "SNWD") else 0.1
                values[date, row[17:21]] = np.float32(stored * scale)
    return values


def test_complete_files_hold_every_element(published):
    panel, report = read_quietly(published("ushcn/ghcnd_hcn_full_sample.tar.gz"))

    assert len(panel) == 5
    assert panel.origin.year == 1891 and panel.to_long()["time"].max().year == 2018
    assert len(panel.channels) == 60
    assert report.unforeseen == {"a time of day that is not HHMM": 4}
    assert_balanced(panel, report)


def test_the_state_file_has_the_published_counts(published):
    panel, report = read_ushcn_legacy(
        published("ushcn/ushcn_legacy_state37_RI.tar.gz"), failed_checks="keep", return_report=True
    )

    assert panel.records.tolist() == ["370896", "374266", "376698"]
    assert report.n_found == panel.n_events == 383_284
    assert panel.origin.year == 1893 and panel.to_long()["time"].max().year == 2014
    # rain in mm, temperatures in °C
    mean = {name: panel.value[panel.channel == code].mean() for code, name in enumerate(panel.channels)}
    assert 2 < mean["PRCP"] < 6 and 0 < mean["TMIN"] < mean["TMAX"] < 20
