"""PhysioNet 2012: every row is kept, merged or counted; no content of a file makes the reader fail."""

import io
import logging
import tarfile
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cndts.datasets import DataWarning, ReadReport, read_physionet2012
from cndts.datasets._physionet2012_format import CHANNELS, UNITS

HEADER = "Time,Parameter,Value"


def descriptors(record, age="54", gender="0", height="-1", icu="4", weight="-1"):
    pairs = [("RecordID", record), ("Age", age), ("Gender", gender), ("Height", height), ("ICUType", icu)]
    return [f"00:00,{name},{value}" for name, value in [*pairs, ("Weight", weight)]]


def record(number, *rows, **given):
    return "\n".join([HEADER, *descriptors(number, **given), *rows, ""]).encode()


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def read(path, *args, **options):
    return read_physionet2012(path, *args, cache=False, return_report=True, **options)


def read_quietly(path, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return read(path, *args, **options)


def read_one(tmp_path, *rows, **given):
    write(tmp_path, {"132539.txt": record(132539, *rows, **given)})
    return read_quietly(tmp_path)


def events(panel):
    """Events as plain tuples (record, minute, channel, value)."""
    minutes = np.rint(panel.time * 60).astype(int)
    return [
        (int(panel.records[i]), int(m), panel.channels[c], round(float(v), 4))
        for i, m, c, v in zip(panel.record, minutes, panel.channel, panel.value, strict=True)
    ]


def assert_balanced(panel, report):
    assert report.n_observations == panel.n_events
    assert report.n_records == len(panel)
    assert report.n_rows == report.n_observations + report.n_merged + report.n_descriptors + report.n_left_out


# ---- what is read --------------------------------------------------------------------------------


def test_minutes_channels_units_and_statics(tmp_path):
    panel, report = read_one(tmp_path, "00:07,HR,73", "01:30,Temp,35.1", "48:00,pH,7.25", height="170.2", weight="81")

    assert events(panel) == [
        (132539, 0, "Weight", 81.0),
        (132539, 7, "HR", 73.0),
        (132539, 90, "Temp", 35.1),
        (132539, 2880, "pH", 7.25),
    ]
    assert panel.time.tolist() == [0.0, 7 / 60, 1.5, 48.0]
    assert panel.time_unit == "h"
    assert len(panel.channels) == 37
    assert panel.channels[:4] == ("Weight", "Albumin", "ALP", "ALT")
    assert panel.channels[-3:] == ("TroponinT", "Urine", "WBC")
    assert panel.units["HR"] == "1/min"
    assert set(panel.units) == set(panel.channels)
    assert panel.static.loc[132539].to_dict() == {"Age": 54, "Gender": 0, "Height": 170.2, "ICUType": 4, "Weight": 81}
    assert_balanced(panel, report)
    assert report.n_left_out == 0


def test_the_documented_channels_and_units_are_those_of_the_panel():
    text = " ".join(read_physionet2012.__doc__.split())
    listed = text.partition("*Channels.* ")[2].partition(". NI marks")[0]
    groups = [group.strip(", ").split(" (") for group in listed.split(")") if group]
    assert {name: unit for names, unit in groups for name in names.split(", ")} == UNITS


def test_unknown_descriptors_are_nan_and_can_be_had_as_published(tmp_path):
    """What -1 was comes back exactly by filling with -1, as the 41-variable protocols need it."""
    write(tmp_path, {"1.txt": record(1, "00:00,HR,80", gender="-1")})
    panel, report = read(tmp_path)
    coded, _ = read(tmp_path, missing_codes="keep")

    assert np.isnan(panel.static.loc[1, ["Gender", "Height", "Weight"]].astype(float)).all()
    assert report.unknown_descriptors == {"Gender": 1, "Height": 1, "Weight": 1}
    assert report.missing_codes == {"Weight": 1}
    assert coded.static.equals(panel.static.fillna(-1))
    assert events(coded) == [(1, 0, "Weight", -1.0), (1, 0, "HR", 80.0)]
    assert events(panel) == [(1, 0, "HR", 80.0)]


@pytest.mark.parametrize("kind", ["folder", "tar", "tar.gz", "tgz", "zip"])
def test_every_packing_gives_the_same_panel(tmp_path, kind):
    files = {f"set-a/{i}.txt": record(i, f"00:{i:02d},HR,{60 + i}", weight=str(i)) for i in (7, 3, 12)}
    panel, _ = read(_packed(tmp_path, files, kind))

    assert panel.records.tolist() == [3, 7, 12]
    assert events(panel)[1] == (3, 3, "HR", 63.0)
    assert panel.static["Weight"].tolist() == [3, 7, 12]


def _packed(tmp_path, files, kind):
    path = tmp_path / f"set.{kind}"
    if kind == "folder":
        return write(path, files)
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w" if kind == "tar" else "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_sets_follow_each_other_in_the_order_given(tmp_path):
    first = write(tmp_path / "b", {"20.txt": record(20, "00:01,HR,2"), "10.txt": record(10)})
    second = write(tmp_path / "a", {"5.txt": record(5, "00:01,HR,1")})
    panel, report = read([first, second])

    assert panel.records.tolist() == [10, 20, 5]
    assert events(panel) == [(20, 1, "HR", 2.0), (5, 1, "HR", 1.0)]
    assert report.empty_records == (10,)
    assert report.n_files == 3
    assert_balanced(panel, report)


@pytest.mark.parametrize(
    ("policy", "values"),
    [("mean", [74.0, 5.0]), ("first", [73.0, 5.0]), ("last", [77.0, 5.0]), ("keep", [73.0, 72.0, 77.0, 5.0])],
)
def test_repeated_rows(tmp_path, policy, values):
    """Also when the repeated rows are not next to each other."""
    rows = ["00:07,HR,73", "00:07,HR,72", "00:07,Urine,5", "00:07,HR,77"]
    write(tmp_path, {"1.txt": record(1, *rows)})
    panel, report = read(tmp_path, duplicates=policy)

    assert panel.value.tolist() == values
    assert report.repeated == {"HR": 2}
    assert_balanced(panel, report)


def test_repeated_rows_can_be_refused(tmp_path):
    write(tmp_path, {"1.txt": record(1, "01:07,HR,73", "01:07,HR,77")})

    with pytest.raises(ValueError, match=r"record 1 has more than one HR at 01:07 \(73 and 77; 1 such rows\); choose"):
        read(tmp_path, duplicates="error")


def test_rows_out_of_order_are_sorted(tmp_path):
    panel, _ = read_one(tmp_path, "05:00,HR,5", "02:00,HR,2", "02:00,Temp,37", "00:30,WBC,1")

    assert [event[1:3] for event in events(panel)] == [(30, "WBC"), (120, "HR"), (120, "Temp"), (300, "HR")]


# ---- traps -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "field", "count"),
    [
        ("07:00,,3", "empty_names", 1),
        ("07:00,  ,3", "empty_names", 1),
        ("07:00,Foo,3", "unknown_names", {"Foo": 1}),
        ("07:00,hr,3", "unknown_names", {"hr": 1}),
        ("07:00," + "X" * 90000 + ",3", "unknown_names", {"X" * 40: 1}),
        ("07:00,HR,", "empty_values", 1),
        ("07:00,HR,NaN", "empty_values", 1),
        ("07:00,HR,abc", "malformed_values", 1),
        ("07:00,HR,inf", "malformed_values", 1),
        ("07:00,HR,1e39", "malformed_values", 1),
        ("07:00,HR,1_0", "malformed_values", 1),
        ("07:00,HR,٣", "malformed_values", 1),
        ("07:00,HR," + "9" * 90000, "malformed_values", 1),
        ("7h,HR,3", "malformed_times", 1),
        ("07:60,HR,3", "malformed_times", 1),
        ("-1:00,HR,3", "malformed_times", 1),
        (",HR,3", "malformed_times", 1),
        ("99999:00,HR,3", "malformed_times", 1),
        ("07:00,HR", "malformed_rows", 1),
        ("07:00,HR,3,4", "malformed_rows", 1),
        ("07:00;HR;3", "malformed_rows", 1),
        ("07:00,HR\0,3", "unknown_names", {"HR?": 1}),
        ("07:00,Age,55", "repeated_descriptors", 1),
        ("07:00,HR,-1", "missing_codes", {"Weight": 1, "HR": 1}),
        ("07:00,HR,-1.0", "missing_codes", {"Weight": 1, "HR": 1}),
    ],
)
def test_unusable_rows_are_left_out_and_counted(tmp_path, row, field, count):
    panel, report = read_one(tmp_path, "06:00,HR,61", row, "08:00,HR,62")

    assert events(panel) == [(132539, 360, "HR", 61.0), (132539, 480, "HR", 62.0)]
    assert getattr(report, field) == count
    assert report.n_left_out == 2  # with Weight -1 among the descriptors
    assert panel.static.loc[132539, "Age"] == 54
    assert_balanced(panel, report)


