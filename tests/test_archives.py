"""Archives are read into memory without being trusted."""

import functools
import gzip
import io
import os
import stat
import tarfile
import zipfile
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cndts.datasets import _archives, read_mimic
from cndts.datasets._archives import ArchiveLimits, decompress, fingerprint, read_files, read_nested

FILES = {"set/1.txt": b"one\n", "set/deep/2.txt": b"", "3.txt": b"three" * 1000, "set/page.html": b"<html>"}
CLIMBING = ["../1.txt", "set/../../1.txt", "/etc/1.txt", "..\\1.txt", "C:\\1.txt", "C:1.txt"]


def wanted(name):
    return name.endswith(".txt")


def write_folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def write_tar(path, files, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return path


def read(path, **limits):
    return dict(read_files(path, wanted, limits=ArchiveLimits(**limits)))


@pytest.fixture(
    params=["folder", "set.tar", "set.tar.gz", "set.tgz", "set.tar.bz2", "set.tar.xz", "set.zip", "set.bin"]
)
def source(request, tmp_path):
    path = tmp_path / request.param
    if request.param == "folder":
        return write_folder(path, FILES)
    if request.param.endswith(".zip"):
        return write_zip(path, FILES)
    modes = {".tar": "w", "gz": "w:gz", "tgz": "w:gz", "bz2": "w:bz2", "xz": "w:xz", "bin": "w:gz"}
    return write_tar(path, FILES, next(mode for end, mode in modes.items() if path.name.endswith(end)))


def test_every_kind_gives_the_same_files(source):
    """Unwanted files are named but not read."""
    assert read(source) == {**FILES, "set/page.html": None}


def test_the_fingerprint_follows_content_and_names_only(tmp_path):
    folder = write_folder(tmp_path / "a", FILES)
    first = fingerprint(folder, wanted)
    os.utime(folder / "3.txt", (1, 1))

    assert fingerprint(folder, wanted) == first
    assert fingerprint(write_folder(tmp_path / "b", FILES), wanted) == first
    assert fingerprint(write_folder(tmp_path / "c", {**FILES, "3.txt": b"three" * 999}), wanted) != first
    assert fingerprint(write_folder(tmp_path / "d", {**FILES, "4.txt": b""}), wanted) != first


@pytest.mark.parametrize("write", [write_tar, write_zip])
@pytest.mark.parametrize("name", CLIMBING)
def test_names_that_leave_the_archive_are_refused(tmp_path, write, name):
    path = write(tmp_path / "bad.archive", {"1.txt": b"fine", name: b"evil"})

    with pytest.raises(ValueError, match="points outside the archive"):
        read(path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_tar_are_refused(tmp_path, kind):
    path = tmp_path / "bad.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("1.txt")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)

    with pytest.raises(ValueError, match="holds a link or device"):
        read(path)


def test_links_in_zip_are_refused(tmp_path):
    path = tmp_path / "bad.zip"
    member = zipfile.ZipInfo("1.txt")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "/etc/passwd")

    with pytest.raises(ValueError, match="holds a link or device"):
        read(path)


@pytest.mark.parametrize("write", [write_tar, write_zip])
def test_bombs_are_refused(tmp_path, write):
    """By the size of one file, of all files, and by the number of files."""
    path = write(tmp_path / "bomb.archive", {f"{i}.txt": bytes(2**20) for i in range(8)})

    assert path.stat().st_size < 2**18
    with pytest.raises(ValueError, match="of 1,048,576 bytes; entries above 1,000 bytes are refused"):
        read(path, member_bytes=1000)
    with pytest.raises(ValueError, match="unpacks to more than 4,194,304 bytes; it is refused as a possible bomb"):
        read(path, total_bytes=2**22)
    with pytest.raises(ValueError, match="more than 7 entries"):
        read(path, members=7)
    assert len(read(path)) == 8


def test_a_tar_header_cannot_ask_for_more_memory_than_allowed(tmp_path):
    """The standard library reads extended headers whole; their size is bounded as well."""
    path = tmp_path / "bomb.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("1.txt")
        member.pax_headers = {"comment": "x" * 2**22}
        archive.addfile(member)

    with pytest.raises(ValueError, match="unpacks to more than 1,048,576 bytes"):
        read(path, total_bytes=2**20)


def test_files_on_disk_have_a_limit_of_their_own(tmp_path):
    """A file may be larger than the files of an archive, which may be a bomb, wherever it lies."""
    folder = write_folder(tmp_path / "folder", FILES)
    assert read(folder, member_bytes=10)["3.txt"] == FILES["3.txt"]
    with pytest.raises(ValueError, match=r"3\.txt has 5,000 bytes; files above 4,999 bytes are refused"):
        read(folder, file_bytes=4999)
    with pytest.raises(ValueError, match="folder unpacks to more than 5,000 bytes"):
        read(folder, total_bytes=5000)


@pytest.mark.parametrize("named", ["full_dataset.csv", "."])
def test_readers_hold_files_in_folders_to_the_limit_of_files(tmp_path, monkeypatch, named):
    header, row = "hadm_id,time_stamp,Value_label_0,Mask_label_0", "9,30,5.5,1"
    (tmp_path / "full_dataset.csv").write_text(f"{header}\n{row}\n")
    small = functools.partial(ArchiveLimits, member_bytes=10)
    monkeypatch.setattr(_archives, "ArchiveLimits", functools.partial(small, file_bytes=100))
    assert read_mimic(tmp_path / named).n_events == 1
    write_zip(tmp_path / "full.zip", {"full_dataset.csv": (tmp_path / "full_dataset.csv").read_bytes()})
    with pytest.raises(ValueError, match="entries above 10 bytes are refused"):
        read_mimic(tmp_path / "full.zip")
    monkeypatch.setattr(_archives, "ArchiveLimits", functools.partial(small, file_bytes=50))
    with pytest.raises(ValueError, match=r"full_dataset\.csv has 57 bytes; files above 50 bytes are refused"):
        read_mimic(tmp_path / named)


def test_pipes_and_dangling_links_in_folders_are_not_opened(tmp_path):
    folder = write_folder(tmp_path / "folder", {"1.txt": b"one"})
    os.mkfifo(folder / "2.txt")
    os.symlink(folder / "nowhere", folder / "3.txt")

    assert read(folder) == {"1.txt": b"one", "2.txt": None, "3.txt": None}


def test_missing_and_wrong_files_are_named(tmp_path):
    page = tmp_path / "set.tar.gz"
    page.write_bytes(b"<!DOCTYPE html><html>")
    (tmp_path / "empty.zip").write_bytes(b"")

    with pytest.raises(FileNotFoundError, match="no file or folder '.*nothing.zip'; check the path"):
        read(tmp_path / "nothing.zip")
    with pytest.raises(
        ValueError, match=r"neither a folder nor a tar or zip archive \(it starts with b'<!DOCTYPE html>"
    ):
        read(page)
    with pytest.raises(ValueError, match="neither a folder nor a tar or zip"):
        read(tmp_path / "empty.zip")


def test_names_that_promise_another_kind_are_errors(tmp_path):
    with pytest.raises(ValueError, match=r"named like a tar archive but holds zip data; rename it"):
        read(write_zip(tmp_path / "set.tar.gz", FILES))
    with pytest.raises(ValueError, match=r"named like a zip archive but holds gzip data"):
        read(write_tar(tmp_path / "set.zip", FILES))


def test_encrypted_zip_says_so(tmp_path):
    path = write_zip(tmp_path / "set.zip", {"1.txt": b"one"})
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)

    with pytest.raises(ValueError, match="is encrypted .*unpack it with its password"):
        read(path)


