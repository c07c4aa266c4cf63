"""From a name of a data set to verified files in the cache."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cndts.datasets._cache import cache_folder
from cndts.datasets._download import Progress, ResumingDownloader
from cndts.datasets._remote import DATA_SETS, DataSet, RemoteFile
from cndts.datasets._verify import RECORDS, Verdict, file_digest, forget, record, verdict

PathLike = str | os.PathLike[str]


def data_set(name: str) -> DataSet:
    """The data set of this name.

    Raises
    ------
    ValueError
        There is none.

    Examples
    --------
    >>> data_set("physionet2019").licence
    'CC BY 4.0'
    """
    if name not in DATA_SETS:
        raise ValueError(f"there is no data set {name!r} to download; known are {', '.join(DATA_SETS)}.")
    return DATA_SETS[name]


def download_folder(name: str, folder: PathLike | None = None) -> Path:
    """Where the files of a data set lie: ``folder``, or ``downloads/NAME`` in the cache folder (``CNDTS_CACHE``)."""
    if folder is not None:
        return Path(folder).expanduser()
    return (cache_folder(True) or Path()) / "downloads" / name


def folder_below(name: str, root: PathLike | None = None) -> Path:
    """Where the command line keeps a data set: ``ROOT/NAME``, whatever else lies in ``ROOT``, or in the cache folder."""
    return download_folder(name, None if root is None else Path(root) / name)


def check_parts(word: str, given: Sequence[str], known: Sequence[str]) -> list[str]:
    """The parts of a data set that were asked for.

    Raises
    ------
    ValueError
        There is none, an unknown one, or one twice.

    Examples
    --------
    >>> check_parts("sets", ("b", "a"), ("a", "b", "c"))
    ['b', 'a']
    """
    names = [str(each) for each in given]
    if not names or set(names) - set(known) or len(set(names)) < len(names):
        raise ValueError(f"{word} must be some of {', '.join(map(repr, known))}, each once; got {given!r}.")
    return names


def fetch_files(
    name: str,
    *,
    only: Sequence[str] | None = None,
    folder: PathLike | None = None,
    download: bool = True,
    progress: bool = True,
    retries: int = 5,
    pause: float = 1.0,
) -> list[Path]:
    """The files of a data set, downloaded where they are not there yet, and verified.

    Parameters
    ----------
    name : str
    only : sequence of str, optional
        Names of the files wanted.
    folder : path-like, optional
        Where to keep them, in place of the cache.
    download : bool, default=True
        Whether to download what is missing.
    progress : bool, default=True
        Show a bar on stderr, if somebody watches.
    retries : int, default=5
    pause : float, default=1.0
        Seconds before the second attempt; each further one waits twice as long.

    Returns
    -------
    list of Path

    Raises
    ------
    ConnectionError
        A file is missing and cannot be downloaded; the message says where to put it by hand.
    ValueError
        A file has another checksum than the one that is known.
    """
    wanted = data_set(name)
    place = download_folder(name, folder)
    files = [file for file in wanted.files if only is None or file.name in only]
    return [_fetch(wanted, file, place / file.name, download, progress, retries, pause) for file in files]


def _fetch(
    wanted: DataSet, file: RemoteFile, path: Path, download: bool, progress: bool, retries: int, pause: float
) -> Path:
    found = verdict(path, file)
    if found == "absent":
        if not download:
            raise _missing(wanted, file, path, "downloading is switched off")
        _download(wanted, file, path, progress, retries, pause)
        if file.renewed:
            forget(path)
        found = verdict(path, file)
        if found in ("differs", "misnamed"):
            refused = path.with_name(f"{path.name}.refused")
            os.replace(path, refused)
            raise _refused(found, wanted, file, refused)
    if found in ("differs", "misnamed"):
        raise _refused(found, wanted, file, path)
    if found in ("unknown", "contents"):
        record(path)
    return path


def _download(wanted: DataSet, file: RemoteFile, path: Path, progress: bool, retries: int, pause: float) -> None:
    import pooch

    path.parent.mkdir(parents=True, exist_ok=True)
    url = file.address(wanted.name)
    with _bar(file.name, progress) as shown:
        downloader = ResumingDownloader(
            path.with_name(f"{path.name}.part"), retries=retries, pause=pause, progress=shown
        )
        try:
            # the checksum is compared afterwards, since an archive may be recognised by its contents
            with _quiet(pooch.get_logger()):
                pooch.retrieve(url, known_hash=None, fname=path.name, path=path.parent, downloader=downloader)
        except ConnectionError as error:
            raise _missing(wanted, file, path, f"{url}: {error}") from error


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Without pooch's advice on checksums, which goes to stderr and does not hold here."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _missing(wanted: DataSet, file: RemoteFile, path: Path, reason: str) -> ConnectionError:
    return ConnectionError(
        f"cannot fetch {file.name} of {wanted.name} ({reason}). Get it by hand from {wanted.page} and put it at {path}; "
        f"CNDTS_CACHE names another cache folder, CNDTS_MIRROR another server."
    )


def _refused(found: Verdict, wanted: DataSet, file: RemoteFile, path: Path) -> ValueError:
    return _misnamed(wanted, file, path) if found == "misnamed" else _differs(file, path)


def _misnamed(wanted: DataSet, file: RemoteFile, path: Path) -> ValueError:
    return ValueError(
        f"{path} holds the members that were meant, but is packed otherwise than the name {file.name} says. Pack them as "
        f"the name says, or give the file the name that fits its kind and read it with {wanted.reader}."
    )


def _differs(file: RemoteFile, path: Path) -> ValueError:
    known = f"SHA-256 {file.sha256} ({file.source})"
    if file.sha256 is None:
        known = f"MD5 {file.md5} ({file.source})" if file.md5 else "SHA-256 that of the first download"
    if file.contents is not None:
        known += f", {'or' if file.is_known_whole else 'and'} the members that are known"
    remedy = "read it directly with the reader"
    if not file.is_known_whole:
        remedy += f", or take its line out of {RECORDS} first"
    return ValueError(
        f"{path} is not the file that was meant: wanted {known}, got SHA-256 {file_digest(path)}. Delete it and fetch it "
        f"again; if the publisher has changed it and you trust it, {remedy}."
    )


@contextmanager
def _bar(name: str, wanted: bool) -> Iterator[Progress | None]:
    """A bar on stderr that stays silent where nobody watches."""
    if not wanted:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