@pytest.mark.parametrize(
    "row", ["49:30,HR,62", " 49:30 , HR , 62 ", '"49:30","HR","62"', "49:30,HR,6.2e1", "49:30,HR,+62."]
)
def test_unusual_but_clear_rows_are_read(tmp_path, row):
    panel, report = read_one(tmp_path, row)

    assert events(panel) == [(132539, 49 * 60 + 30, "HR", 62.0)]
    assert report.late_rows == 1


def test_implausible_values_stay(tmp_path):
    panel, _ = read_one(tmp_path, "00:01,Temp,-17.8", "00:02,pH,735", "00:03,HR,0")

    np.testing.assert_allclose(panel.value, [-17.8, 735, 0], rtol=1e-6)


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n\n", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks(tmp_path, ending, mark):
    text = mark + ending.join([HEADER, *descriptors(9), "00:07,HR,73"])
    panel, report = read(write(tmp_path, {"9.txt": text.encode()}))

    assert events(panel) == [(9, 7, "HR", 73.0)]
    assert report.n_rows == 7
    assert report.headless_files == 0


def test_records_without_header_descriptors_or_rows(tmp_path):
    """The id then comes from the file name, and all of them stay records."""
    files = {"1.txt": b"00:07,HR,73\n", "2.txt": b"", "3.txt": HEADER.encode(), "4.txt": record(4)}
    panel, report = read(write(tmp_path, files))

    assert panel.records.tolist() == [1, 2, 3, 4]
    assert report.empty_records == (2, 3, 4)
    assert report.ids_from_names == 3
    assert report.headless_files == 2
    assert report.absent_descriptors == dict.fromkeys(("Age", "Gender", "Height", "ICUType", "Weight"), 3)
    assert panel.static.isna().all(axis=1).tolist() == [True, True, True, False]