@pytest.mark.parametrize(("name", "mode"), [("set.tar", "w"), ("set.tar.gz", "w:gz"), ("set.tar.xz", "w:xz")])
def test_no_truncated_tar_passes_for_whole(tmp_path, name, mode):
    """Cut anywhere before the closing zeros, even exactly between two files."""
    whole = write_tar(tmp_path / f"whole-{name}", FILES, mode).read_bytes()
    path = tmp_path / name
    last = len(whole) if mode != "w" else 512 * 15  # 4 headers and 11 blocks of content, then only zeros
    for end in sorted({*range(512, last, 512), *range(20, last, 997)}):
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match="damaged or cut short|neither a folder nor"):
            read(path)


@pytest.mark.parametrize(("mode", "content"), [("w", b""), ("w:gz", b""), ("w", b"last")])
def test_a_damaged_header_of_the_last_entry_is_told(tmp_path, mode, content):
    """Of an empty one nothing follows but the zeros at the end."""
    plain = bytearray(write_tar(tmp_path / "plain.tar", {"1.txt": b"one", "2.txt": content}, "w").read_bytes())
    plain[1024 + 100] ^= 1
    path = tmp_path / "set.tar"
    path.write_bytes(gzip.compress(plain) if mode == "w:gz" else plain)
    with pytest.raises(ValueError, match=r"set.tar is damaged or cut short .*a header is damaged: bad checksum"):
        read(path)


