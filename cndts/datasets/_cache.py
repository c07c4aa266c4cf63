"""What readers keep of files they have read: arrays in checked, versioned files that may be deleted at any time."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cndts._whole_file import whole_file

logger = logging.getLogger(__name__)

_LAYOUT = 1


def cache_folder(cache: bool | str | os.PathLike[str]) -> Path | None:
    """Where to keep read data: None for False, the given folder, or the default for True.

    The default is the folder named by the environment variable ``CNDTS_CACHE``, else the platform's cache folder
    (``~/.cache/cndts`` on Linux).

    Examples
    --------
    >>> cache_folder(False) is None
    True
    >>> cache_folder("somewhere").name
    'somewhere'
    """
    if cache is False or cache is None:
        return None
    if cache is not True:
        return Path(cache).expanduser()
    if os.environ.get("CNDTS_CACHE"):
        return Path(os.environ["CNDTS_CACHE"]).expanduser()
    import pooch

    return Path(pooch.os_cache("cndts"))


class ArrayCache:
    """Named arrays and a JSON header per key, one ``.npz`` file each.

    A file is written under another name and then moved into place, so readers and concurrent writers only ever see
    whole files. A checksum over the arrays and the header is stored inside; a file that is damaged, of another
    layout or for another key counts as absent. Nothing is pickled.

    Parameters
    ----------
    folder : path-like
        Created when the first entry is stored.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = ArrayCache(folder)
    ...     cache.store("some-key", {"x": np.arange(3)}, {"note": "counted"})
    ...     arrays, header = cache.load("some-key")
    ...     print(arrays["x"], header, cache.load("other-key"))
    [0 1 2] {'note': 'counted'} None
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def path(self, key: str) -> Path:
        """The file of a key."""
        return self.folder / f"{key}.npz"

    def load(self, key: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """Arrays and header stored under ``key``, or None."""
        try:
            # opened here, because np.load leaves files open that it cannot read
            with self.path(key).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            envelope = json.loads(arrays.pop("header").tobytes())
            if envelope["layout"] != _LAYOUT or envelope["checksum"] != _checksum(key, arrays, envelope["header"]):
                raise ValueError("its checksum or layout differs")
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 (a damaged file can raise anything, and the source is still there)
            logger.info("cached file %s is ignored: %s", self.path(key), error)
            return None
        return arrays, envelope["header"]

    def store(self, key: str, arrays: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> None:
        """Keep arrays and a JSON-able header under ``key``; a folder that cannot be written to is only logged."""
        objects = [name for name, array in arrays.items() if array.dtype.hasobject]
        if objects:
            raise TypeError(f"only plain numbers can be cached; {objects[0]!r} holds Python objects.")
        header = json.loads(json.dumps(header))
        envelope = {"layout": _LAYOUT, "checksum": _checksum(key, arrays, header), "header": header}
        encoded = np.frombuffer(json.dumps(envelope).encode(), dtype=np.uint8)
        try:
            self._write(key, {"header": encoded, **arrays})
        except OSError as error:
            logger.warning("cannot keep read data in %s: %s", self.folder, error)

    def _write(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        named: dict[str, Any] = dict(arrays)
        with whole_file(self.path(key)) as unfinished, open(unfinished, "wb") as file:
            np.savez(file, **named)


def _checksum(key: str, arrays: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> str:
    digest = hashlib.blake2b(json.dumps([key, header], sort_keys=True).encode(), digest_size=16)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.data.cast("B") if array.size else b"")
    return digest.hexdigest()
