"""What readers are pointed at: single files, folders and archives, or lists of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cndts.datasets._archives import (
    ArchiveLimits,
    decompress,
    is_archive_name,
    is_visible,
    read_file,
    read_files,
    read_nested,
    unpacked_name,
)

PathLike = str | os.PathLike[str]


def as_paths(given: object, name: str = "path") -> list[PathLike]:
    """One path or several as a list that is not empty."""
    paths: list[PathLike] = [given] if isinstance(given, (str, os.PathLike)) else _listed(given, name)
    if not paths or not all(os.fspath(each) for each in paths):
        raise ValueError(f"got an empty {'path' if paths else 'list'} for {name}; give a file, folder or archive.")
    return paths


def _listed(given: object, name: str) -> list[PathLike]:
    paths: list[Any] = list(given) if isinstance(given, Sequence) else [given]
    for each in paths:
        if not isinstance(each, (str, os.PathLike)):
            raise TypeError(f"{name} must be a path or a list of paths; got {_shortly(each)}.")
    return paths


def _shortly(given: object) -> str:
    """Numbers and None as they are, of tables and panels the kind alone."""
    return repr(given) if given is None or isinstance(given, (int, float)) else type(given).__name__


def read_sources(
    paths: Sequence[PathLike], wanted: Callable[[str], bool], *, limits: ArchiveLimits | None = None
) -> Iterator[tuple[str, bytes | None]]:
    """Name and content of every file, whether named itself or found below a folder or in an archive.

    Archives inside an archive are opened, those in a folder are not: they often lie beside what they hold.

    Parameters
    ----------
    paths : sequence of path-like
    wanted : callable
        ``wanted(name)`` says whether a file holds data. A file named itself is read if it is wanted, else it must be an
        archive, or ``x.gz`` where ``x`` is wanted. Hidden files are never wanted.
    limits : ArchiveLimits, optional
        Larger contents are refused.

    Yields
    ------
    name : str
    content : bytes or None
        None for files that are not wanted, and for files that an archive holds a second time, packed and not.
    """

    def visible(name: str) -> bool:
        return is_visible(name) and wanted(name)

    for path in paths:
        name = os.path.basename(path)
        inside = unpacked_name(name)
        if os.path.isdir(path):
            yield from read_files(path, visible, limits=limits)
        elif os.path.isfile(path) and visible(name):
            yield name, read_file(path)
        elif os.path.isfile(path) and inside is not None and visible(inside):
            yield inside, decompress(read_file(path) or b"", str(path), limits=limits)
        else:
            yield from _once(read_nested(path, visible, limits=limits))


def check_choice(name: str, got: object, allowed: Sequence[str]) -> None:
    """An error unless an option is one of the allowed words."""
    if got not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}; got {got!r}.")


def nothing_found(paths: Sequence[PathLike], wanted: str, others: Sequence[str]) -> ValueError:
    """The error for sources without a file of data."""
    where = ", ".join(map(str, paths[:3])) + (", ..." if len(paths) > 3 else "")
    shown = ", ".join(map(repr, others[:3])) or "no files"
    more = f" and {len(others) - 3:,} more file{'s' if len(others) > 4 else ''}" if len(others) > 3 else ""
    packed = any(is_archive_name(each) for each in others)
    remedy = "archives in a folder are not opened, pass them directly" if packed else "check path and reader"
    return ValueError(f"{where} holds no data of the kind wanted: wanted {wanted}, got {shown}{more}; {remedy}.")


def with_line_feeds(text: bytes) -> bytes:
    """The text with line feeds only, the last line ended, and without a byte order mark or NUL."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\0" in text:
        text = text.replace(b"\0", b"?")
    return text if text.endswith(b"\n") or not text else text + b"\n"


def _once(entries: Iterator[tuple[str, bytes | None]]) -> Iterator[tuple[str, bytes | None]]:
    """Publishers put the same file in twice, packed and not; a file of the same name elsewhere is another one."""
    met: dict[tuple[str, bytes], list[str]] = {}
    for name, content in entries:
        if content is not None:
            same = met.setdefault((name.rsplit("/", 1)[-1], hashlib.sha256(content).digest()), [])
            if any(_packed_and_not(name, other) for other in same):
                content = None
            same.append(name)
        yield name, content


def _packed_and_not(name: str, other: str) -> bool:
    """Whether one lies in an archive beside the other."""
    one, two = _around(name), _around(other)
    return name == other or one != two and (one[: len(two)] == two or two[: len(one)] == one)


def _around(name: str) -> list[str]:
    """The archives around a file."""
    parts = name.split("/")
    return ["/".join(parts[: end + 1]) for end in range(len(parts) - 1) if is_archive_name(parts[end])]
