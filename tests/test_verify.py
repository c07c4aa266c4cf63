"""Downloaded files are told apart from what was meant; nothing is downloaded here."""

import dataclasses
import hashlib
import io
import json
import tarfile
import zipfile

import pytest
from typer.testing import CliRunner
from zip_files import zipped

from cndts.cli import app
from cndts.datasets._archives import read_files
from cndts.datasets._fetch_files import fetch_files, folder_below
from cndts.datasets._remote import DATA_SETS, DataSet, RemoteFile
from cndts.datasets._verify import contents_digest, forget, record, verdict


def know(monkeypatch, name, *files):
    monkeypatch.setitem(DATA_SETS, name, DataSet(name, "A toy", "read_ticks", "none", "https://example.org", files))


ROOMS = {"d1p01M": "a", "d1p02F": "b"}


@pytest.fixture
def file(tmp_path):
    """An archive of which the members of one room are known."""
    path = tmp_path / "known.zip"
    path.write_bytes(zipped(S1__d1p01M="a", S1__d1p02F="b", readme="x"))
    return RemoteFile("toy.zip", "http://x/", contents=("d1p*", contents_digest(path, "d1p*")))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (zipped(other__d1p02F="b", other__d1p01M="a", S2__d2p01M="c"), "contents"),
        (zipped(data_dot_zip=zipped(S1__d1p01M="a", S1__d1p02F="b"), readme="y"), "contents"),
        (zipped(S1_dot_zip=zipped(d1p01M="a"), S1b_dot_zip=zipped(d1p02F="b")), "contents"),
        (zipped(data_dot_zip=zipped(**ROOMS), S1__d1p01M="a"), "contents"),
        (zipped({**ROOMS, "__MACOSX/d1p01M": "fork", "__macosx/d1p03F": "fork"}), "contents"),
        (zipped(data_dot_zip=zipped(**ROOMS), S1__d1p01M="A"), "differs"),
        (zipped(data_dot_zip=zipped(d1p01M="a", d1p02F="B")), "differs"),
        (zipped(data_dot_zip=b"no archive", **ROOMS), "differs"),
        (zipped(d1p01M="a"), "differs"),
        (b"no archive", "differs"),
    ],
)
def test_archives_are_known_by_their_members(tmp_path, file, content, expected):
    """However they are packed, in an archive inside too; a second file of one name has to be the same."""
    path = tmp_path / "toy.zip"
    path.write_bytes(content)
    assert verdict(path, file) == expected


def tarred(**files):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, inside in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(inside)
            archive.addfile(header, io.BytesIO(inside.encode()))
    return content.getvalue()


def test_known_members_in_another_kind_of_archive_are_told(tmp_path, file, monkeypatch):
    """The remedy is another one than for a wrong file: nothing has to be fetched again."""
    know(monkeypatch, "toy", file)
    path = tmp_path / "toy.zip"
    path.write_bytes(tarred(**ROOMS))
    assert verdict(path, file) == "misnamed"
    with pytest.raises(ValueError, match=r"holds the members that were meant.* name toy.zip says.*with read_ticks"):
        fetch_files("toy", folder=tmp_path, download=False)
    path.write_bytes(tarred(d1p01M="a", d1p02F="B"))
    assert verdict(path, file) == "differs"


def test_the_one_member_under_the_name_of_its_archive_is_told(tmp_path):
    path = tmp_path / "toy.zip"
    path.write_bytes(zipped({"AQ/data.csv": "a;b"}))
    known = RemoteFile("toy.zip", "http://x/", "0" * 64, contents=("data.csv", contents_digest(path, "data.csv")))
    assert verdict(path, known) == "contents"
    path.write_text("a;b")
    assert verdict(path, known) == "misnamed"
    path.write_text("a;c")
    assert verdict(path, known) == "differs"


