"""Downloads from a server on loopback: whole, resumed, retried, verified, and told apart from what was meant."""

import hashlib
import http.server
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from typer.testing import CliRunner

import cndts.datasets._fetch_files as fetch_module
from cndts.cli import app
from cndts.datasets import (
    fetch_air_quality,
    fetch_batteryless,
    fetch_beijing_air,
    fetch_human_activity,
    fetch_physionet2012,
    fetch_physionet2019,
    fetch_ushcn,
)
from cndts.datasets._fetch_files import fetch_files
from cndts.datasets._remote import DATA_SETS, DataSet, RemoteFile
from cndts.datasets._verify import contents_digest

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
        with pytest.raises(ValueError, match=f"got {sha(CONTENT[1:])}"):
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

    def test_command_line(self, server, tmp_path):
        runner = CliRunner()
        server.files = {"toy/data.bin": CONTENT, "toy/free.txt": b"free"}
        listed = json.loads(runner.invoke(app, ["datasets", "list", "--json"]).stdout)
        assert [each["there"] for each in listed[-1]["files"]] == [False, False]
        assert {each["reader"] for each in listed} <= set(dir(__import__("cndts.datasets").datasets))
        done = runner.invoke(app, ["datasets", "fetch", "toy", "--folder", str(tmp_path / "here")])
        assert done.exit_code == 0, done.output
        assert done.stdout.split() == [str(tmp_path / "here" / name) for name in ("data.bin", "free.txt")]
        checked = runner.invoke(app, ["datasets", "verify", "toy", "--folder", str(tmp_path / "here"), "--json"])
        assert json.loads(checked.stdout) == {"toy": {"data.bin": "pinned", "free.txt": "recorded"}}
        (tmp_path / "here" / "data.bin").write_bytes(b"damaged")
        checked = runner.invoke(app, ["datasets", "verify", "toy", "--folder", str(tmp_path / "here")])
        assert checked.exit_code == 1 and "is another file than was meant" in checked.stdout
        wrong = runner.invoke(app, ["datasets", "fetch", "toi"])
        assert wrong.exit_code == 1 and "there is no data set 'toi'" in wrong.output
        assert "toy" in runner.invoke(app, ["datasets", "list"]).stdout


# ---- data sets by name ---------------------------------------------------------------------------


def archive(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, content in files.items():
            file.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return packed.getvalue()


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
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        member = tarfile.TarInfo(name)
        member.size = len(text)
        file.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def test_the_other_sets_by_name(server, monkeypatch):
    hours = {letter: archive(**{f"training__p{letter}_dot_psv": "HR|ICULOS\n80|1\n"}) for letter in "AB"}
    serve(monkeypatch, server, "physionet2019", {f"training_set{each}.zip": content for each, content in hours.items()})
    assert fetch_physionet2019(progress=False).records.tolist() == ["pA", "pB"]

    line = "USC00011084199601TMAX  170  0  250  0" + "-9999   " * 29
    stations = "USC00011084  31.0583  -87.0547   25.9 AL BREWTON 3 SSE                  HCN 72694\n"
    contents = {"ghcnd_hcn.tar.gz": tar("USC00011084.dly", line), "ghcnd-stations.txt": stations.encode()}
    serve(monkeypatch, server, "ushcn", contents)
    assert fetch_ushcn(progress=False).static["Latitude"].tolist() == [31.0583]

    text = "A01,010-000-024-033,633790226051280329,27.05.2009 14:03:25:127,4.06,1.89,0.51,walking\n"
    serve(monkeypatch, server, "human-activity", {"localization+data+for+person+activity.zip": archive(a_dot_txt=text)})
    assert fetch_human_activity(progress=False).n_events == 3

    reading = "0,0.272,1.0082,-0.0821,1,-63.5,2.4252,924.25,1\n"
    serve(monkeypatch, server, "batteryless", {"batteryless.zip": archive(S1_Dataset__d1p01M=reading)})
    assert fetch_batteryless(progress=False).records.tolist() == ["d1p01M"]

    header = "No,year,month,day,hour,PM2.5,PM10,SO2,NO2,CO,O3,TEMP,PRES,DEWP,RAIN,wd,WSPM,station\n"
    inner = archive(PRSA_dot_csv=header + "1,2013,3,1,5,7,8,3,2,100,91,-2.3,1020.3,-20.7,0,N,3.1,Huairou\n")
    outer = archive(PRSA2017_dot_zip=inner, data_dot_csv="a,b\n1,2\n")
    serve(monkeypatch, server, "beijing-air", {"beijing+multi+site+air+quality+data.zip": outer})
    panel, report = fetch_beijing_air(progress=False, return_report=True)
    assert panel.n_events == 12 and "beijing-air" in report.sources[0]

    road = "Date;Time;CO(GT);PT08.S1(CO);NMHC(GT);C6H6(GT);PT08.S2(NMHC);NOx(GT);PT08.S3(NOx);NO2(GT);"
    road += "PT08.S4(NO2);PT08.S5(O3);T;RH;AH;;\n10/03/2004;18.00.00;" + "1;" * 13 + ";\n"
    serve(monkeypatch, server, "air-quality", {"air+quality.zip": archive(AirQualityUCI_dot_csv=road)})
    assert fetch_air_quality(progress=False).n_events == 13


def test_archives_are_known_by_their_contents(server, monkeypatch, tmp_path):
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    first.write_bytes(archive(S1__d1p01M="a", S1__d1p02F="b", readme="x"))
    second.write_bytes(archive(other__d1p02F="b", other__d1p01M="a", S2__d2p01M="c"))
    digest = contents_digest(first, "d1p*")
    file = RemoteFile("toy.zip", "http://x/", contents=("d1p*", digest))
    monkeypatch.setitem(DATA_SETS, "toy", DataSet("toy", "A toy", "read_ticks", "none", "https://example.org", (file,)))
    server.files = {"toy/toy.zip": second.read_bytes()}
    path = fetch()[0]
    assert fetch_module.verdict(path, file) == "contents"
    path.write_bytes(archive(d1p01M="a", d1p02F="B"))
    assert fetch_module.verdict(path, file) == "differs"
    path.write_bytes(b"no archive")
    assert fetch_module.verdict(path, file) == "differs"


def test_an_archive_inside_an_archive_may_not_climb(server, monkeypatch):
    outer = archive(**{"..__..__evil_dot_zip": archive(a_dot_csv="x")})
    serve(monkeypatch, server, "beijing-air", {"beijing+multi+site+air+quality+data.zip": outer})
    with pytest.raises(ValueError, match="points outside the archive"):
        fetch_beijing_air(progress=False)


def test_the_published_members_are_recognised(published):
    set_a = next(file for file in DATA_SETS["physionet2012"].files if file.name == "set-a.tar.gz")
    room_one = DATA_SETS["batteryless"].files[0]
    assert fetch_module.verdict(published("sensor_batteryless/S1_Dataset.tar.gz"), room_one) == "contents"
    assert fetch_module.verdict(published("physionet2012/set-a.tar.gz"), set_a) == "contents"
    outcomes = next(file for file in DATA_SETS["physionet2012"].files if file.name == "Outcomes-a.txt")
    assert fetch_module.verdict(published("physionet2012/Outcomes-a.txt"), outcomes) == "pinned"
