"""Reading the files of a folder, tar or zip archive into memory, without trusting the archive."""

from __future__ import annotations

import bz2
import gzip
import hashlib
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
from typing import IO, Any

_MAGIC = {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}
_TAR_NAMES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
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
    """How much an archive may unpack to before it is refused.

    Parameters
    ----------
    member_bytes : int
        Largest single file.
    total_bytes : int
        All files together, tar headers included.
    members : int
        Number of entries.
    """

    member_bytes: int = 256 * 2**20
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
    path = _existing(path)
    limits = limits or ArchiveLimits()
    entries = _read_folder(path, wanted, limits) if path.is_dir() else _read_archive(path, wanted, limits)
    total = 0
    for count, (name, content) in enumerate(entries, start=1):
        total += len(content or b"")
        if count > limits.members:
            raise ValueError(f"{path} holds more than {limits.members:,} entries; it is refused as a possible bomb.")
        _check_total(path, total, limits)
        yield name, content


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
    for name, content in _read_folder(path, wanted, ArchiveLimits()):
        # lengths keep ("ab", "c") and ("a", "bc") apart
        digest.update(f"{len(name)}:{-1 if content is None else len(content)}:".encode())
        digest.update(name.encode(errors="surrogateescape"))
        digest.update(content or b"")
    return digest.hexdigest()


def _existing(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"there is no file or folder {str(path)!r}; check the path (working in {os.getcwd()!r})."
        )
    return path


def _read_folder(
    path: Path, wanted: Callable[[str], bool], limits: ArchiveLimits
) -> Iterator[tuple[str, bytes | None]]:
    for folder, folders, names in os.walk(path):
        folders.sort()
        prefix = Path(folder).relative_to(path).as_posix().removeprefix(".")
        for name in sorted(names):
            full = os.path.join(folder, name)
            inside = f"{prefix}/{name}" if prefix else name
            yield inside, _content(path, full, limits) if wanted(inside) else None


def _content(path: Path, file: str, limits: ArchiveLimits) -> bytes | None:
    if not os.path.isfile(file):  # a pipe would block the reader for ever, a dangling link has no content
        return None
    with open(file, "rb", buffering=0) as opened:
        _check_size(path, file, os.fstat(opened.fileno()).st_size, limits)
        return opened.read()


def _read_archive(
    path: Path, wanted: Callable[[str], bool], limits: ArchiveLimits
) -> Iterator[tuple[str, bytes | None]]:
    reader = _read_zip if _kind(path) == "zip" else _read_tar
    try:
        yield from reader(path, wanted, limits)
    except _DAMAGE as error:
        raise ValueError(
            f"{path} is damaged or cut short ({type(error).__name__}: {error}); fetch it again and compare its checksum."
        ) from error


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(512)
    kind = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)
    if kind is None and _is_tar_header(start):
        kind = "tar"
    if kind is None:
        raise ValueError(
            f"{path} is neither a folder nor a tar or zip archive (it starts with {start[:16]!r}); "
            "give the folder, .tar, .tar.gz, .tgz or .zip as published."
        )
    name = path.name.lower()
    if kind == "zip" and name.endswith(_TAR_NAMES) or kind != "zip" and name.endswith(".zip"):
        raise ValueError(
            f"{path} is named like a {'tar' if kind == 'zip' else 'zip'} archive but holds {kind} data; "
            "rename it to what it is, or fetch it again."
        )
    return kind


def _is_tar_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def _check_name(path: Path, name: str) -> str:
    """The name with forward slashes; a name that leaves the archive is an error."""
    parts = re.split(r"[/\\]", name)
    if parts[0] == "" or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise ValueError(
            f"{path} holds the entry {name!r}, whose name points outside the archive; "
            "such archives are refused, get it from the publisher."
        )
    return "/".join(part for part in parts if part != ".")


def _check_size(path: Path, name: str, size: int, limits: ArchiveLimits) -> None:
    if not 0 <= size <= limits.member_bytes:
        raise ValueError(
            f"{path} holds the entry {name!r} of {size:,} bytes; entries above {limits.member_bytes:,} bytes are refused."
        )


def _check_total(path: Path, total: int, limits: ArchiveLimits) -> None:
    if total > limits.total_bytes:
        raise ValueError(f"{path} unpacks to more than {limits.total_bytes:,} bytes; it is refused as a possible bomb.")


def _refuse(path: Path, name: str, what: str) -> ValueError:
    return ValueError(f"{path} holds {what} ({name!r}); only plain files are read, get it from the publisher.")


# ---- zip -----------------------------------------------------------------------------------------


def _read_zip(path: Path, wanted: Callable[[str], bool], limits: ArchiveLimits) -> Iterator[tuple[str, bytes | None]]:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        _check_total(path, sum(member.file_size for member in members), limits)
        for member in members:
            name = _check_name(path, member.filename)
            mode = member.external_attr >> 16
            if member.flag_bits & 1:
                raise ValueError(
                    f"{path} is encrypted (entry {name!r}); unpack it with its password and read the folder."
                )
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refuse(path, name, "a link or device")
            _check_size(path, name, member.file_size, limits)
            if not member.is_dir():
                yield name, archive.read(member) if wanted(name) else None


# ---- tar -----------------------------------------------------------------------------------------


def _read_tar(path: Path, wanted: Callable[[str], bool], limits: ArchiveLimits) -> Iterator[tuple[str, bytes | None]]:
    with _open_stream(path) as raw:
        stream = _LimitedReader(path, raw, limits)
        with tarfile.open(fileobj=stream, mode="r|", bufsize=2**18) as archive:  # type: ignore[call-overload]
            for member in archive:
                name = _check_name(path, member.name)
                if not (member.isreg() or member.isdir()):
                    raise _refuse(path, name, "a link or device")
                _check_size(path, name, member.size, limits)
                if member.isreg():
                    yield name, _member_content(archive, member) if wanted(name) else None
            _check_end(archive.fileobj)
        while stream.read(2**20):  # to its end, where the compressed formats keep their checksum
            pass


def _open_stream(path: Path) -> IO[bytes]:
    openers: dict[str, Any] = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open, "tar": open}
    return openers[_kind(path)](path, "rb")


def _member_content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    content = b"" if file is None else file.read()
    if len(content) != member.size:
        raise EOFError(f"{member.name!r} ends after {len(content)} of {member.size} bytes")
    return content


def _check_end(rest: IO[bytes] | None) -> None:
    """An archive ends with zeros; tarfile stops without a word at a header that it cannot read."""
    block = rest.read(512) if rest else b""
    if not block or block.strip(b"\0"):
        raise EOFError("the mark at the end of the archive is missing")


class _LimitedReader:
    """A stream that refuses to unpack more than the limits allow."""

    def __init__(self, path: Path, stream: IO[bytes], limits: ArchiveLimits) -> None:
        self._path, self._stream, self._limits, self._total = path, stream, limits, 0

    def read(self, size: int = -1) -> bytes:
        room = self._limits.total_bytes - self._total + 1
        data = self._stream.read(room if size < 0 else min(size, room))
        self._total += len(data)
        _check_total(self._path, self._total, self._limits)
        return data