def test_the_id_inside_counts_before_the_file_name(tmp_path):
    panel, report = read(write(tmp_path, {"1.txt": record(77, "00:07,HR,73"), "named.txt": record(5)}))

    assert panel.records.tolist() == [5, 77]
    assert report.conflicting_names == ("1.txt",)


def test_files_without_any_id_are_left_out_with_a_warning(tmp_path):
    write(tmp_path, {"x.txt": f"{HEADER}\n00:07,HR,73\n".encode(), "1.txt": record(1, "00:07,HR,74")})

    with pytest.warns(DataWarning, match=r"1 of 8 rows are left out .*files without a record id: x.txt"):
        panel, report = read(tmp_path)
    assert panel.value.tolist() == [74.0]
    assert report.unidentified_rows == 1
    assert_balanced(panel, report)


def test_a_record_met_twice_counts_once(tmp_path):
    """In one set and across sets; the first one stays."""
    one = write(tmp_path / "one", {"1.txt": record(1, "00:07,HR,1"), "copy/1.txt": record(1, "00:07,HR,2")})
    two = write(tmp_path / "two", {"1.txt": record(1, "00:07,HR,3"), "2.txt": record(2, "00:07,HR,4")})

    with pytest.warns(DataWarning, match="second files of the records 1, 1"):
        panel, report = read([one, two])
    assert events(panel) == [(1, 7, "HR", 1.0), (2, 7, "HR", 4.0)]
    assert report.repeated_records == (1, 1)
    assert_balanced(panel, report)


