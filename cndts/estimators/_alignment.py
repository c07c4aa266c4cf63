"""Checks of what goes into a forecaster, and alignment with the channels it was fitted on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cndts._panel_queries import check_asks
from cndts._ragged import offsets_from_lengths
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets


def check_panel(X: object, what: str = "X") -> IrregularPanel:
    """Refuse anything that is not a panel."""
    if not isinstance(X, IrregularPanel):
        raise TypeError(
            f"{what} must be an IrregularPanel; got {type(X).__name__}. "
            "Build one with IrregularPanel.from_long(frame) or IrregularPanel.from_wide(frame)."
        )
    return X


def check_training_pair(X: object, y: object, what: str = "X", what_y: str = "y") -> tuple[IrregularPanel, Targets]:
    """A panel with queries and the targets aligned with them; queries without a known value are left out."""
    panel = check_panel(X, what)
    if len(panel) == 0:
        raise ValueError(f"{what} has no records; got an empty panel. Fitting needs at least one record with a target.")
    check_asks(panel, what)
    targets = check_aligned(panel, y, what, what_y)
    if np.isinf(targets.value).any():
        raise ValueError(_place(targets, np.isinf(targets.value), f"{what_y} must be finite (NaN = not known); got"))
    known = ~np.isnan(targets.value)
    if not known.any():
        raise ValueError(
            f"{what_y} holds no known value: {len(targets.value)} targets over {len(targets)} records, none of them "
            "finite. Fitting needs at least one; check the times of the split."
        )
    return (panel, targets) if known.all() else _keep_queries(panel, targets, known)


def check_aligned(X: IrregularPanel, y: object, what: str = "X", what_y: str = "y") -> Targets:
    """Targets that answer the queries of ``X`` one by one, expressed in the channels of ``X``."""
    queries = check_asks(X, what)
    if not isinstance(y, Targets):
        raise TypeError(
            f"{what_y} must be Targets aligned with {what}.queries; got {type(y).__name__}. "
            f"Use Extrapolation(...).split(panel), or Targets({what}.queries, values, {what}.records, {what}.channels)."
            + _flattened(y, queries, what_y)
        )
    if len(y) != len(X) or len(y.value) != queries.n_queries:
        raise ValueError(
            f"{what_y} must answer the queries of {what}: {what} has {len(X)} records with {queries.n_queries} "
            f"queries, {what_y} has {len(y)} records with {len(y.value)} targets. Slice both by the same records."
        )
    if y.queries is not queries or y.channels != X.channels or not X.records.equals(y.records):
        _check_same_queries(X, queries, y, what, what_y)
    return Targets(queries, y.value, X.records, X.channels)


def align_channels(X: IrregularPanel, channels: Sequence[str], what: str = "X") -> IrregularPanel:
    """The panel re-indexed by name onto the channels known from fitting."""
    if X.channels == tuple(channels):
        return X
    known = set(channels)
    unknown = [name for name in X.channels if name not in known]
    if unknown:
        raise ValueError(
            f"{what} has channels that the forecaster was not fitted on: {unknown}. Known channels: {list(channels)}. "
            "Leave them out or rename them; missing channels are fine."
        )
    return X.with_channels(channels)


def ask_everywhere(X: IrregularPanel, times: Any) -> IrregularPanel:
    """The panel asking for every channel at the times of each record: sorted by time, then channel, without repeats."""
    queries = check_asks(X.with_queries(times))
    order = np.lexsort((queries.channel, queries.time, queries.record))
    record, time, channel = queries.record[order], queries.time[order], queries.channel[order]
    kept = np.ones(len(order), dtype=bool)
    kept[1:] = (record[1:] != record[:-1]) | (time[1:] != time[:-1]) | (channel[1:] != channel[:-1])
    lengths = np.bincount(record[kept], minlength=len(X))
    return X.with_queries(queries=Queries(offsets_from_lengths(lengths), time[kept], channel[kept]))


def check_quantiles(quantiles: ArrayLike) -> NDArray[np.float64]:
    """Probabilities strictly between 0 and 1, in the order given."""
    try:
        levels = np.atleast_1d(np.asarray(quantiles, dtype=np.float64))
    except (TypeError, ValueError):
        levels = np.zeros(0)
    inside = (levels > 0) & (levels < 1)
    if levels.ndim != 1 or levels.size == 0 or not inside.all():
        raise ValueError(f"quantiles must lie strictly between 0 and 1; got {quantiles!r}. Use [0.1, 0.5, 0.9].")
    return levels


def _check_same_queries(X: IrregularPanel, queries: Queries, y: Targets, what: str, what_y: str) -> None:
    remedy = f"{what_y} must answer the queries of {what} in their order; slice both by the same records."
    asked = np.asarray(X.channels, dtype=object)[queries.channel]
    answered = np.asarray(y.channels, dtype=object)[y.channel]
    for fact, left, right in (
        ("record {i} has the id", np.asarray(X.records), np.asarray(y.records)),
        ("the queries of record {i} end before row", queries.offsets[1:], y.offsets[1:]),
        ("query {i} has the time", queries.time, y.time),
        ("query {i} has the channel", asked, answered),
    ):
        if not np.array_equal(left, right):
            i = int(np.flatnonzero(left != right)[0])
            raise ValueError(f"{fact.format(i=i)} {left[i]!s} in {what} and {right[i]!s} in {what_y}; {remedy}")


def _flattened(y: object, queries: Queries, what_y: str) -> str:
    """A hint where scikit-learn has made a plain array of targets on their way."""
    if not isinstance(y, np.ndarray) or y.shape != (queries.n_queries,):
        return ""
    return (
        f" If you did: {what_y} is as long as {queries.n_queries} targets, but without their records. StackingRegressor, "
        "VotingRegressor and others flatten targets before they fit, and cannot take panels with queries; fit forecasters one by "
        "one and average their predictions, or let training__members average networks."
    )


def _keep_queries(X: IrregularPanel, y: Targets, kept: NDArray[np.bool_]) -> tuple[IrregularPanel, Targets]:
    lengths = np.bincount(y.record[kept], minlength=len(y))
    queries = Queries(offsets_from_lengths(lengths), y.time[kept], y.channel[kept])
    return X.with_queries(queries=queries), Targets(queries, y.value[kept], y.records, y.channels)


def _place(y: Targets, wrong: NDArray[np.bool_], text: str) -> str:
    row = int(np.flatnonzero(wrong)[0])
    where = f"record {y.records[y.record[row]]!r}, time {y.time[row]}, channel {y.channels[y.channel[row]]!r}"
    return f"{text} {y.value[row]} at {where}."