@given(
    position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), kind=st.sampled_from(["tar.gz", "zip", "tar"])
)
def test_flipped_bits_are_found_or_harmless(tmp_path_factory, position, bit, kind):
    """A damaged compressed archive raises ValueError or still gives the content; nothing else escapes."""
    folder = tmp_path_factory.mktemp("flip")
    files = {"a/1.txt": b"Time,Parameter,Value\n" * 20, "a/2.txt": os.urandom(50).hex().encode()}
    path = folder / f"set.{kind}"
    _ = write_zip(path, files) if kind == "zip" else write_tar(path, files, "w" if kind == "tar" else "w:gz")
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] ^= 1 << bit
    path.write_bytes(content)

    try:
        found = read(path)
    except ValueError:
        return
    if kind != "tar":  # a plain tar has no checksum over its content
        contents = [content for content in found.values() if content is not None]
        assert set(contents) <= set(files.values())


# ---- archives in archives ------------------------------------------------------------------------


def packed(tmp_path, write, files, name):
    """The bytes of an archive."""
    return write(tmp_path / name, files).read_bytes()


def read_all(path, **limits):
    return dict(read_nested(path, wanted, limits=ArchiveLimits(**limits)))


@pytest.mark.parametrize(("write", "name"), [(write_zip, "in.zip"), (write_tar, "in.tar.gz"), (write_tar, "in.TGZ")])
def test_files_in_inner_archives_take_their_place(tmp_path, write, name):
    inner = packed(tmp_path, write, FILES, name)
    outer = write_zip(tmp_path / "outer.zip", {f"data/{name}": inner, "9.txt": b"nine", "__MACOSX/._in.zip": b"fork"})

    expected = {f"data/{name}/{file}": content for file, content in {**FILES, "set/page.html": None}.items()}
    assert read_all(outer) == {**expected, "9.txt": b"nine", "__MACOSX/._in.zip": None}
    assert read_all(write_folder(tmp_path / "folder", {name: inner})) == {
        f"{name}/{file}": content for file, content in {**FILES, "set/page.html": None}.items()
    }


