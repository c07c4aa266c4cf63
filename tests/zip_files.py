"""Zip archives of a few files, in memory."""

import io
import zipfile
from collections.abc import Mapping
from types import MappingProxyType


def zipped(files: Mapping[str, bytes | str] = MappingProxyType({}), /, **named: bytes | str) -> bytes:
    """The archive; in the names of arguments ``__`` stands for a slash and ``_dot_`` for a dot."""
    content = io.BytesIO()
    spelt = {name.replace("__", "/").replace("_dot_", "."): inside for name, inside in named.items()}
    with zipfile.ZipFile(content, "w") as archive:
        for name, inside in {**files, **spelt}.items():
            archive.writestr(name, inside)
    return content.getvalue()
