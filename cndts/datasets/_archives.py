"""Reading the files of a folder, tar or zip archive into memory, without trusting the archive."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

_MAGIC = {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}
_TAR_NAMES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_DEEPEST = 3  # levels of archives in archives; publishers use one
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
)


@dataclass(frozen=True)
class ArchiveLimits:
    """How much a folder may hold, or an archive unpack to, before it is refused.

    Parameters
    ----------
    member_bytes : int
        Largest single file of an archive, whose packed size says nothing.
    file_bytes : int
        Largest file on disk, in a folder or named itself.
    total_bytes : int
        All files together, tar headers included.
    members : int
        Number of entries.
    """

    member_bytes: int = 256 * 2**20
    file_bytes: int = 4 * 2**30
    total_bytes: int = 4 * 2**30
    members: int = 500_000


def read_files(
    path: str | os.PathLike[str], wanted: Callable[[str], bool], *, limits: ArchiveLimits | None = None
) -> Iterator[tuple[str, bytes | None]]:
    """Name and content of every file below a folder or in an archive; nothing is written to disk.

    Parameters
    ----------
    path : path-like
        A folder, a tar archive (plain or compressed with gzip, bzip2 or xz) or a zip archive. The kind is taken
        from the content; a name that promises the other kind is an error.
    wanted : callable
        ``wanted(name)`` says whether to read a file. The others come back with None for their content.
    limits : ArchiveLimits, optional
        Larger contents are refused.

    Yields
    ------
    name : str
        Name inside the folder or archive, with ``/`` between folders.
    content : bytes or None

    Raises
    ------
    FileNotFoundError
        Nothing is at ``path``.
    ValueError
        The file is no archive, is damaged, unpacks to more than ``limits``, or holds an absolute or climbing name,
        a link or a device.
    """
    yield from _entries(_existing(path), wanted, _Budget(limits or ArchiveLimits()))


def read_nested(
    path: str | os.PathLike[str],
    wanted: Callable[[str], bool],
    *,
    limits: ArchiveLimits | None = None,
    any_name: bool = False,
) -> Iterator[tuple[str, bytes | None]]:
    """As :func:`read_files`, with the files of archives inside in place of these, at most three levels deep.

    Where ``x`` is wanted and ``x.gz`` is not, ``x.gz`` is unpacked and called ``x``.

    Parameters
    ----------
    path : path-like
        Folder or archive.
    wanted : callable
        As for :func:`read_files`; it sees the name inside the innermost archive.
    limits : ArchiveLimits, optional
        For all levels together.
    any_name : bool, default=False
        Whether a file may be named like an archive of another kind.

    Yields
    ------
    name : str
        With the names of the archives around it: ``"inner.zip/folder/1.txt"``.
    content : bytes or None

    Raises
    ------
    FileNotFoundError, ValueError
        As for :func:`read_files`, for the archives inside too.
    """
    path, budget = _existing(path), _Budget(limits or ArchiveLimits())
    source = _Packed(str(path), path, any_name=True) if any_name and path.is_file() else path
    yield from _descend(_entries(source, _to_open(wanted), budget), str(path), wanted, budget, 0)


def is_visible(name: str) -> bool:
    """Whether a name is that of a file somebody meant to be there: not hidden, nor added by macOS.

    Examples
    --------
    >>> is_visible("data/S1.csv"), is_visible("data/.S1.csv"), is_visible("__MACOSX/data/S1.csv")
    (True, False, False)
    """
    parts = name.lower().replace("\\", "/").split("/")
    return not parts[-1].startswith(".") and "__macosx" not in parts


def is_archive_name(name: str) -> bool:
    """Whether a file inside an archive is a visible archive by its name.

    Examples
    --------
    >>> is_archive_name("data/S1.ZIP"), is_archive_name("__MACOSX/data/._S1.ZIP"), is_archive_name("data/S1.csv.gz")
    (True, False, False)
    """
    return name.lower().endswith((".zip", *_TAR_NAMES)) and is_visible(name)


def unpacked_name(name: str) -> str | None:
    """What a ``.gz`` file is called without that ending, None for other files and for archives.

    Examples
    --------
    >>> unpacked_name("S1.csv.GZ"), unpacked_name("S1.tar.gz"), unpacked_name("S1.csv")
    ('S1.csv', None, None)
    """
    return name[:-3] if name.lower().endswith(".gz") and not name.lower().endswith(_TAR_NAMES) else None


def decompress(content: bytes, name: str, *, limits: ArchiveLimits | None = None) -> bytes:
    """What a gzip file holds.

    Raises
    ------
    ValueError
        It is none, is damaged, or holds more than ``limits.member_bytes``.

    Examples
    --------
    >>> decompress(gzip.compress(b"abc"), "three.txt.gz")
    b'abc'
    """
    limits = limits or ArchiveLimits()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            found = stream.read(limits.member_bytes + 1)
    except _DAMAGE as error:
        raise _damaged(name, error) from error
    if len(found) > limits.member_bytes:
        raise ValueError(
            f"{name} unpacks to more than {limits.member_bytes:,} bytes; it is refused as a possible bomb."
        )
    return found


def fingerprint(path: str | os.PathLike[str], wanted: Callable[[str], bool]) -> str:
    """SHA-256 of an archive, or of the names and contents of the wanted files below a folder.

    Parameters
    ----------
    path : path-like
        Folder or archive.
    wanted : callable
        As for :func:`read_files`; of the other files in a folder only the names count.
    """
    path = _existing(path)
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for name, content in _read_folder(path, wanted, _Budget(ArchiveLimits())):
        # lengths keep ("ab", "c") and ("a", "bc") apart
        digest.update(f"{len(name)}:{-1 if content is None else len(content)}:".encode())
        digest.update(name.encode(errors="surrogateescape"))
        digest.update(content or b"")
    return digest.hexdigest()


class _Budget:
    """How much of the limits is spent; archives inside archives spend from the same."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self.limits, self._bytes, self._members = limits, 0, 0

    @property
    def left(self) -> int:
        return self.limits.total_bytes - self._bytes

    def spend(self, where: str, size: int) -> None:
        self.check(where, size)
        self._bytes += size

    def check(self, where: str, size: int) -> None:
        if size > self.left:
            raise ValueError(
                f"{where} unpacks to more than {self.limits.total_bytes:,} bytes; it is refused as a possible bomb."
            )

    def count(self, where: str) -> None:
        self._members += 1
        if self._members > self.limits.members:
            raise ValueError(
                f"{where} holds more than {self.limits.members:,} entries; it is refused as a possible bomb."
            )


