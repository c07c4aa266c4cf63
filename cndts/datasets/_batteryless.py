"""Reader of the UCI data of a batteryless wearable sensor."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cndts._ragged import offsets_from_lengths
from cndts.datasets._decimals import read_decimals
from cndts.datasets._fields import split_rows
from cndts.datasets._read_counts import ReadCounts, tell
from cndts.datasets._sources import PathLike, as_paths, check_choice, nothing_found, read_sources, with_line_feeds
from cndts.panel import IrregularPanel

UNITS = {
    "frontal": "g",
    "vertical": "g",
    "lateral": "g",
    "antenna": "id",
    "rssi": "dBm",
    "phase": "rad",
    "frequency": "MHz",
}
ANTENNAS = (1, 2, 3, 4)
ACTIVITIES = ("sit_on_bed", "sit_on_chair", "lying", "ambulating")

_CHANNELS = tuple(UNITS)
_N_FIELDS = 2 + len(_CHANNELS)
_NAME = re.compile(r"d([12])p(\d{2})([MF])")
_LARGEST = float(np.finfo(np.float32).max)
_LONGEST_TRIAL = 86_400.0  # s; published trials end after minutes, a day is beyond any script of activities


@dataclass(frozen=True)
class Trial:
    """The readings of one file, sorted by time.

    Parameters
    ----------
    time : ndarray of shape (n,)
    value : ndarray of shape (n, 7)
    label : ndarray of shape (n,)
    n_rows : int
    unforeseen, noticed : Counter
    """

    time: NDArray[np.float64]
    value: NDArray[np.float64]
    label: NDArray[np.int64]
    n_rows: int
    unforeseen: Counter[str]
    noticed: Counter[str]


@overload
def read_batteryless(
    path: PathLike | Sequence[PathLike],
    *,
    labels: Literal["outcomes", "channel"] = ...,
    return_report: Literal[False] = ...,
) -> IrregularPanel: ...


@overload
def read_batteryless(
    path: PathLike | Sequence[PathLike],
    *,
    labels: Literal["outcomes", "channel"] = ...,
    return_report: Literal[True],
) -> tuple[IrregularPanel, ReadCounts]: ...


def read_batteryless(
    path: PathLike | Sequence[PathLike],
    *,
    labels: Literal["outcomes", "channel"] = "outcomes",
    return_report: bool = False,
) -> IrregularPanel | tuple[IrregularPanel, ReadCounts]:
    """Read "Activity recognition with healthy older people using a batteryless wearable sensor" (UCI 427).

    A passive radio tag with an accelerometer, worn over the sternum, answers only when an antenna's field gives it
    power, so its readings come at truly irregular times: every 0.05 s in the median, with gaps of up to minutes.

    Parameters
    ----------
    path : path-like or sequence of path-like
        The folders ``S1_Dataset``, ``S2_Dataset``, single files of them, or archives.
    labels : {"outcomes", "channel"}, default="outcomes"
        Where the activities go, which observers noted for every reading: into ``outcomes`` as the share of readings of
        each activity, or, in addition, as the channel ``activity`` with the published numbers 1 to 4. A channel can be
        asked for at any time, and is seen by the model unless it is removed from the context.
    return_report : bool, default=False
        Also return the counts of all that was met.

    Returns
    -------
    panel : IrregularPanel
        One record a trial, named by its file (``"d1p01M"``) and in that order; times in seconds since the trial began,
        rounded to 0.025 s by the publisher. Channels: ``frontal``, ``vertical``, ``lateral`` acceleration (g),
        ``antenna`` (id, 1 to 4), ``rssi`` received signal strength (dBm), ``phase`` (rad), ``frequency`` (MHz).
        ``static`` holds Gender (0 female, 1 male) and Room (1, 2); ``outcomes`` the shares ``sit_on_bed``,
        ``sit_on_chair``, ``lying``, ``ambulating`` (NaN for an empty trial) and ``activity``, the number of the most
        frequent one.
    report : ReadCounts
        Only with ``return_report=True``; counts readings, one a row.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    ValueError
        A path holds no trial, or is a damaged or unsafe archive.

    Warns
    -----
    DataWarning
        Once a call, if rows had to be left out because they cannot be read.

    Notes
    -----
    *Known properties of the data, and what happens to them*

    - Files have no extension and no header; the last letter of the name is the participant's gender. Fourteen people of
      66 to 86 years took part in several trials each; who is who is not published, so no split can keep people apart.
    - Antennas and channel frequencies change between readings; ``antenna`` and ``frequency`` are names more than
      numbers. ``rssi`` and ``phase`` depend on both.
    - A tag that is not powered is silent: gaps say something about posture and place.
    - Rows out of order are sorted and counted; rows with other than nine fields, an unreadable or negative time, one after
      more than a day (86,400 s; trials take minutes), an unreadable number, an antenna or a label other than 1 to 4 are
      left out, counted and warned of. The second file of a name is left out too.

    Room 1 (S1) has 60 trials with 52,482 readings; the longest trial ends after 730 s.

    Source: https://doi.org/10.24432/C5GG6B, Creative Commons Attribution 4.0.

    References
    ----------
    R. L. Shinmoto Torres, D. C. Ranasinghe, Q. Shi, A. P. Sample. "Sensor enabled wearable RFID technology for mitigating
    the risk of falls near beds." IEEE International Conference on RFID, pp. 191-198, 2013.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = ["0,0.272,1.0082,-0.0821,1,-63.5,2.4252,924.25,1", "0.5,0.272,1.01,-0.08,1,-63,4.7369,921.75,4"]
    ...     _ = pathlib.Path(folder, "d1p01M").write_text(chr(10).join(rows))
    ...     panel = read_batteryless(folder)
    >>> panel.records.tolist(), panel.n_events, panel.static.loc["d1p01M"].to_dict()
    (['d1p01M'], 14, {'Gender': 1, 'Room': 1})
    >>> panel.outcomes[["sit_on_bed", "ambulating"]].to_numpy().tolist()
    [[0.5, 0.5]]
    """
    check_choice("labels", labels, ("outcomes", "channel"))
    paths = as_paths(path)
    trials, others, repeated = _read(paths)
    if not trials:
        raise nothing_found(paths, "trials named like d1p01M", others)
    ids = pd.Index(sorted(trials), name="trial", dtype=object)
    ordered = [trials[name] for name in ids]
    panel = _panel(ids, ordered, with_labels=labels == "channel")
    unforeseen = sum((trial.unforeseen for trial in ordered), Counter({"a trial met before": repeated}))
    report = ReadCounts(
        "readings",
        sources=tuple(map(str, paths)),
        n_files=len(trials),
        n_records=len(trials),
        n_found=sum(trial.n_rows for trial in ordered) + repeated,
        n_kept=sum(len(trial.time) for trial in ordered),
        unforeseen=dict(+unforeseen),
        noticed=dict(sum((trial.noticed for trial in ordered), Counter())),
        empty_records=tuple(name for name, trial in trials.items() if not len(trial.time)),
        other_files=tuple(others),
    )
    tell(report, "the batteryless sensor")
    return (panel, report) if return_report else panel


def _is_trial(name: str) -> bool:
    return _NAME.fullmatch(name.rsplit("/", 1)[-1]) is not None


def _read(paths: Sequence[PathLike]) -> tuple[dict[str, Trial], list[str], int]:
    """Trials by name, names of the other files, and readings of trials met a second time."""
    trials: dict[str, Trial] = {}
    others: list[str] = []
    repeated = 0
    for name, content in read_sources(paths, _is_trial):
        record = name.rsplit("/", 1)[-1]
        if content is None:
            others.append(name)
        elif record in trials:
            repeated += _parse(content).n_rows
        else:
            trials[record] = _parse(content)
    return trials, others, repeated


def _parse(content: bytes) -> Trial:
    text = with_line_feeds(content)
    begin, end, wrong = split_rows(text, _N_FIELDS)
    numbers = np.stack([read_decimals(text, i, j) for i, j in zip(begin, end, strict=True)], axis=1)
    time, value, label = numbers[:, 0], numbers[:, 1:-1], numbers[:, -1]
    left = np.ones(len(numbers), dtype=bool)
    unforeseen = Counter({"another number of fields": len(wrong)})
    faults = {
        "an unreadable time": ~(time >= 0),
        "a time after more than a day": time > _LONGEST_TRIAL,
        "an unreadable number": ~(np.abs(value) <= _LARGEST).all(axis=1),
        "an antenna other than 1 to 4": ~np.isin(value[:, _CHANNELS.index("antenna")], ANTENNAS),
        "a label other than 1 to 4": ~np.isin(label, np.arange(1, len(ACTIVITIES) + 1)),
    }
    for fault, found in faults.items():
        unforeseen[fault] = int((left & found).sum())
        left &= ~found
    time, value, activity = time[left], value[left], label[left].astype(np.int64)
    noticed = Counter({"a time before the row above": int((np.diff(time) < 0).sum())})
    order = np.argsort(time, kind="stable")
    return Trial(time[order], value[order], activity[order], len(numbers) + len(wrong), +unforeseen, +noticed)


def _panel(ids: pd.Index, trials: Sequence[Trial], *, with_labels: bool) -> IrregularPanel:
    values = [np.column_stack([trial.value, trial.label]) if with_labels else trial.value for trial in trials]
    channels = (*_CHANNELS, "activity") if with_labels else _CHANNELS
    n_channels = len(channels)
    lengths = np.array([len(trial.time) for trial in trials])
    named = [_NAME.fullmatch(name) for name in ids]
    static = {
        "Gender": [int(match[3] == "M") for match in named if match],
        "Room": [int(match[1]) for match in named if match],
    }
    return IrregularPanel(
        offsets_from_lengths(lengths * n_channels),
        np.repeat(np.concatenate([trial.time for trial in trials]), n_channels),
        np.tile(np.arange(n_channels), lengths.sum()),
        np.concatenate(values).ravel(),
        records=ids,
        channels=channels,
        units=UNITS,
        static=pd.DataFrame(static, index=ids),
        outcomes=_outcomes(ids, trials),
        time_unit="s",
    )


def _outcomes(ids: pd.Index, trials: Sequence[Trial]) -> pd.DataFrame:
    """Share of each activity, and the number of the most frequent one."""
    counts = np.stack([np.bincount(trial.label, minlength=len(ACTIVITIES) + 1)[1:] for trial in trials])
    total = counts.sum(axis=1, keepdims=True)
    table = pd.DataFrame(np.where(total > 0, counts / np.maximum(total, 1), np.nan), index=ids, columns=ACTIVITIES)
    return table.assign(activity=np.where(total[:, 0] > 0, counts.argmax(axis=1) + 1.0, np.nan))
