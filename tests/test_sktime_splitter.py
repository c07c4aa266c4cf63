"""TimeCutSplitter cuts at times, whatever the spacing."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime", reason='sktime is absent: pip install "cndts[sktime]"')

from cndts import Extrapolation
from cndts.datasets import make_icu
from cndts.estimators.sktime import TimeCutSplitter, from_sktime, to_sktime

START = pd.Timestamp("2024-01-01")


def series(hours: list[float]) -> pd.Series:
    return pd.Series(np.arange(len(hours), dtype=float), index=START + pd.to_timedelta(hours, unit="h"), name="HR")


def parts(splitter: TimeCutSplitter, y: object) -> list[tuple[list[int], list[int]]]:
    return [(train.tolist(), test.tolist()) for train, test in splitter.split(y)]


def test_irregular_datetimes() -> None:
    y = series([0.0, 0.2, 5.0, 6.0, 9.5])
    assert parts(TimeCutSplitter("5h"), y) == [([0, 1], [2, 3, 4])]
    assert parts(TimeCutSplitter(START + pd.Timedelta("5h"), "1h"), y) == [([0, 1], [2, 3])]
    assert parts(TimeCutSplitter(["1h", "6h"], horizon="4h"), y) == [([0, 1], [2]), ([0, 1, 2], [3, 4])]
    assert TimeCutSplitter(["1h", "6h"]).get_n_splits(y) == 2


def test_panels_are_cut_at_elapsed_times_of_their_own() -> None:
    y = pd.concat({"late": series([100.0, 101.0, 130.0]), "early": series([0.0, 24.0, 25.0])}, names=["id", "time"])
    assert parts(TimeCutSplitter("24h"), y.to_frame()) == [([0, 1, 3], [2, 4, 5])]


def test_hierarchies_and_time_zones() -> None:
    zoned = series([0.0, 2.0, 4.0]).tz_localize("Asia/Tokyo").to_frame()
    y = pd.concat({("w", "a"): zoned, ("w", "b"): zoned}, names=["ward", "bed", "time"])
    assert parts(TimeCutSplitter("2024-01-01 02:00"), y) == [([0, 3], [1, 2, 4, 5])]


def test_timedeltas_integers_and_periods() -> None:
    hours = pd.to_timedelta([1.0, 2.0, 5.0], unit="h")
    elapsed = pd.Series([1.0, 2.0, 3.0], index=hours)
    assert parts(TimeCutSplitter("2h"), elapsed) == [([0], [1, 2])]
    assert parts(TimeCutSplitter("2h", since="first"), elapsed) == [([0, 1], [2])]
    assert parts(TimeCutSplitter(4, horizon=3), pd.Series([1.0, 2.0, 3.0], index=[1, 4, 8])) == [([0], [1])]
    assert parts(TimeCutSplitter(3, since="first"), pd.Series([1.0, 2.0, 3.0], index=[1, 4, 8])) == [([0], [1, 2])]
    months = pd.Series([1.0, 2.0, 3.0], index=pd.PeriodIndex(["2024-01", "2024-02", "2024-05"], freq="M"))
    assert parts(TimeCutSplitter("2024-02"), months) == [([0], [1, 2])]


def test_same_cells_as_extrapolation() -> None:
    """The split of the native task, row for row."""
    panel = make_icu(8, random_state=0)
    y = to_sktime(panel, origin=START)
    ((train, test),) = TimeCutSplitter(START + pd.Timedelta("24h"), "12h").split_series(y)
    X, targets = Extrapolation(observe=24, horizon=12).split(panel)
    assert from_sktime(train, origin=START).n_events == X.n_events
    assert test.notna().to_numpy().sum() == len(targets.value)


def test_instances_without_a_past_are_not_tested() -> None:
    y = pd.concat({"a": series([0.0, 9.0]), "b": series([8.0, 9.0])}, names=["id", "time"]).to_frame()
    assert parts(TimeCutSplitter("2024-01-01 05:00"), y) == [([0], [1])]


@pytest.mark.parametrize(
    ("splitter", "index", "error", "text"),
    [
        (TimeCutSplitter("9D"), series([0.0, 1.0]).index, ValueError, "leaves 2 rows to train on and 0 to test"),
        (TimeCutSplitter(5), series([0.0, 1.0]).index, TypeError, "got the number 5"),
        (TimeCutSplitter("1h", horizon=3), series([0.0, 1.0]).index, TypeError, "durations .* got the number 3"),
        (TimeCutSplitter("1h", since="start"), series([0.0, 1.0]).index, ValueError, 'must be "auto" or "first"'),
    ],
)
def test_errors(splitter: TimeCutSplitter, index: pd.Index, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        list(splitter.split(index))