def test_an_error_names_both_checksums_that_would_do(tmp_path, file, monkeypatch):
    know(monkeypatch, "toy", dataclasses.replace(file, sha256="0" * 64, source="this test"))
    (tmp_path / "toy.zip").write_bytes(zipped(d1p01M="a"))
    with pytest.raises(ValueError, match=r"wanted SHA-256 0+ \(this test\), or the members that are known, got"):
        fetch_files("toy", folder=tmp_path, download=False)


def test_hidden_members_do_not_count(tmp_path):
    for name, more in (("one.zip", {}), ("two.zip", {"S1/._a.csv": "fork", ".DS.csv": "x"})):
        (tmp_path / name).write_bytes(zipped({"S1/a.csv": "a", **more}))
    assert contents_digest(tmp_path / "one.zip", "*.csv") == contents_digest(tmp_path / "two.zip", "*.csv")


def test_members_that_are_not_known_are_compared_with_the_first_download(tmp_path, file, monkeypatch):
    """The second room may be anything at first, and has to stay that."""
    know(monkeypatch, "toy", file)
    path = tmp_path / "toy.zip"
    path.write_bytes(zipped(**ROOMS, d2p01M="first"))
    assert fetch_files("toy", folder=tmp_path, download=False) == [path]
    assert json.loads((tmp_path / "checksums.json").read_text()) == {
        "toy.zip": hashlib.sha256(path.read_bytes()).hexdigest()
    }
    assert verdict(path, file) == "contents"

    path.write_bytes(zipped(**ROOMS, d2p01M="second"))
    assert verdict(path, file) == "differs"
    with pytest.raises(
        ValueError, match=r"that of the first download, and the members that are known, got .* its line"
    ):
        fetch_files("toy", folder=tmp_path, download=False)
    forget(path)
    assert verdict(path, file) == "contents"


def test_a_pinned_file_needs_no_record(tmp_path, file):
    """A repacked copy may give way to the published file."""
    path = tmp_path / "toy.zip"
    path.write_bytes(zipped(**ROOMS))
    record(path)
    path.write_bytes(zipped(**ROOMS, d2p01M="c"))
    whole = RemoteFile("toy.zip", "http://x/", hashlib.sha256(path.read_bytes()).hexdigest(), contents=file.contents)
    assert (verdict(path, whole), verdict(path, file)) == ("pinned", "differs")


def test_a_publisher_may_state_md5_alone(tmp_path, monkeypatch):
    stated = RemoteFile("data.bin", "http://x/", source="this test", md5=hashlib.md5(b"data").hexdigest())
    know(monkeypatch, "toy", stated)
    path = tmp_path / "data.bin"
    path.write_bytes(b"data")
    assert verdict(path, stated) == "pinned"
    path.write_bytes(b"date")
    assert verdict(path, stated) == "differs"
    with pytest.raises(ValueError, match=rf"wanted MD5 {stated.md5} \(this test\)"):
        fetch_files("toy", folder=tmp_path, download=False)


# ---- the command ---------------------------------------------------------------------------------


@pytest.fixture
def two_sets(tmp_path, monkeypatch):
    """Two sets whose files have the same name, in one folder; the second is absent."""
    for name in ("one", "two"):
        know(monkeypatch, name, RemoteFile("data.bin", "http://x/", hashlib.sha256(name.encode()).hexdigest()))
    folder = tmp_path / "sets"
    folder_below("one", folder).mkdir(parents=True)
    (folder_below("one", folder) / "data.bin").write_bytes(b"one")
    return folder


def check(folder, *names):
    return CliRunner().invoke(app, ["datasets", "verify", *names, "--folder", str(folder)])


def test_sets_that_are_not_named_may_be_absent(two_sets):
    done = check(two_sets)
    assert done.exit_code == 0, done.output
    assert "pinned" in done.stdout and "absent" in done.stdout
    assert check(two_sets, "one").exit_code == 0


@pytest.mark.parametrize("names", [("two",), ("one", "two")])
def test_a_named_set_that_is_absent_is_a_failure(two_sets, names):
    done = check(two_sets, *names)
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [f"two: not as it should be in {two_sets / 'two'}"]


