"""What lies inside downloaded archives, written beside them for the readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cndts._whole_file import whole_file
from cndts.datasets._archives import ArchiveLimits, decompress, is_archive_name, read_files

# a national file lies beside the state files of a weather archive; it is passed over, but has to be passed
_LIMITS = ArchiveLimits(member_bytes=2**30)


def unpacked(path: Path) -> list[Path]:
    """The archives inside an archive, written beside it, or the archive itself if there are none.

    Only plain members are written, under the last part of their names; :func:`read_files` refuses unsafe archives.
    """
    inner = [_beside(path, name, content) for name, content in read_files(path, is_archive_name) if content is not None]
    return inner or [path]


def decompressed(path: Path) -> Path:
    """The content of a ``.gz`` file, written beside it under its name without that ending."""
    return _beside(path, path.name.removesuffix(".gz"), decompress(path.read_bytes(), str(path)))


def decompressed_members(path: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """The contents of ``.gz`` files inside an archive, written beside it under their names without that ending."""
    return [
        _beside(path, name.removesuffix(".gz"), decompress(content, f"{path}/{name}"))
        for name, content in read_files(path, wanted, limits=_LIMITS)
        if content is not None
    ]


def _beside(path: Path, name: str, content: bytes) -> Path:
    target = path.parent / f"{path.stem}.contents" / name.rsplit("/", 1)[-1]
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as unfinished:
        Path(unfinished).write_bytes(content)
    return target
