"""Downloads from a server on loopback: whole, resumed, retried, verified, and told apart from what was meant."""

import gzip
import hashlib
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from typer.testing import CliRunner
from zip_files import zipped

import cndts.datasets
import cndts.protocols
from cndts.cli import app
from cndts.datasets import (
    fetch_air_quality,
    fetch_batteryless,
    fetch_beijing_air,
    fetch_human_activity,
    fetch_oanda_ticks,
    fetch_physionet2012,
    fetch_physionet2019,
    fetch_plasticc,
    fetch_sporadic_csv,
    fetch_ushcn,
    fetch_ushcn_legacy,
)
from cndts.datasets._download import ResumingDownloader
from cndts.datasets._fetch_files import fetch_files
from cndts.datasets._remote import DATA_SETS, DataSet, RemoteFile
from cndts.protocols import read_sporadic_csv

CONTENT = bytes(range(256)) * 3000


@dataclass
class HttpFolder:
    """What the server has and how it behaves."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)  # path and Range header
    failures: list[int | str] = field(default_factory=list)  # status codes, or "cut" to break off half-way
    ranges: bool = True
    etag: str = '"one"'

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        """Answer one GET."""
        asked = handler.headers.get("Range", "")
        self.requests.append((handler.path, asked))
        failure = self.failures.pop(0) if self.failures else None
        content = self.files.get(handler.path.lstrip("/"))
        if isinstance(failure, int) or content is None:
            handler.send_error(failure if isinstance(failure, int) else 404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        if handler.headers.get("If-Range", self.etag) != self.etag:
            start = 0
        if start >= len(content) > 0:
            handler.send_error(416)
            return
        body = content[start:]
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", self.etag)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if failure == "cut" else body)


@contextmanager
def http_folder() -> Iterator[HttpFolder]:
    """Serve until the block ends."""
    folder = HttpFolder()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            folder.answer(self)
            self.close_connection = True

        def log_message(self, *about: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    folder.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield folder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sha(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server and a cache of one's own."""
    with http_folder() as folder:
        monkeypatch.setenv("CNDTS_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("CNDTS_MIRROR", folder.url)
        yield folder


@pytest.fixture
def known(monkeypatch):
    """A registry with one data set of two files, one with a checksum."""
    files = (
        RemoteFile("data.bin", "http://127.0.0.1:9/x", sha(CONTENT), "this test"),
        RemoteFile("free.txt", "http://x/"),
    )
    monkeypatch.setitem(
        DATA_SETS, "toy", DataSet("toy", "A toy", "read_ticks", "none", "https://example.org/toy", files)
    )


def fetch(**options):
    return fetch_files("toy", pause=0.0, progress=False, **options)


def starts(server):
    """Where the requests for a part began."""
    return [int(asked.removeprefix("bytes=").rstrip("-")) for _, asked in server.requests if asked]


@pytest.mark.usefixtures("known")
class TestDownload:
    """One file after the other."""

    def test_files_come_once(self, server, tmp_path):
        server.files = {"toy/data.bin": CONTENT, "toy/free.txt": b"free"}
        data, free = fetch()
        assert data == tmp_path / "cache" / "downloads" / "toy" / "data.bin"
        assert (data.read_bytes(), free.read_bytes()) == (CONTENT, b"free")
        assert sorted(path.name for path in data.parent.iterdir()) == ["checksums.json", "data.bin", "free.txt"]
        fetch()
        assert len(server.requests) == 2

    def test_a_broken_connection_is_resumed(self, server):
        server.files = {"toy/data.bin": CONTENT}
        server.failures = ["cut", 503, "cut"]
        assert fetch(only=["data.bin"])[0].read_bytes() == CONTENT
        assert next(asked for _, asked in server.requests) == ""
        first, second, third = starts(server)
        # the last chunk before a break may be lost, no more
        assert len(CONTENT) // 2 - 2**16 <= first <= len(CONTENT) // 2
        assert first == second < third < len(CONTENT)

    def test_a_later_call_resumes(self, server):
        server.files = {"toy/data.bin": CONTENT}
        server.failures = ["cut"]
        with pytest.raises(ConnectionError, match="connection ended after|connection failed"):
            fetch(only=["data.bin"], retries=0)
        assert fetch(only=["data.bin"])[0].read_bytes() == CONTENT
        assert starts(server)[-1] > len(CONTENT) // 3

    @pytest.mark.parametrize("change", ["version", "ranges"])
    def test_a_changed_file_is_not_patched_together(self, server, change):
        server.files = {"toy/data.bin": b"x" * len(CONTENT)}
        server.failures = ["cut"]
        with pytest.raises(ConnectionError):
            fetch(only=["data.bin"], retries=0)
        server.files = {"toy/data.bin": CONTENT}
        if change == "version":
            server.etag = '"two"'
        else:
            server.ranges = False
        assert fetch(only=["data.bin"])[0].read_bytes() == CONTENT

    def test_attempts_end(self, server):
        server.failures = [500] * 10
        with pytest.raises(ConnectionError, match=r"cannot fetch data.bin of toy .*500 .*\(3 attempts\)"):
            fetch(retries=2)
        assert len(server.requests) == 3

    def test_an_absent_file_is_not_asked_for_again(self, server):
        with pytest.raises(ConnectionError, match="404"):
            fetch()
        assert len(server.requests) == 1

    def test_offline_says_where_to_put_the_file(self, monkeypatch, tmp_path):
        monkeypatch.setenv("CNDTS_CACHE", str(tmp_path))
        monkeypatch.delenv("CNDTS_MIRROR", raising=False)
        place = tmp_path / "downloads" / "toy" / "data.bin"
        for options in ({"download": False}, {"retries": 0}):
            with pytest.raises(ConnectionError, match="by hand from https://example.org/toy and put it at") as caught:
                fetch(**options)
            assert str(place) in str(caught.value) and "CNDTS_CACHE" in str(caught.value)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(CONTENT)
        assert fetch(only=["data.bin"], download=False) == [place]

    def test_another_file_is_refused(self, server):
        server.files = {"toy/data.bin": b"something else"}
        with pytest.raises(ValueError, match=rf"data.bin.refused is not the file .* {sha(CONTENT)} \(this test\)"):
            fetch(only=["data.bin"])
        server.files = {"toy/data.bin": CONTENT}
        path = fetch(only=["data.bin"])[0]
        path.write_bytes(CONTENT[1:])
        with pytest.raises(ValueError, match=f"got SHA-256 {sha(CONTENT[1:])}"):
            fetch(only=["data.bin"])

    def test_a_file_without_known_checksum_is_remembered(self, server):
        server.files = {"toy/free.txt": b"free"}
        path = fetch(only=["free.txt"])[0]
        assert json.loads((path.parent / "checksums.json").read_text()) == {"free.txt": sha(b"free")}
        path.write_bytes(b"changed")
        with pytest.raises(ValueError, match="wanted SHA-256 that of the first download"):
            fetch(only=["free.txt"])

    def test_one_process_at_a_time(self, server, tmp_path):
        fcntl = pytest.importorskip("fcntl", reason="files are locked where the platform can")
        server.files = {"toy/data.bin": CONTENT}
        folder = tmp_path / "cache" / "downloads" / "toy"
        folder.mkdir(parents=True)
        with (folder / "data.bin.part.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(RuntimeError, match="another process is downloading"):
                fetch(only=["data.bin"])

    def test_names_are_checked(self):
        with pytest.raises(ValueError, match="there is no data set 'toi' to download; known are physionet2012"):
            fetch_files("toi")

    def test_a_renewed_file_may_be_deleted_and_fetched_again(self, server, monkeypatch):
        server.files = {"toy/free.txt": b"monday"}
        fetch(only=["free.txt"])[0].unlink()
        server.files = {"toy/free.txt": b"tuesday"}
        with pytest.raises(
            ValueError, match=r"free.txt.refused is not the file .* take its line out of checksums.json"
        ):
            fetch(only=["free.txt"])
        files = (RemoteFile("free.txt", "http://x/", renewed=True),)
        monkeypatch.setitem(DATA_SETS, "toy", DataSet("toy", "A toy", "read_ticks", "none", "https://x", files))
        path = fetch()[0]
        assert json.loads((path.parent / "checksums.json").read_text()) == {"free.txt": sha(b"tuesday")}

    def test_command_line(self, server, tmp_path):
        runner = CliRunner()
        server.files = {"toy/data.bin": CONTENT, "toy/free.txt": b"free"}
        listed = json.loads(runner.invoke(app, ["datasets", "list", "--json"]).stdout)
        assert [each["there"] for each in listed[-1]["files"]] == [False, False]
        assert {each["reader"] for each in listed} <= {*dir(cndts.datasets), *dir(cndts.protocols)}
        done = runner.invoke(app, ["datasets", "fetch", "toy", "--folder", str(tmp_path / "here")])
        assert done.exit_code == 0, done.output
        assert done.stdout.split() == [str(tmp_path / "here" / "toy" / name) for name in ("data.bin", "free.txt")]
        wrong = runner.invoke(app, ["datasets", "fetch", "toi"])
        assert wrong.exit_code == 1 and "there is no data set 'toi'" in wrong.output
        assert "toy" in runner.invoke(app, ["datasets", "list"]).stdout

    def test_what_is_fetched_together_is_verified_alone(self, server, monkeypatch, tmp_path):
        """The same folder for a set, however many are named."""
        files = (RemoteFile("data.bin", "http://x/"),)  # a name that the other set has too
        monkeypatch.setitem(DATA_SETS, "two", DataSet("two", "Another", "read_ticks", "none", "https://x", files))
        server.files = {"toy/data.bin": CONTENT, "toy/free.txt": b"free", "two/data.bin": b"two"}
        runner, there = CliRunner(), ["--folder", str(tmp_path / "there")]
        assert runner.invoke(app, ["datasets", "fetch", "toy", "two", *there]).exit_code == 0
        found = {"toy": {"data.bin": "pinned", "free.txt": "recorded"}, "two": {"data.bin": "recorded"}}
        for names in (["toy", "two"], ["toy"], ["two"]):
            checked = runner.invoke(app, ["datasets", "verify", *names, *there, "--json"])
            assert (checked.exit_code, json.loads(checked.stdout)) == (0, {name: found[name] for name in names})
        assert runner.invoke(app, ["datasets", "fetch", "two", *there]).exit_code == 0
        assert len(server.requests) == 3


# ---- progress ------------------------------------------------------------------------------------


def watched(server, path, **options):
    """A downloader to ``path``, and what it reports."""
    reports = []
    options = {"pause": 0.0, "progress": lambda done, total: reports.append((done, total)), **options}
    downloader = ResumingDownloader(path.with_name(f"{path.name}.part"), **options)
    return lambda: downloader(f"{server.url}/data.bin", str(path), None), reports


def assert_rising(reports, total):
    """Every report is above the one before it, and all know the total."""
    done = [each for each, _ in reports]
    assert done == sorted(set(done))
    assert {each for _, each in reports} == {total}


def test_progress_rises_to_the_total(server, tmp_path):
    server.files = {"data.bin": CONTENT}
    download, reports = watched(server, tmp_path / "data.bin")
    download()
    assert_rising(reports, len(CONTENT))
    assert len(reports) >= len(CONTENT) // 2**16 and reports[0][0] <= 2**16
    assert reports[-1][0] == len(CONTENT)


def test_progress_goes_on_after_a_break(server, tmp_path):
    """Within a call and in a later one: what is there already counts, and the total is that of the whole file."""
    server.files = {"data.bin": CONTENT}
    server.failures = ["cut", "cut"]
    first, before = watched(server, tmp_path / "data.bin", retries=1)
    with pytest.raises(ConnectionError):
        first()
    assert_rising(before, len(CONTENT))
    assert len(CONTENT) // 2 < before[-1][0] < len(CONTENT)
    download, after = watched(server, tmp_path / "data.bin")
    download()
    assert_rising(before + after, len(CONTENT))
    assert after[-1][0] == len(CONTENT) == (tmp_path / "data.bin").stat().st_size


def test_progress_starts_anew_with_a_changed_file(server, tmp_path):
    server.files, server.failures = {"data.bin": CONTENT}, ["cut"]
    with pytest.raises(ConnectionError):
        watched(server, tmp_path / "data.bin", retries=0)[0]()
    server.files, server.etag = {"data.bin": CONTENT[:200_000]}, '"two"'
    download, reports = watched(server, tmp_path / "data.bin")
    download()
    assert reports[0][0] <= 2**16 and reports[-1] == (200_000, 200_000)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("watches", [True, False])
def test_the_bar_is_shown_to_who_watches(server, monkeypatch, capsys, watches):
    """The name and the bytes of the whole file on a terminal, nothing in a log."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    if watches:
        monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    server.files = {"toy/data.bin": CONTENT}
    fetch_files("toy", only=["data.bin"])
    shown = capsys.readouterr().err
    assert ("data.bin" in shown and "768.0/768.0 kB" in shown) if watches else shown == ""


# ---- data sets by name ---------------------------------------------------------------------------


def serve(monkeypatch, server, name, contents):
    """Serve files of a data set, and know their checksums in place of the published ones."""
    files = tuple(
        RemoteFile(file.name, file.url, sha(contents[file.name]), "this test") for file in DATA_SETS[name].files
    )
    old = DATA_SETS[name]
    monkeypatch.setitem(DATA_SETS, name, DataSet(name, old.title, old.reader, old.licence, old.page, files))
    server.files |= {f"{name}/{file}": content for file, content in contents.items()}


def test_physionet_2012_by_name(server, monkeypatch):
    stay = "Time,Parameter,Value\n00:00,RecordID,{0}\n00:07,HR,73\n"
    contents = {}
    for letter, record in (("a", 1), ("b", 2), ("c", 3)):
        # the reader goes by what an archive holds; a zip called tar.gz it would refuse
        contents[f"set-{letter}.tar.gz"] = tar(f"set-{letter}/{record}.txt", stay.format(record))
        contents[f"Outcomes-{letter}.txt"] = f"RecordID,In-hospital_death\n{record},1\n".encode()
    serve(monkeypatch, server, "physionet2012", contents)
    panel = fetch_physionet2012(["b", "a"], progress=False, cache=False)
    assert panel.records.tolist() == [2, 1]
    assert panel.outcomes["In-hospital_death"].tolist() == [1, 1]
    assert len(server.requests) == 4
    with pytest.raises(ValueError, match="sets must be some of 'a', 'b', 'c', each once; got 'ax'"):
        fetch_physionet2012("ax")


def tar(name, text):
    return tar_of("", {name: text.encode()})


def tar_of(prefix, contents):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        for name, content in contents.items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def test_the_other_sets_by_name(server, monkeypatch):
    hours = {letter: zipped(**{f"training__p{letter}_dot_psv": "HR|ICULOS\n80|1\n"}) for letter in "AB"}
    serve(monkeypatch, server, "physionet2019", {f"training_set{each}.zip": content for each, content in hours.items()})
    assert fetch_physionet2019(progress=False).records.tolist() == ["pA", "pB"]

    line = "USC00011084199601TMAX  170  0  250  0" + "-9999   " * 29
    stations = "USC00011084  31.0583  -87.0547   25.9 AL BREWTON 3 SSE                  HCN 72694\n"
    contents = {"ghcnd_hcn.tar.gz": tar("USC00011084.dly", line), "ghcnd-stations.txt": stations.encode()}
    serve(monkeypatch, server, "ushcn", contents)
    assert fetch_ushcn(progress=False).static["Latitude"].tolist() == [31.0583]

    text = "A01,010-000-024-033,633790226051280329,27.05.2009 14:03:25:127,4.06,1.89,0.51,walking\n"
    serve(monkeypatch, server, "human-activity", {"localization+data+for+person+activity.zip": zipped(a_dot_txt=text)})
    assert fetch_human_activity(progress=False).n_events == 3

    reading = "0,0.272,1.0082,-0.0821,1,-63.5,2.4252,924.25,1\n"
    serve(monkeypatch, server, "batteryless", {"batteryless.zip": zipped(S1_Dataset__d1p01M=reading)})
    assert fetch_batteryless(progress=False).records.tolist() == ["d1p01M"]

    header = "No,year,month,day,hour,PM2.5,PM10,SO2,NO2,CO,O3,TEMP,PRES,DEWP,RAIN,wd,WSPM,station\n"
    inner = zipped(PRSA_dot_csv=header + "1,2013,3,1,5,7,8,3,2,100,91,-2.3,1020.3,-20.7,0,N,3.1,Huairou\n")
    outer = zipped(PRSA2017_dot_zip=inner, data_dot_csv="a,b\n1,2\n")
    serve(monkeypatch, server, "beijing-air", {"beijing+multi+site+air+quality+data.zip": outer})
    panel, report = fetch_beijing_air(progress=False, return_report=True)
    assert panel.n_events == 12 and "beijing-air" in report.sources[0]

    road = "Date;Time;CO(GT);PT08.S1(CO);NMHC(GT);C6H6(GT);PT08.S2(NMHC);NOx(GT);PT08.S3(NOx);NO2(GT);"
    road += "PT08.S4(NO2);PT08.S5(O3);T;RH;AH;;\n10/03/2004;18.00.00;" + "1;" * 13 + ";\n"
    serve(monkeypatch, server, "air-quality", {"air+quality.zip": zipped(AirQualityUCI_dot_csv=road)})
    assert fetch_air_quality(progress=False).n_events == 13


def test_ticks_by_name(server, monkeypatch):
    names = [file.name for file in DATA_SETS["oanda-ticks"].files]
    contents = {}
    for name in names:
        day, pair, _ = name.split("_")
        contents[name] = zipped(**{f"{day}_{pair}_tick_quote_dot_csv": "292,1.38676,1.38686\r\n"})
    serve(monkeypatch, server, "oanda-ticks", contents)
    panel = fetch_oanda_ticks(["nzdusd"], progress=False)
    assert len(server.requests) == len(panel) == len(names) // 2 == 13
    assert panel.records[0] == "nzdusd 2014-05-01"
    with pytest.raises(ValueError, match="pairs must be some of 'eurusd', 'nzdusd', each once; got 'eurusd'"):
        fetch_oanda_ticks("eurusd")


def test_state_files_by_name(server, monkeypatch, tmp_path):
    line = b"370896192712TMAX" + b"   50  6" + b"-9999   " * 30
    members = {"state37_RI.txt.gz": gzip.compress(line), "us.txt.gz": b"not read", "data_format.txt": b"words"}
    serve(monkeypatch, server, "ushcn-legacy", {"ushcn_daily.tar.gz": tar_of("pub12/ushcn_daily/", members)})
    panel = fetch_ushcn_legacy(progress=False, folder=tmp_path)
    assert (panel.records.tolist(), panel.value.tolist()) == (["370896"], [10.0])
    (tmp_path / "ushcn_daily.tar.gz").unlink()
    serve(monkeypatch, server, "ushcn-legacy", {"ushcn_daily.tar.gz": tar_of("pub12/", {"us.txt.gz": b""})})
    with pytest.raises(ValueError, match="holds no data of the kind wanted: wanted state files of USHCN-Daily"):
        fetch_ushcn_legacy(progress=False, folder=tmp_path)


def test_light_curves_by_name(server, monkeypatch):
    curves = b"object_id,mjd,passband,flux,flux_err,detected_bool\n615,59750.4229,2,-544.8,3.6,1\n"
    objects = b"object_id,ra,true_target\n615,349.05,92\n"
    contents = {"lightcurves": gzip.compress(curves), "metadata": gzip.compress(objects)}
    contents = {f"plasticc_train_{name}.csv.gz": content for name, content in contents.items()}
    serve(monkeypatch, server, "plasticc", contents)
    panel = fetch_plasticc(progress=False)
    assert (panel.channels, panel.outcomes["true_target"].tolist()) == (("r", "r error"), [92])
    assert fetch_plasticc(progress=False, bands={"2": "red"}, errors="drop").channels == ("red",)


def test_the_prepared_table_by_name(server, monkeypatch):
    head = "ID,Time," + ",".join(f"Value_{i}" for i in range(5)) + "," + ",".join(f"Mask_{i}" for i in range(5))
    table = f"{head}\n7,0.5,0,0,1.5,0,0,0,0,1,0,0\n".encode()
    serve(monkeypatch, server, "ushcn-sporadic", {"small_chunked_sporadic.csv": table})
    assert read_sporadic_csv(fetch_sporadic_csv(progress=False)).value.tolist() == [1.5]


READING = "0,0.272,1.0082,-0.0821,1,-63.5,2.4252,924.25,1\n"
ROOM_ONE, ROOM_TWO = zipped(d1p01M=READING), zipped(d2p02F=READING)


@pytest.mark.parametrize(
    "files",
    [
        {"S1/d1p01M": READING, "S2.zip": ROOM_TWO},
        {"S1/data.zip": ROOM_ONE, "S2/data.zip": ROOM_TWO},
        {"all.zip": zipped(S1_dot_zip=ROOM_ONE, S2_dot_zip=ROOM_TWO)},
        {"S1/d1p01M.gz": gzip.compress(READING.encode()), "S2.tar.gz": tar("S2/d2p02F", READING)},
        {"S1/d1p01M": READING, "S1.zip": ROOM_ONE, "S2.zip": ROOM_TWO},
        {"S1.zip": ROOM_ONE, "S1/d1p01M": READING, "S2.zip": ROOM_TWO, "__MACOSX/d2p03M": "fork"},
    ],
)
def test_however_the_files_are_packed(server, monkeypatch, tmp_path, files):
    """Everything is read once, as `verify` finds it, and nothing is written beside the archive."""
    serve(monkeypatch, server, "batteryless", {"batteryless.zip": zipped(files)})
    panel, report = fetch_batteryless(folder=tmp_path, progress=False, return_report=True)
    assert panel.records.tolist() == ["d1p01M", "d2p02F"]
    assert (report.n_found, report.n_left_out) == (2, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["batteryless.zip"]


def test_an_archive_inside_an_archive_may_not_climb(server, monkeypatch):
    outer = zipped(**{"..__..__evil_dot_zip": zipped(a_dot_csv="x")})
    serve(monkeypatch, server, "beijing-air", {"beijing+multi+site+air+quality+data.zip": outer})
    with pytest.raises(ValueError, match="points outside the archive"):
        fetch_beijing_air(progress=False)