def test_archives_nest_three_deep_and_no_deeper(tmp_path):
    content = b"deep"
    names = ["1.txt", "c.zip", "b.zip", "a.zip", "outer.zip"]
    for inside, around in pairwise(names):
        content = packed(tmp_path, write_zip, {inside: content}, around)
    assert read_all(tmp_path / "outer.zip") == {"a.zip/b.zip/c.zip/1.txt": b"deep"}

    with pytest.raises(ValueError, match=r"outer.zip/a.zip/b.zip/c.zip holds archives in archives, more than 3 deep"):
        deeper = packed(tmp_path, write_zip, {"d.zip": packed(tmp_path, write_zip, FILES, "d.zip")}, "c.zip")
        for around, inside in (("b.zip", "c.zip"), ("a.zip", "b.zip"), ("outer.zip", "a.zip")):
            deeper = packed(tmp_path, write_zip, {inside: deeper}, around)
        read_all(tmp_path / "outer.zip")


def test_gzip_files_inside_are_opened_within_the_limits(tmp_path):
    bomb = gzip.compress(bytes(2**20))
    assert read_all(write_zip(tmp_path / "a.zip", {"x/1.txt.gz": bomb, "2.csv.gz": bomb})) == {
        "x/1.txt": bytes(2**20),
        "2.csv.gz": None,
    }
    outer = write_zip(tmp_path / "b.zip", {f"{i}.txt.gz": bomb for i in range(4)})
    with pytest.raises(ValueError, match=r"b.zip unpacks to more than 3,145,728 bytes"):
        read_all(outer, total_bytes=3 * 2**20)
    with pytest.raises(ValueError, match=r"b.zip/0.txt.gz unpacks to more than 1,000,000 bytes"):
        read_all(outer, member_bytes=10**6)
    with pytest.raises(ValueError, match=r"c.zip/1.txt.gz is damaged or cut short"):
        read_all(write_zip(tmp_path / "c.zip", {"1.txt.gz": bomb[:-9]}))


@pytest.mark.parametrize("member", ["1.txt", "1.html"])
def test_inner_archives_share_one_limit(tmp_path, member):
    """Each is small enough by itself; a tar has to be unpacked even where nothing in it is wanted."""
    inner = packed(tmp_path, write_tar, {member: bytes(2**20)}, "in.tar.gz")
    outer = write_zip(tmp_path / "outer.zip", {f"{i}.tar.gz": inner for i in range(4)})

    assert len(read_all(outer, total_bytes=2**23)) == 4
    with pytest.raises(ValueError, match=r"outer.zip/\d.tar.gz unpacks to more than 3,145,728 bytes"):
        read_all(outer, total_bytes=3 * 2**20)
    with pytest.raises(ValueError, match="more than 7 entries"):
        read_all(outer, members=7)


@pytest.mark.parametrize("name", CLIMBING)
def test_inner_archives_are_trusted_no_more(tmp_path, name):
    inner = packed(tmp_path, write_zip, {name: b"evil"}, "in.zip")
    with pytest.raises(ValueError, match=r"outer.zip/in.zip holds the entry .* points outside the archive"):
        read_all(write_zip(tmp_path / "outer.zip", {"in.zip": inner}))


def test_damaged_inner_archives_are_named(tmp_path):
    inner = packed(tmp_path, write_zip, FILES, "in.zip")
    with pytest.raises(ValueError, match=r"outer.zip/in.zip is damaged or cut short"):
        read_all(write_zip(tmp_path / "outer.zip", {"in.zip": inner[:-30]}))
    with pytest.raises(ValueError, match=r"outer.zip/in.zip is neither a folder nor a tar or zip archive"):
        read_all(write_zip(tmp_path / "outer.zip", {"in.zip": b"text"}))


def test_gzip_files_are_bounded_and_checked():
    content = gzip.compress(bytes(2**20))
    assert decompress(content, "a.gz", limits=ArchiveLimits(member_bytes=2**20)) == bytes(2**20)
    with pytest.raises(ValueError, match=r"a.gz unpacks to more than 1,048,575 bytes"):
        decompress(content, "a.gz", limits=ArchiveLimits(member_bytes=2**20 - 1))
    for damaged in (content[:-5], content[:-8] + bytes(8), b"text"):
        with pytest.raises(ValueError, match="a.gz is damaged or cut short"):
            decompress(damaged, "a.gz")
