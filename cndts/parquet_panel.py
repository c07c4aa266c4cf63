"""Panels that stay on disk and are read by parts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._panel_parquet_groups import read_group, read_records, write_groups
from cndts._ragged import as_record_index
from cndts.panel import IrregularPanel

PathLike = str | os.PathLike[str]


class ParquetPanel:
    """Records in Parquet files, larger than memory: a panel that is read in shards, or by record.

    A shard is a row group of a file that :meth:`write` or `IrregularPanel.to_parquet` wrote (needs pyarrow). Ids, groups and numbers of
    events of all records are held in memory, events are read when asked for. `HybridMemoryForecaster.fit_stream` trains on it.

    Parameters
    ----------
    path : path-like or sequence of path-like
        A file, files, or folders of files that end in ``.parquet``, in the order of their names.

    Attributes
    ----------
    records : pandas.Index of length n_records
        Record ids; they differ.
    counts : ndarray of int, shape (n_records,)
        Number of events of each record.
    groups : ndarray of shape (n_records,) or None
        Group labels, where there are any.
    shard_of_record : ndarray of int, shape (n_records,)
        The shard that holds each record, rising.
    channels : tuple of str
        Channel names.
    time_unit : str
        Unit of all times.

    Raises
    ------
    FileNotFoundError
        If a path does not exist, or a folder holds no ``.parquet`` file.
    ValueError
        If a file is no panel, ids repeat, or channels, units or clocks of two files differ.

    Examples
    --------
    Panels are written one after the other, so that all of them need never be in memory:

    >>> import tempfile
    >>> from cndts.datasets import make_oscillators
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "oscillators.parquet")
    >>> shards = (make_oscillators(50, random_state=seed) for seed in range(4))
    >>> panel = ParquetPanel.write(path, shards, ignore_records=True)
    >>> panel
    ParquetPanel: 200 records, 12,089 events, 2 channels (x0, x1), 4 shards

    Keys select records as they do in an `IrregularPanel`, which is what comes back:

    >>> len(panel[[3, 150]]), [len(shard) for shard in panel.shards()]
    (2, [50, 50, 50, 50])
    >>> folder.cleanup()
    """

    def __init__(self, path: PathLike | Sequence[PathLike]) -> None:
        self._files = _files(path)
        described = [read_records(file) for file in self._files]
        abouts, tables = [about for about, _ in described], [table for _, table in described]
        _check_alike(self._files, abouts)
        first_shard = np.cumsum([0, *(table["group"].max() + 1 if len(table) else 0 for table in tables)])
        self._shards = [
            (file, group)
            for file, table in zip(self._files, tables, strict=True)
            for group in range(table["group"].max() + 1 if len(table) else 0)
        ]
        table = pd.concat(tables, ignore_index=True)
        shard = np.concatenate([t["group"].to_numpy() + n for t, n in zip(tables, first_shard, strict=False)])
        self.shard_of_record: NDArray[np.int64] = shard.astype(np.int64)
        self.counts: NDArray[np.int64] = table["n_events"].to_numpy().astype(np.int64)
        self.records = pd.Index(table["record"], name=abouts[0]["record_name"])
        if not self.records.is_unique:
            repeated = self.records[self.records.duplicated()][0]
            raise ValueError(
                f"the record {repeated!r} occurs twice in {[str(f) for f in self._files]}; ids must differ."
            )
        self.groups = table["label"].to_numpy() if "label" in table else None
        self.channels = tuple(abouts[0]["channels"])
        self.time_unit = str(abouts[0]["time_unit"])

    @classmethod
    def write(
        cls,
        path: PathLike,
        panels: Iterable[IrregularPanel],
        *,
        compression: str = "zstd",
        ignore_records: bool = False,
    ) -> ParquetPanel:
        """Write panels one after the other, each as a shard; only one of them is in memory at a time.

        Parameters
        ----------
        path : path-like
            File to write; it appears whole or not at all.
        panels : iterable of IrregularPanel
            With the same channels, units, clock and columns of tables. Panels without records are left out. A shard is what is read at
            once: 100,000 to 1,000,000 events serve well, and records in random order mix better.
        compression : str, default="zstd"
            ``"none"``, ``"zstd"``, ``"snappy"``, ...
        ignore_records : bool, default=False
            Whether to number the records 0, 1, ... instead of keeping their ids.

        Returns
        -------
        ParquetPanel

        Raises
        ------
        ValueError
            If there is no record, ids repeat, or a panel does not fit to the first.
        """
        write_groups(panels, path, compression, ignore_records)
        return cls(path)

    # ---- what it holds -------------------------------------------------------------------------

    @property
    def n_events(self) -> int:
        """Number of observations over all records."""
        return int(self.counts.sum())

    @property
    def n_shards(self) -> int:
        """Number of row groups over all files."""
        return len(self._shards)

    @property
    def shape(self) -> tuple[int]:
        """``(n_records,)``."""
        return (len(self),)

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        named = ", ".join(self.channels[:4]) + (", ..." if len(self.channels) > 4 else "")
        return (
            f"ParquetPanel: {len(self):,} records, {self.n_events:,} events, {len(self.channels)} channels ({named}), "
            f"{self.n_shards} shards"
        )

    # ---- reading -------------------------------------------------------------------------------

    def shard(self, number: int) -> IrregularPanel:
        """Read one shard.

        Parameters
        ----------
        number : int
            From 0 to ``n_shards - 1``.

        Returns
        -------
        IrregularPanel
        """
        file, group = self._shards[number]
        return IrregularPanel(**read_group(file, group))

    def shards(self, random_state: int | np.random.Generator | None = None) -> Iterator[IrregularPanel]:
        """Read one shard after the other.

        Parameters
        ----------
        random_state : int or numpy.random.Generator, optional
            Seed of a random order; the order of the files by default.

        Yields
        ------
        IrregularPanel
        """
        order = np.arange(self.n_shards)
        if random_state is not None:
            order = np.random.default_rng(random_state).permutation(order)
        yield from (self.shard(int(number)) for number in order)

    def __getitem__(self, key: Any) -> IrregularPanel:
        """Read records by position, as `IrregularPanel` selects them; shards without any of them are not touched.

        Parameters
        ----------
        key : int, slice, list, array of int or bool
            Positions of the records; repeats are allowed.

        Returns
        -------
        IrregularPanel
        """
        index = as_record_index([key] if isinstance(key, (int, np.integer)) else key, len(self))
        wanted, back = np.unique(np.arange(len(self))[index], return_inverse=True)
        if not len(wanted):
            return self.shard(0)[:0]
        numbers = np.unique(self.shard_of_record[wanted])
        first = np.searchsorted(self.shard_of_record, numbers)
        owner = self.shard_of_record[wanted]
        parts = [self.shard(n)[wanted[owner == n] - start] for n, start in zip(numbers, first, strict=True)]
        return IrregularPanel.concat(parts)[back]


def _files(path: PathLike | Sequence[PathLike]) -> list[Path]:
    given = [Path(path)] if isinstance(path, (str, os.PathLike)) else [Path(each) for each in path]
    found = [file for each in given for file in (sorted(each.glob("*.parquet")) if each.is_dir() else [each])]
    missing = [str(file) for file in found if not file.is_file()]
    if missing or not found:
        raise FileNotFoundError(
            f"{missing[0] if missing else [str(each) for each in given]}: wanted a Parquet file, or a folder with files that "
            "end in .parquet. Write one with ParquetPanel.write(path, panels)."
        )
    return found


def _check_alike(files: Sequence[Path], abouts: Sequence[dict[str, Any]]) -> None:
    for file, about in zip(files, abouts, strict=True):
        for name in ("channels", "units", "time_unit", "origin", "has_queries"):
            if about[name] != abouts[0][name]:
                raise ValueError(
                    f"{file} has the {name} {about[name]!r}, {files[0]} has {abouts[0][name]!r}; files that are read "
                    "together must agree."
                )
