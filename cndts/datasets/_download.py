"""Downloads that go on where they were interrupted."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

Progress = Callable[[int, int | None], None]

_CHUNK = 2**16  # a broken connection loses less than one
_LONGEST_PAUSE = 30.0
_BUSY = (408, 425, 429, 500, 502, 503, 504)


class _Again(Exception):
    """The server was busy, or the connection broke: worth another attempt."""


class ResumingDownloader:
    """A downloader for pooch that keeps what it has when the connection breaks.

    Unfinished files lie beside the finished one, called ``.part``; a later call, in this process or another, asks the
    server for the rest only, and for all of it if the file has changed there since (``If-Range``).

    Parameters
    ----------
    part : path-like
        The unfinished file.
    retries : int, default=5
        Further attempts after the first, with pauses that double.
    pause : float, default=1.0
        Seconds before the second attempt.
    timeout : float, default=30.0
        Seconds without a byte after which a connection counts as broken.
    progress : callable, optional
        Called with the number of bytes so far and in all (None if the server does not say).

    Raises
    ------
    ConnectionError
        The server cannot be reached, refuses, or breaks off every time.
    RuntimeError
        Another process is downloading the same file.
    """

    def __init__(
        self,
        part: str | os.PathLike[str],
        *,
        retries: int = 5,
        pause: float = 1.0,
        timeout: float = 30.0,
        progress: Progress | None = None,
    ) -> None:
        self.part = Path(part)
        self.retries, self.pause, self.timeout, self.progress = retries, pause, timeout, progress

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> None:
        """Download ``url``; called by pooch."""
        with _only_one(self.part):
            for attempt in range(self.retries + 1):
                try:
                    self._get(url)
                    break
                except _Again as error:
                    if attempt == self.retries:
                        raise ConnectionError(f"{error} ({attempt + 1} attempts)") from error
                    logger.info("%s: %s; trying again", url, error)
                    time.sleep(min(self.pause * 2**attempt, _LONGEST_PAUSE))
            os.replace(self.part, output_file)
            self._about.unlink(missing_ok=True)

    @property
    def _about(self) -> Path:
        return self.part.with_name(f"{self.part.name}.json")

    def _get(self, url: str) -> None:
        """One attempt; what has arrived stays in the unfinished file."""
        import requests

        try:
            with requests.get(url, headers=self._headers(url), stream=True, timeout=self.timeout) as response:
                self._check_status(response)
                self._write(url, response)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _Again(f"the connection failed: {_reason(error)}") from error
        except requests.RequestException as error:
            raise ConnectionError(f"the server refused: {_reason(error)}") from error

    def _headers(self, url: str) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        have = self.part.stat().st_size if self.part.is_file() else 0
        validator = self._validator(url)
        if have and validator:
            headers |= {"Range": f"bytes={have}-", "If-Range": validator}
        return headers

    def _validator(self, url: str) -> str:
        """What the server called the version that the unfinished file is of."""
        try:
            about = json.loads(self._about.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        same = isinstance(about, dict) and about.get("url") == url
        return str(about.get("validator", "")) if same else ""

    def _check_status(self, response: Any) -> None:
        if response.status_code == 416:  # nothing is left, or the file is shorter now
            self.part.unlink(missing_ok=True)
            raise _Again("the server does not have the part asked for")
        if response.status_code in _BUSY:
            raise _Again(f"the server answers {response.status_code} {response.reason}")
        response.raise_for_status()

    def _write(self, url: str, response: Any) -> None:
        have = self.part.stat().st_size if self.part.is_file() else 0
        goes_on = response.status_code == 206
        if goes_on and not str(response.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
            self.part.unlink(missing_ok=True)
            raise _Again("the server sent another part than was asked for")
        validator = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        if not goes_on:
            have = 0
            # a weak tag does not promise the same bytes
            strong = "" if validator.startswith("W/") else validator
            self._about.write_text(json.dumps({"url": url, "validator": strong}), encoding="utf-8")
        length = response.headers.get("Content-Length")
        total = have + int(length) if length and length.isdigit() else None
        with self.part.open("ab" if goes_on else "wb") as file:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                have += len(chunk)
                if self.progress is not None:
                    self.progress(have, total)
        if total is not None and have < total:
            raise _Again(f"the connection ended after {have:,} of {total:,} bytes")


def _reason(error: BaseException) -> str:
    """The innermost words of requests' nested errors."""
    inner: BaseException = error
    while inner.args and isinstance(inner.args[-1], BaseException):
        inner = inner.args[-1]
    return str(getattr(inner, "reason", None) or inner) or type(inner).__name__


@contextmanager
def _only_one(part: Path) -> Iterator[None]:
    """Keep other processes from writing to the same unfinished file, where the platform can."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with part.with_name(f"{part.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RuntimeError(f"another process is downloading {part}; wait for it, then call again.") from None
        try:
            yield
        finally:
            Path(lock.name).unlink(missing_ok=True)
