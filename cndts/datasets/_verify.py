"""Whether files in the cache are the ones that were meant."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from pathlib import Path
from typing import Literal

from cndts._whole_file import whole_file
from cndts.datasets._archives import read_files
from cndts.datasets._remote import RemoteFile

Verdict = Literal["pinned", "contents", "recorded", "unknown", "differs", "absent"]

_RECORDS = "checksums.json"


def contents_digest(path: Path, pattern: str) -> str:
    """SHA-256 over names and contents of the members of an archive whose last part of the name fits a pattern.

    Packing, order, folders and time stamps do not count.
    """
    found: dict[str, str] = {}
    for name, content in read_files(path, lambda name: fnmatch.fnmatch(name.rsplit("/", 1)[-1], pattern)):
        if content is not None:
            found[name.rsplit("/", 1)[-1]] = hashlib.sha256(content).hexdigest()
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(found.items()))
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
        ``"pinned"``: it has the checksum that this package names. ``"contents"``: its members have. ``"recorded"``: it
        is what was downloaded first. ``"unknown"``: nothing is known. ``"differs"``: it is something else.
        ``"absent"``: it is not there.
    """
    if not path.is_file():
        return "absent"
    digest = file_digest(path)
    if digest == file.sha256:
        return "pinned"
    if file.contents is not None and _same_contents(path, *file.contents):
        return "contents"
    if file.sha256 is not None or file.contents is not None:
        return "differs"
    recorded = _recorded(path.parent).get(path.name)
    return "unknown" if recorded is None else "recorded" if recorded == digest else "differs"


def record(path: Path) -> None:
    """Remember the checksum of a file that nothing is known about."""
    known = _recorded(path.parent)
    if path.name not in known:
        with whole_file(path.parent / _RECORDS) as unfinished:
            Path(unfinished).write_text(json.dumps({**known, path.name: file_digest(path)}, indent=1), encoding="utf-8")


def forget(path: Path) -> None:
    """Forget a recorded checksum, so that the file may be replaced."""
    known = _recorded(path.parent)
    if known.pop(path.name, None) is not None:
        with whole_file(path.parent / _RECORDS) as unfinished:
            Path(unfinished).write_text(json.dumps(known, indent=1), encoding="utf-8")


def _same_contents(path: Path, pattern: str, digest: str) -> bool:
    try:
        return contents_digest(path, pattern) == digest
    except (ValueError, OSError):
        return False


def _recorded(folder: Path) -> dict[str, str]:
    try:
        known = json.loads((folder / _RECORDS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in known.items()} if isinstance(known, dict) else {}
