"""Which records train, choose and test a model."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from cndts._whole_file import whole_file
from cndts.panel import IrregularPanel

_FORMAT, _VERSION = "cndts.RecordSplit", 1


@dataclass(frozen=True, eq=False)
class RecordSplit:
    """Record ids of training, validation and test, to be drawn once, saved, and used by everyone.

    Parameters
    ----------
    train, validation, test : sequence of record ids
        No id twice. A part may be empty.

    Examples
    --------
    >>> panel = IrregularPanel([0, 0, 0, 0, 0, 0], [], [], [], records=["a", "b", "c", "d", "e"])
    >>> split = RecordSplit.draw(panel, fractions=(0.6, 0.2, 0.2), random_state=0)
    >>> split
    RecordSplit(train=3, validation=1, test=1)
    >>> [len(part) for part in split.apply(panel)]
    [3, 1, 1]
    """

    train: pd.Index
    validation: pd.Index
    test: pd.Index

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, pd.Index(getattr(self, field.name)))
        ids = _joined(self)
        if ids.has_duplicates:
            raise ValueError(
                f"record {ids[ids.duplicated()][0]!r} occurs twice in the split; a record belongs to one part."
            )

    @classmethod
    def draw(
        cls,
        panel: IrregularPanel,
        fractions: Sequence[float] = (0.6, 0.2, 0.2),
        random_state: int | np.random.Generator | None = 0,
    ) -> RecordSplit:
        """Draw records at random; records of one group stay together.

        Parameters
        ----------
        panel : IrregularPanel
            Where ``panel.groups`` is given, whole groups are drawn, and the fractions are met as closely as the
            groups allow.
        fractions : sequence of three floats, default=(0.6, 0.2, 0.2)
            Shares of the records for training, validation and test; they add up to 1.
        random_state : int, numpy.random.Generator or None, default=0
            Seed of the draw.

        Returns
        -------
        RecordSplit
            Ids in the panel's order.
        """
        shares = np.asarray(fractions, dtype=np.float64)
        if shares.shape != (3,) or (shares < 0).any() or not np.isclose(shares.sum(), 1):
            raise ValueError(
                f"fractions must be three shares (train, validation, test) that add up to 1; got {fractions!r}."
            )
        labels = np.arange(len(panel)) if panel.groups is None else pd.factorize(panel.groups, use_na_sentinel=False)[0]
        sizes = np.bincount(labels)
        order = np.random.default_rng(random_state).permutation(len(sizes))
        middle = np.cumsum(sizes[order]) - sizes[order] / 2
        part = np.empty(len(sizes), dtype=np.int64)
        part[order] = np.searchsorted(np.cumsum(shares)[:2] * len(panel), middle, side="right")
        return cls(*(panel.records[part[labels] == which] for which in range(3)))

    def apply(self, panel: IrregularPanel) -> tuple[IrregularPanel, IrregularPanel, IrregularPanel]:
        """The three parts of a panel, by record id; records that the split does not name are left out.

        Returns
        -------
        train, validation, test : IrregularPanel
            Records in the order of the split.

        Raises
        ------
        ValueError
            If the panel lacks a record of the split.
        """
        train, validation, test = (self._part(panel, field.name) for field in fields(self))
        return train, validation, test

    def _part(self, panel: IrregularPanel, name: str) -> IrregularPanel:
        wanted = getattr(self, name)
        rows = panel.records.get_indexer(wanted)
        if (rows < 0).any():
            missing = wanted[rows < 0]
            raise ValueError(
                f"the panel lacks {len(missing)} of the {len(wanted)} {name} records, the first is {_first(missing)}; "
                f"the panel's first id is {_first(panel.records)}. "
                "Use the panel that the split was drawn from, with ids of the same type."
            )
        return panel[rows]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the ids as JSON; the file is replaced as a whole or not at all.

        Parameters
        ----------
        path : path-like
            File to write. Its folder must exist.

        Raises
        ------
        TypeError
            If the ids are neither whole numbers nor strings, which JSON could not bring back.
        """
        document = {"format": _FORMAT, "version": _VERSION} | {
            field.name: _plain(getattr(self, field.name), field.name) for field in fields(self)
        }
        with whole_file(path) as unfinished:
            unfinished.write_text(json.dumps(document, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> RecordSplit:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ValueError
            If the file is not a split, or comes from a later version.
        """
        try:
            document = json.loads(Path(path).read_text(encoding="utf-8"))
            if document["format"] != _FORMAT:
                raise KeyError
            version, parts = document["version"], [document[field.name] for field in fields(cls)]
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{os.fspath(path)} is not a saved split; write one with RecordSplit.save.") from None
        if version != _VERSION:
            raise ValueError(f"{os.fspath(path)} has version {version}; this cndts reads version {_VERSION}.")
        return cls(*parts)

    def __repr__(self) -> str:
        return "RecordSplit(" + ", ".join(f"{f.name}={len(getattr(self, f.name))}" for f in fields(self)) + ")"


def _joined(split: RecordSplit) -> pd.Index:
    parts = [getattr(split, field.name) for field in fields(split)]
    return pd.Index([record for part in parts for record in part], dtype=object)


def _first(records: pd.Index) -> str:
    if not len(records):
        return "missing, as it has no records"
    first = records[:1].tolist()[0]
    return f"{first!r} ({type(first).__name__})"


def _plain(records: pd.Index, name: str) -> list[int] | list[str]:
    plain = records.tolist()
    if all(type(record) is int for record in plain) or all(type(record) is str for record in plain):
        return plain
    raise TypeError(
        f"only ids that are all whole numbers or all strings can be saved; the {name} ids are {records.dtype}, "
        f"for example {plain[0]!r}. Rename the records first."
    )
