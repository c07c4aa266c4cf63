"""Generator of tasks whose answer only one kind of memory can give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, overload

import numpy as np

from cndts.datasets import _recall_kinds as kinds
from cndts.datasets._recall_kinds import RecallEvents
from cndts.datasets._recall_truth import RecallTruth
from cndts.datasets._record_count import check_record_count
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets

Kind = Literal["cue", "cue-channel", "window", "level", "reset", "key"]

_KINDS: dict[str, Callable[[int, int, np.random.Generator], RecallEvents]] = {
    "cue": kinds.cue,
    "cue-channel": kinds.cue_channel,
    "window": kinds.window,
    "level": kinds.level,
    "reset": kinds.reset,
}


@overload
def make_recall(
    n_records: int = ...,
    n_events: int = ...,
    *,
    kind: Kind = ...,
    n_pairs: int = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[False] = ...,
) -> tuple[IrregularPanel, Targets]: ...


@overload
def make_recall(
    n_records: int = ...,
    n_events: int = ...,
    *,
    kind: Kind = ...,
    n_pairs: int = ...,
    random_state: int | np.random.Generator | None = ...,
    return_truth: Literal[True],
) -> tuple[IrregularPanel, Targets, RecallTruth]: ...


def make_recall(
    n_records: int = 100,
    n_events: int = 1000,
    *,
    kind: Kind = "cue",
    n_pairs: int = 4,
    random_state: int | np.random.Generator | None = 0,
    return_truth: bool = False,
) -> tuple[IrregularPanel, Targets] | tuple[IrregularPanel, Targets, RecallTruth]:
    r"""Generate records that end with a question, whose answer only one kind of memory can give.

    Gaps between events are independent and exponential with mean 1 s; the question comes one such gap after the last
    event, one a record. Ordinary values are independent and uniform on :math:`(-\sqrt 3, \sqrt 3)`, with variance 1.

    Parameters
    ----------
    n_records : int, default=100
        Number of records.
    n_events : int, default=1000
        Number of distractors between the evidence and the question for ``"cue"``, ``"cue-channel"`` and ``"key"``
        (up to ten more, as the evidence lies among ten early ones); number of events for ``"window"`` and ``"level"``; the most
        events of the last level for ``"reset"``, with ten more before.
    kind : {"cue", "cue-channel", "window", "level", "reset", "key"}, default="cue"
        What is asked; see Notes.
    n_pairs : int, default=4
        Number of pairs to remember for ``"key"``, at most 8.
    random_state : int, numpy.random.Generator or None, default=0
        Seed.
    return_truth : bool, default=False
        Also return the best possible predictions, their error, and the events that they rest on.

    Returns
    -------
    X : IrregularPanel
        The events with one query a record, ready for ``fit(X, y)`` and ``predict(X)``.
    y : Targets
        The answers.
    truth : RecallTruth
        Only with ``return_truth=True``.

    Raises
    ------
    ValueError
        If ``kind`` is unknown, ``n_records`` is negative, ``n_events`` is less than 1 (4 for ``"window"``), or
        ``n_pairs`` lies outside 1 to 8.

    Notes
    -----
    In each kind, ``E`` is the smallest expected squared error that any forecast can have, and ``B`` the one of a forecast
    that knows everything but the evidence.

    ``"cue"`` (episodic memory)
        One event of the only channel ``x`` is salient: its size is uniform on (3, 5), its sign fair, while no ordinary
        value exceeds :math:`\sqrt 3`. The answer is its value. A window has long forgotten it, and in a mean
        over :math:`n` events it weighs :math:`1/n` against a deviation of :math:`1/\sqrt n` from the others.
        ``E = 0``, ``B = 49/3``; who remembers only the sign is left with ``1/3``.
    ``"cue-channel"`` (memory across channels)
        One event, with an ordinary value, is in the channel ``cue`` and all others are in ``x``; the answer is asked in
        ``x``. A window over the record forgets it, a memory that is kept apart for each channel does not, so this
        kind tests whether channels exchange what they hold. ``E = 0``, ``B = 1``.
    ``"window"`` (working memory)
        The answer is :math:`(x_n - x_{n-1} + x_{n-2} - x_{n-3}) / 2` of the last four values. ``E = 0``, ``B = 1``;
        who knows exactly the last :math:`k` values is left with :math:`1 - k/4`.
    ``"level"`` (compressed memory)
        Each record has a level :math:`\mu \sim N(0, 1)`, and all values are :math:`\mu + 3 \epsilon` with independent
        :math:`\epsilon \sim N(0, 1)`. The answer is :math:`\mu`; its expectation given :math:`k` values is their sum
        over :math:`k + 9`, with the error :math:`9 / (k + 9)`. ``E = 9 / (n_events + 9)``, ``B = 1``: a window of twelve
        values leaves 3/7.
    ``"reset"`` (forgetting)
        Each record has two levels, :math:`\mu_1, \mu_2 \sim N(0, 1)`, and values :math:`\mu_1 + \epsilon` that at one visit become
        :math:`\mu_2 + \epsilon`, with :math:`\epsilon \sim N(0, 1)`. An event in the channel ``new`` tells the visit; from it to the question
        there are :math:`k` values, with :math:`\log k` uniform from 10 (or ``n_events``, if that is less) to ``n_events``. The answer is
        :math:`\mu_2`: the mean since the announcement, whenever it was, which takes a memory that drops what came before. ``E`` is the mean
        of :math:`1 / (k + 1)` over the records that were drawn, ``B = 1``. ``truth.evidence`` holds the
        announcement alone, without the values behind it.
    ``"key"`` (retrieval by content)
        ``n_pairs`` early time stamps hold two events: a salient number in the channel ``key``, all different and taken
        from ±3, ±4, ±5, ±6, and an ordinary one in ``value``. Distractors are single events in either channel. The
        last event repeats one of the keys, and the answer, in the channel ``value``, is what came with it. ``E = 0``,
        ``B = 1``; who remembers all pairs and ignores which key is named is left with ``1 - 1/n_pairs``.

    The tasks stand in the line of the long-lag problems of Hochreiter and Schmidhuber ("Long Short-Term Memory", Neural
    Computation 9:1735-1780, 1997, section 5) and of associative recall (Graves, Wayne, Danihelka, "Neural Turing
    Machines", arXiv:1410.5401, section 4.3), with irregular times and real numbers in place of symbols.

    Examples
    --------
    >>> X, y, truth = make_recall(20, 1000, kind="cue", return_truth=True)
    >>> X.n_events, X.queries.n_queries, X.channels
    (20220, 20, ('x',))
    >>> bool(np.array_equal(X.value[truth.evidence[:, 0]], np.asarray(y)))
    True

    In ``"key"`` the last event names the pair that is asked for:

    >>> X, y, truth = make_recall(1, 1000, kind="key", random_state=1, return_truth=True)
    >>> key, value, question = truth.evidence[0]
    >>> bool(X.value[key] == X.value[question]), bool(X.value[value] == y.value[0]), bool(question - value > 1000)
    (True, True, True)
    """
    check_record_count(n_records)
    rng = np.random.default_rng(random_state)
    events = _draw(n_records, n_events, kind, n_pairs, rng)
    stamps = _stamps(events, n_records, rng)
    queries = Queries(np.arange(n_records + 1), stamps[:, -1], np.full(n_records, events.asked))
    length = events.value.shape[1]
    X = IrregularPanel(
        np.arange(n_records + 1) * length,
        np.take_along_axis(stamps, events.visit, axis=1).ravel(),
        events.channel.ravel(),
        events.value.ravel(),
        channels=events.channels,
        time_unit="s",
        queries=queries,
    )
    y = Targets(queries, events.answer, X.records, X.channels)
    if not return_truth:
        return X, y
    evidence = events.evidence + length * np.arange(n_records)[:, None]
    return X, y, RecallTruth(events.best, events.best_error, events.blind_error, evidence)


def _draw(n_records: int, n_events: int, kind: str, n_pairs: int, rng: np.random.Generator) -> RecallEvents:
    if n_events < 1:
        raise ValueError(f"n_events must be at least 1; got {n_events}.")
    if kind == "key":
        return kinds.key(n_records, n_events, rng, n_pairs)
    if kind not in _KINDS:
        raise ValueError(f"kind must be one of {', '.join(map(repr, (*_KINDS, 'key')))}; got {kind!r}.")
    return _KINDS[kind](n_records, n_events, rng)


def _stamps(events: RecallEvents, n_records: int, rng: np.random.Generator) -> np.ndarray:
    """Times of the visits of each record, and of its question."""
    n_visits = int(events.visit[:, -1].max(initial=0)) + 1
    return np.cumsum(rng.exponential(1.0, (n_records, n_visits + 1)), axis=1)
