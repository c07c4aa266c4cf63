"""Records in three parts, and contexts cut out of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts.panel import IrregularPanel
from cndts.protocols._split import ProtocolSplit
from cndts.targets import Targets
from cndts.tasks import RecordSplit

Positions = NDArray[np.int64]
Cut = Callable[[IrregularPanel], tuple[IrregularPanel, Targets]]


def positions(n_records: int, *, test: float, validation: float, **options: object) -> tuple[Positions, ...]:
    """Positions of training, validation and test records from two draws of scikit-learn's splitter.

    Parameters
    ----------
    n_records : int
        How many there are.
    test, validation : float or int
        Size of the test part, then of the validation part within the rest; a share or a number.
    **options
        ``random_state`` and ``shuffle`` of :func:`sklearn.model_selection.train_test_split`, the same for both draws.
    """
    from sklearn.model_selection import train_test_split

    seen, tested = train_test_split(np.arange(n_records), test_size=test, **options)
    train, chosen = train_test_split(seen, test_size=validation, **options)
    return train, chosen, tested


def record_split(records: pd.Index, which: tuple[Positions, ...]) -> RecordSplit:
    """The ids at three lists of positions."""
    train, validation, test = which
    return RecordSplit(records[train], records[validation], records[test])


def chunk_split(chunks: IrregularPanel, sources: RecordSplit) -> RecordSplit:
    """Chunks by the part that their source, which is their group, belongs to; in the order of the sources."""
    owner = pd.Index(np.asarray(chunks.groups))
    parts = []
    for part in (sources.train, sources.validation, sources.test):
        place = part.astype(str).get_indexer(owner)
        rows = np.flatnonzero(place >= 0)
        parts.append(chunks.records[rows[np.argsort(place[rows], kind="stable")]])
    return RecordSplit(*parts)


def in_parts(
    panel: IrregularPanel,
    records: RecordSplit,
    cut: Cut,
    offset: NDArray[np.float64] | None = None,
    scale: NDArray[np.float64] | None = None,
) -> ProtocolSplit:
    """Context and targets of the three parts, each cut by the same rule; values are scaled already."""
    n_channels = len(panel.channels)
    train, validation, test = (cut(part) for part in records.apply(panel))
    return ProtocolSplit(
        train,
        validation,
        test,
        records,
        np.zeros(n_channels) if offset is None else offset,
        np.ones(n_channels) if scale is None else scale,
    )


def without_tables(panel: IrregularPanel) -> IrregularPanel:
    """Events alone: neither labels nor static features nor queries, which the source's models never saw."""
    nothing = pd.DataFrame(index=panel.records)
    return IrregularPanel._trusted(panel, static=nothing, outcomes=nothing, queries=None)


def check_records(panel: IrregularPanel, at_least: int = 5) -> None:
    """Refuse what cannot be cut into three parts."""
    if len(panel) < at_least:
        raise ValueError(
            f"the protocol splits records into three parts and needs {at_least} or more; got {len(panel)}."
        )
