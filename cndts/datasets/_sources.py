"""What readers are pointed at: single files, folders and archives, or lists of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from cndts.datasets._archives import read_file, read_files

PathLike = str | os.PathLike[str]


def as_paths(given: object, name: str = "path") -> list[PathLike]:
    """One path or several as a list that is not empty."""
    if isinstance(given, (str, os.PathLike)):
        return [given]
    if not isinstance(given, Sequence) or not all(isinstance(each, (str, os.PathLike)) for each in given):
        raise TypeError(f"{name} must be a path or a list of paths; got {given!r}.")
    if not given:
        raise ValueError(f"got an empty list for {name}; give a file, folder or archive.")
    return list(given)


def read_sources(paths: Sequence[PathLike], wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes | None]]:
    """Name and content of every file, whether named itself or found below a folder or in an archive.

    Parameters
    ----------
    paths : sequence of path-like
    wanted : callable
        ``wanted(name)`` says whether a file holds data. A file named itself is read if it is wanted, else it must be an
        archive. Hidden files are never wanted.

    Yields
    ------
    name : str
    content : bytes or None
        None for files that are not wanted.
    """
    for path in paths:
        if os.path.isfile(path) and _visible(wanted, os.path.basename(path)):
            yield os.path.basename(path), read_file(path)
        else:
            yield from read_files(path, lambda name: _visible(wanted, name))


def check_choice(name: str, got: object, allowed: Sequence[str]) -> None:
    """An error unless an option is one of the allowed words."""
    if got not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}; got {got!r}.")


def nothing_found(paths: Sequence[PathLike], wanted: str, others: Sequence[str]) -> ValueError:
    """The error for sources without a file of data."""
    where = ", ".join(map(str, paths[:3])) + (", ..." if len(paths) > 3 else "")
    shown = ", ".join(map(repr, others[:3])) or "no files"
    more = f" and {len(others) - 3:,} more files" if len(others) > 3 else ""
    return ValueError(
        f"{where} holds no data of the kind wanted: wanted {wanted}, got {shown}{more}; "
        "archives inside are not opened, pass them directly."
    )


def with_line_feeds(text: bytes) -> bytes:
    """The text with line feeds only, the last line ended, and without a byte order mark or NUL."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\0" in text:
        text = text.replace(b"\0", b"?")
    return text if text.endswith(b"\n") or not text else text + b"\n"


def _visible(wanted: Callable[[str], bool], name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return not parts[-1].startswith(".") and "__MACOSX" not in parts and wanted(name)