@dataclass(frozen=True)
class _Packed:
    """An archive on disk, or in memory if it was found in another one."""

    name: str
    place: Path | bytes
    any_name: bool = False

    def open(self) -> IO[bytes]:
        return io.BytesIO(self.place) if isinstance(self.place, bytes) else self.place.open("rb")


def _entries(
    source: Path | _Packed, wanted: Callable[[str], bool], budget: _Budget
) -> Iterator[tuple[str, bytes | None]]:
    if isinstance(source, Path) and source.is_dir():
        where, entries = str(source), _read_folder(source, wanted, budget)
    else:
        packed = _Packed(str(source), source) if isinstance(source, Path) else source
        where, entries = packed.name, _read_archive(packed, wanted, budget)
    for name, content in entries:
        budget.count(where)
        yield name, content


def _to_open(wanted: Callable[[str], bool]) -> Callable[[str], bool]:
    """Which files to read: those that are wanted, and those in which such files may be."""

    def opened(name: str) -> bool:
        inside = unpacked_name(name)
        return wanted(name) or is_archive_name(name) or inside is not None and wanted(inside)

    return opened


def _descend(
    entries: Iterator[tuple[str, bytes | None]], where: str, wanted: Callable[[str], bool], budget: _Budget, depth: int
) -> Iterator[tuple[str, bytes | None]]:
    for name, content in entries:
        inside = unpacked_name(name)
        if content is not None and inside is not None and not wanted(name):
            content = decompress(content, f"{where}/{name}", limits=budget.limits)
            budget.spend(where, len(content))
            yield inside, content
            continue
        if content is None or not is_archive_name(name):
            yield name, content
            continue
        if depth == _DEEPEST:
            raise ValueError(
                f"{where} holds archives in archives, more than {_DEEPEST} deep; such archives are refused."
            )
        packed = _Packed(f"{where}/{name}", content)
        entries_inside = _entries(packed, _to_open(wanted), budget)
        for inner, found in _descend(entries_inside, packed.name, wanted, budget, depth + 1):
            yield f"{name}/{inner}", found


def _existing(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"there is no file or folder {str(path)!r}; check the path (working in {os.getcwd()!r})."
        )
    return path


def _read_folder(path: Path, wanted: Callable[[str], bool], budget: _Budget) -> Iterator[tuple[str, bytes | None]]:
    for folder, folders, names in os.walk(path):
        folders.sort()
        prefix = Path(folder).relative_to(path).as_posix().removeprefix(".")
        for name in sorted(names):
            full = os.path.join(folder, name)
            inside = f"{prefix}/{name}" if prefix else name
            content = read_file(full, budget.limits) if wanted(inside) else None
            budget.spend(str(path), len(content or b""))
            yield inside, content


def read_file(path: str | os.PathLike[str], limits: ArchiveLimits | None = None) -> bytes | None:
    """Content of a file on disk; None for what is no plain file, a ValueError above ``limits.file_bytes``."""
    if not os.path.isfile(path):  # a pipe would block the reader for ever, a dangling link has no content
        return None
    limit = (limits or ArchiveLimits()).file_bytes
    with open(path, "rb", buffering=0) as opened:
        size = os.fstat(opened.fileno()).st_size
        if size > limit:
            raise ValueError(f"{os.fspath(path)} has {size:,} bytes; files above {limit:,} bytes are refused.")
        return opened.read()