def test_other_files_are_listed(tmp_path):
    others = {
        "._1.txt": b"\0\5\x16\7 Mac OS X",
        ".DS_Store": b"Bud1",
        "index.html": b"<html>",
        "Outcomes-a.txt": b"RecordID,SAPS-I\n1,5\n",
        "__MACOSX/set/1.txt": record(1, "00:07,HR,99"),
        "README.txt": b"",
    }
    panel, report = read(write(tmp_path, {**others, "set/deep/1.txt": record(1, "00:07,HR,73")}))

    assert events(panel) == [(1, 7, "HR", 73.0)]
    assert set(report.other_files) == set(others)


def test_one_warning_tells_all_kinds(tmp_path):
    write(tmp_path, {"1.txt": record(1, "01:00,,1", "01:00,,2", "01:00,Foo,3", "01:00,HR,x")})

    with pytest.warns(DataWarning) as caught:
        read(tmp_path)
    assert len(caught) == 1
    text = str(caught[0].message)
    assert "4 of 10 rows are left out" in text
    assert "2 with an empty parameter name, 1 with an unknown parameter ('Foo')" in text
    assert caught[0].filename == __file__


def test_documented_missing_codes_do_not_warn(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(write(tmp_path, {"1.txt": record(1, "01:00,HR,-1")}))


def test_the_report_is_logged_and_adds_up(tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="cndts.datasets"):
        _, report = read_one(tmp_path, "01:00,HR,-1", "01:00,Foo,3")

    assert "1 records (1 without observations) from 1 files" in caplog.text
    assert "unknown_names: {'Foo': 1}" in str(report)
    both = ReadReport.combine([report, report])
    assert both.n_left_out == 2 * report.n_left_out
    assert both.unknown_names == {"Foo": 2}


# ---- wrong arguments -------------------------------------------------------------------------------


def test_wrong_sources_are_named(tmp_path):
    write(tmp_path / "empty", {"readme.txt": b"nothing here", "a.csv": b"1,2", "b.txt": b"", "c.txt": b""})
    write(tmp_path / "packed", {"set-a.tar.gz": b"..."})
    (tmp_path / "bare").mkdir()

    with pytest.raises(FileNotFoundError, match="no file or folder '.*gone'"):
        read(tmp_path / "gone")
    with pytest.raises(ValueError, match="no record of PhysioNet 2012: wanted text files .* and 1 more file;"):
        read(tmp_path / "empty")
    with pytest.raises(ValueError, match="got 'set-a.tar.gz'; archives inside are not opened, pass them directly"):
        read(tmp_path / "packed")
    with pytest.raises(ValueError, match="got no files"):
        read(tmp_path / "bare")
    with pytest.raises(FileNotFoundError, match="there is no file .*gone.txt' to read as an outcomes file"):
        read(write(tmp_path / "set", {"1.txt": record(1)}), tmp_path / "gone.txt")
    with pytest.raises(ValueError, match="empty list for path"):
        read([])
    with pytest.raises(TypeError, match="path must be a path or a list of paths; got 3"):
        read(3)


def test_wrong_options_are_named(tmp_path):
    with pytest.raises(ValueError, match="duplicates must be one of 'mean', .*; got 'median'"):
        read(tmp_path, duplicates="median")
    with pytest.raises(ValueError, match="missing_codes must be one of 'drop', 'keep'; got None"):
        read(tmp_path, missing_codes=None)


# ---- cache ---------------------------------------------------------------------------------------


def cached(path, folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return read_physionet2012(path, cache=folder, return_report=True, **options)


def test_the_cache_gives_the_same_panel_and_report(tmp_path):
    source = write(
        tmp_path / "set", {"1.txt": record(1, "00:07,HR,73", "00:07,HR,74", "01:00,Foo,1"), "2.txt": record(2)}
    )
    first, cold = cached(source, tmp_path / "cache")
    second, warm = cached(source, tmp_path / "cache")

    assert (cold.from_cache, warm.from_cache) == (False, True)
    assert events(second) == events(first)
    assert second.static.equals(first.static)
    assert {**vars(warm), "from_cache": False} == vars(cold)
    with pytest.warns(DataWarning, match="Foo"):
        read_physionet2012(source, cache=tmp_path / "cache")


def test_changed_sources_and_options_are_read_again(tmp_path):
    source = write(tmp_path / "set", {"1.txt": record(1, "00:07,HR,73", "00:07,HR,75")})
    cached(source, tmp_path / "cache")

    assert cached(source, tmp_path / "cache", duplicates="last")[0].value.tolist() == [75.0]
    write(source, {"1.txt": record(1, "00:07,HR,83", "00:07,HR,85")})
    assert cached(source, tmp_path / "cache")[0].value.tolist() == [84.0]


def test_a_damaged_or_deleted_cache_is_rewritten(tmp_path):
    source = write(tmp_path / "set", {"1.txt": record(1, "00:07,HR,73")})
    cached(source, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    content = bytearray(file.read_bytes())
    middle = slice(len(content) // 3, 2 * len(content) // 3)  # a single byte may be padding, which nothing is read from
    content[middle] = bytes(byte ^ 255 for byte in content[middle])
    for damage in (lambda: file.write_bytes(content), file.unlink):
        damage()
        panel, report = cached(source, tmp_path / "cache")
        assert not report.from_cache
        assert panel.value.tolist() == [73.0]
        assert cached(source, tmp_path / "cache")[1].from_cache


def test_the_default_cache_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("CNDTS_CACHE", str(tmp_path / "cache"))
    read_physionet2012(write(tmp_path / "set", {"1.txt": record(1)}))

    assert len(list((tmp_path / "cache").iterdir())) == 1


# ---- any content -----------------------------------------------------------------------------------

TIMES = st.one_of(st.from_regex(r"[0-4][0-9]:[0-5][0-9]", fullmatch=True), st.text(max_size=6))
NAMES = st.one_of(st.sampled_from([*CHANNELS, "RecordID", "Age", "Gender", ""]), st.text(max_size=12))
VALUES = st.one_of(st.integers(-2, 300).map(str), st.floats().map(repr), st.text(max_size=9))
ROWS = st.one_of(st.tuples(TIMES, NAMES, VALUES).map(",".join), st.text(max_size=30))


@settings(max_examples=60)
@given(
    st.lists(st.lists(ROWS, max_size=15), min_size=1, max_size=4), st.sampled_from(["mean", "first", "last", "keep"])
)
def test_any_rows_give_a_balanced_report(tmp_path_factory, files, duplicates):
    folder = tmp_path_factory.mktemp("rows")
    for number, rows in enumerate(files):
        text = "\n".join([HEADER, *rows])
        (folder / f"{number}.txt").write_bytes(text.encode(errors="surrogatepass"))
    panel, report = read_quietly(folder, duplicates=duplicates)

    assert_balanced(panel, report)


@given(st.data())
def test_damaged_bytes_give_a_panel_or_a_value_error(tmp_path_factory, data):
    """Flipped, cut and blown-up record files, loose and packed."""
    content = bytearray(record(132539, *(f"{h:02d}:{h:02d},HR,{60 + h}" for h in range(20))))
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[position] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    at = data.draw(st.integers(0, len(content)))
    content[at:at] = data.draw(st.sampled_from([b"", b"9" * 70000, b"," * 5000, b"\0" * 300, b"\xff" * 3000]))
    folder = tmp_path_factory.mktemp("damage")
    name = data.draw(st.sampled_from(["132539.txt", "named.txt"]))
    try:
        panel, report = read_quietly(write(folder, {name: bytes(content), "132540.txt": record(132540)}))
    except ValueError as error:
        pytest.fail(f"another record was whole, yet: {error}")
    assert_balanced(panel, report)
    assert 132540 in panel.records


@given(cut=st.floats(0, 1), flips=st.lists(st.floats(0, 1, exclude_max=True), max_size=3))
def test_damaged_archives_give_a_panel_or_a_value_error(tmp_path_factory, cut, flips):
    folder = tmp_path_factory.mktemp("archive")
    for kind in ("zip", "tar.gz", "tar"):
        path = _packed(folder, {f"{i}.txt": record(i, "00:07,HR,73") for i in (1, 2)}, kind)
        content = bytearray(path.read_bytes())
        content = content[: int((0.5 + cut) * len(content))]
        for flip in flips:
            content[int(flip * len(content))] ^= 4
        path.write_bytes(content)
        try:
            panel, report = read_quietly(path)
        except ValueError:
            continue
        assert_balanced(panel, report)