def test_a_set_that_is_there_in_part_is_a_failure_where_it_is_named(two_sets, monkeypatch):
    know(monkeypatch, "one", *DATA_SETS["one"].files, RemoteFile("more.bin", "http://x/"))
    assert (check(two_sets).exit_code, check(two_sets, "one").exit_code) == (0, 1)


def test_a_file_that_differs_is_always_a_failure(two_sets):
    (two_sets / "two").mkdir()
    (two_sets / "two" / "data.bin").write_bytes(b"three")
    for names in ((), ("two",)):
        done = check(two_sets, *names)
        assert done.exit_code == 1 and "is another file than was meant" in done.stdout


def test_a_misnamed_file_is_always_a_failure(two_sets, file, monkeypatch):
    know(monkeypatch, "two", file)
    (two_sets / "two").mkdir()
    (two_sets / "two" / "toy.zip").write_bytes(tarred(**ROOMS))
    for names in ((), ("two",)):
        done = check(two_sets, *names)
        assert done.exit_code == 1 and "packed otherwise than its name says" in done.stdout


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    done = check(tmp_path / "nowhere")
    assert done.exit_code == 1 and "there is no folder" in done.stderr


def test_a_folder_at_home_is_found(two_sets, monkeypatch):
    """The shell leaves the tilde in ``--folder=~/sets`` to the program."""
    monkeypatch.setenv("HOME", str(two_sets.parent))
    monkeypatch.setenv("USERPROFILE", str(two_sets.parent))
    done = CliRunner().invoke(app, ["datasets", "verify", "one", "--folder=~/sets"])
    assert done.exit_code == 0, done.output


def test_help_tells_the_rules():
    shown = " ".join(CliRunner().invoke(app, ["datasets", "verify", "--help"], env={"COLUMNS": "300"}).stdout.split())
    assert "Exit code 1 if a file differs or is misnamed, or if a file of a set that you name is absent" in shown
    assert "FOLDER/NAME" in shown


# ---- published files -----------------------------------------------------------------------------


def test_the_published_members_are_recognised(published):
    set_a = next(file for file in DATA_SETS["physionet2012"].files if file.name == "set-a.tar.gz")
    room_one = DATA_SETS["batteryless"].files[0]
    assert verdict(published("sensor_batteryless/S1_Dataset.tar.gz"), room_one) == "contents"
    assert verdict(published("physionet2012/set-a.tar.gz"), set_a) == "contents"
    outcomes = next(file for file in DATA_SETS["physionet2012"].files if file.name == "Outcomes-a.txt")
    assert verdict(published("physionet2012/Outcomes-a.txt"), outcomes) == "pinned"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("air-quality", "sensor_airquality_uci/AirQualityUCI.csv"),
        ("beijing-air", "sensor_beijing_air/PRSA_Data_20130301-20170228.tar.gz"),
        ("batteryless", "sensor_batteryless/S1_Dataset.tar.gz"),
    ],
)
def test_the_published_members_are_recognised_however_packed(published, tmp_path, name, source):
    source, known = published(source), DATA_SETS[name].files[0]
    path = tmp_path / known.name
    path.write_bytes(source.read_bytes())
    assert verdict(path, known) == "misnamed"
    files = dict(read_files(source, lambda _: True)) if source.suffix == ".gz" else {source.name: source.read_bytes()}
    path.write_bytes(zipped(files))
    assert verdict(path, known) == "contents"


def test_the_published_quotes_are_recognised(published, tmp_path):
    """Day by day, packed as LEAN packs them."""
    source = published("fx_ticks_oanda/oanda_eurusd_nzdusd_tick_quotes_20140501-20140515.tar.gz")
    quotes = {name.rsplit("/", 1)[-1]: content for name, content in read_files(source, lambda _: True)}
    files = DATA_SETS["oanda-ticks"].files
    assert sorted(file.contents[0] for file in files) == sorted(quotes)
    for file in files:
        path = tmp_path / file.name
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(file.contents[0], quotes[file.contents[0]])
        assert verdict(path, file) == "contents"
