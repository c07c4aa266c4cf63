"""Whether files in the cache are the ones that were meant."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from cndts._whole_file import whole_file
from cndts.datasets._archives import is_visible, read_nested
from cndts.datasets._remote import RemoteFile

Verdict = Literal["pinned", "contents", "recorded", "unknown", "misnamed", "differs", "absent"]

RECORDS = "checksums.json"


def contents_digest(path: Path, pattern: str, *, any_name: bool = False) -> str:
    """SHA-256 over names and contents of the visible members of an archive whose last part of the name fits a pattern.

    Packing, order, folders and time stamps do not count, nor whether members lie in an archive inside the archive; nor,
    with ``any_name``, which kind of archive the name of the file promises.
    """

    def fits(name: str) -> bool:
        return is_visible(name) and fnmatch.fnmatch(name.rsplit("/", 1)[-1], pattern)

    found: set[tuple[str, str]] = set()
    for name, content in read_nested(path, fits, any_name=any_name):
        if content is not None:
            # a set, since publishers put the same file in twice, packed and not; two files of one name both count
            found.add((name.rsplit("/", 1)[-1], hashlib.sha256(content).hexdigest()))
    return _joint_digest(found)


def _joint_digest(found: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(found))
    return hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verdict(path: Path, file: RemoteFile) -> Verdict:
    """What can be said about a downloaded file.

    Returns
    -------
    str
        ``"pinned"``: it has the checksum that this package names. ``"contents"``: its members have that are known here,
        and the whole is what was downloaded first. ``"recorded"``: it is what was downloaded first. ``"unknown"``:
        nothing is known. ``"misnamed"``: its members have the checksum that is known here, but it is another kind of
        archive than its name says, or the one member itself. ``"differs"``: it is something else. ``"absent"``: it is not there.
    """
    if not path.is_file():
        return "absent"
    digest = file_digest(path)
    if digest == file.sha256 or file.md5 is not None and _md5(path) == file.md5:
        return "pinned"
    recorded = _recorded(path.parent).get(path.name)
    if recorded not in (None, digest):
        return "differs"
    if file.contents is not None and _same_contents(path, *file.contents):
        return "contents"
    if file.contents is not None and _is_misnamed(path, digest, *file.contents):
        return "misnamed"
    if file.is_known:
        return "differs"
    return "unknown" if recorded is None else "recorded"


def record(path: Path) -> None:
    """Remember the checksum of a file that is not known byte for byte."""
    known = _recorded(path.parent)
    if path.name not in known:
        with whole_file(path.parent / RECORDS) as unfinished:
            Path(unfinished).write_text(json.dumps({**known, path.name: file_digest(path)}, indent=1), encoding="utf-8")


def forget(path: Path) -> None:
    """Forget a recorded checksum, so that the file may be replaced."""
    known = _recorded(path.parent)
    if known.pop(path.name, None) is not None:
        with whole_file(path.parent / RECORDS) as unfinished:
            Path(unfinished).write_text(json.dumps(known, indent=1), encoding="utf-8")


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _is_misnamed(path: Path, whole: str, pattern: str, digest: str) -> bool:
    return _joint_digest([(pattern, whole)]) == digest or _same_contents(path, pattern, digest, any_name=True)


def _same_contents(path: Path, pattern: str, digest: str, *, any_name: bool = False) -> bool:
    try:
        return contents_digest(path, pattern, any_name=any_name) == digest
    except (ValueError, OSError):
        return False


def _recorded(folder: Path) -> dict[str, str]:
    try:
        known = json.loads((folder / RECORDS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in known.items()} if isinstance(known, dict) else {}