def _read_archive(
    packed: _Packed, wanted: Callable[[str], bool], budget: _Budget
) -> Iterator[tuple[str, bytes | None]]:
    reader = _read_zip if _kind(packed) == "zip" else _read_tar
    try:
        yield from reader(packed, wanted, budget)
    except _DAMAGE as error:
        raise _damaged(packed.name, error) from error


def _damaged(where: str, error: Exception) -> ValueError:
    return ValueError(
        f"{where} is damaged or cut short ({type(error).__name__}: {error}); fetch it again and compare its checksum."
    )


def _kind(packed: _Packed) -> str:
    with packed.open() as file:
        start = file.read(512)
    kind = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)
    if kind is None and _is_tar_header(start):
        kind = "tar"
    if kind is None:
        raise ValueError(
            f"{packed.name} is neither a folder nor a tar or zip archive (it starts with {start[:16]!r}), nor named like "
            "the files that are read here; give the files, their folder, .tar, .tar.gz, .tgz or .zip as published."
        )
    name = "" if packed.any_name else packed.name.lower()
    if kind == "zip" and name.endswith(_TAR_NAMES) or kind != "zip" and name.endswith(".zip"):
        raise ValueError(
            f"{packed.name} is named like a {'tar' if kind == 'zip' else 'zip'} archive but holds {kind} data; "
            "rename it to what it is, or fetch it again."
        )
    return kind


def _is_tar_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def _check_name(where: str, name: str) -> str:
    """The name with forward slashes; a name that leaves the archive is an error."""
    parts = re.split(r"[/\\]", name)
    if parts[0] == "" or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise ValueError(
            f"{where} holds the entry {name!r}, whose name points outside the archive; "
            "such archives are refused, get it from the publisher."
        )
    return "/".join(part for part in parts if part != ".")


def _check_size(where: str, name: str, size: int, limits: ArchiveLimits) -> None:
    if not 0 <= size <= limits.member_bytes:
        raise ValueError(
            f"{where} holds the entry {name!r} of {size:,} bytes; entries above {limits.member_bytes:,} bytes are refused."
        )


def _refuse(where: str, name: str, what: str) -> ValueError:
    return ValueError(f"{where} holds {what} ({name!r}); only plain files are read, get it from the publisher.")


# ---- zip -----------------------------------------------------------------------------------------


def _read_zip(packed: _Packed, wanted: Callable[[str], bool], budget: _Budget) -> Iterator[tuple[str, bytes | None]]:
    where = packed.name
    with packed.open() as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        budget.check(where, sum(member.file_size for member in members))
        for member in members:
            name = _check_name(where, member.filename)
            mode = member.external_attr >> 16
            if member.flag_bits & 1:
                raise ValueError(
                    f"{where} is encrypted (entry {name!r}); unpack it with its password and read the folder."
                )
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refuse(where, name, "a link or device")
            _check_size(where, name, member.file_size, budget.limits)
            if member.is_dir():
                continue
            if wanted(name):
                budget.spend(where, member.file_size)
                yield name, archive.read(member)
            else:
                yield name, None


# ---- tar -----------------------------------------------------------------------------------------


def _read_tar(packed: _Packed, wanted: Callable[[str], bool], budget: _Budget) -> Iterator[tuple[str, bytes | None]]:
    where = packed.name
    with packed.open() as file, _decompressing(file, _kind(packed)) as raw:
        stream = _LimitedReader(where, raw, budget)
        with tarfile.open(fileobj=stream, mode="r|", bufsize=2**18, tarinfo=_Header) as archive:  # type: ignore[call-overload]
            for member in archive:
                name = _check_name(where, member.name)
                if not (member.isreg() or member.isdir()):
                    raise _refuse(where, name, "a link or device")
                _check_size(where, name, member.size, budget.limits)
                if member.isreg():
                    yield name, _member_content(archive, member) if wanted(name) else None
            _check_end(archive.fileobj)
        while stream.read(2**20):  # to its end, where the compressed formats keep their checksum
            pass


class _Header(tarfile.TarInfo):
    """The header of an entry; a damaged one is an error, where tarfile takes it for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.InvalidHeaderError as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(f"a header is damaged: {error}") from error


def _decompressing(file: IO[bytes], kind: str) -> IO[bytes]:
    openers: dict[str, Any] = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    return openers[kind](file, "rb") if kind in openers else file


def _member_content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    content = b"" if file is None else file.read()
    if len(content) != member.size:
        raise EOFError(f"{member.name!r} ends after {len(content)} of {member.size} bytes")
    return content


def _check_end(rest: IO[bytes] | None) -> None:
    """An archive ends with zeros; tarfile stops without a word where they are missing."""
    block = rest.read(512) if rest else b""
    if not block or block.strip(b"\0"):
        raise EOFError("the mark at the end of the archive is missing")


class _LimitedReader:
    """A stream that refuses to unpack more than the limits allow."""

    def __init__(self, where: str, stream: IO[bytes], budget: _Budget) -> None:
        self._where, self._stream, self._budget = where, stream, budget

    def read(self, size: int = -1) -> bytes:
        room = self._budget.left + 1
        data = self._stream.read(room if size < 0 else min(size, room))
        self._budget.spend(self._where, len(data))
        return data
