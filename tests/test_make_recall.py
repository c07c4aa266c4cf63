"""Recall tasks: the answers follow from the events, the best errors are the stated ones, and nothing else helps."""

import time

import numpy as np
import pytest

from cndts.datasets import make_recall

KINDS = pytest.mark.parametrize("kind", ["cue", "cue-channel", "window", "level", "reset", "key"])


def table(panel, field):
    """A field of the events as an array with one row a record."""
    return getattr(panel, field).reshape(len(panel), -1)


def mean_squared(error):
    return float(np.mean(np.asarray(error, dtype=float) ** 2))


@KINDS
def test_shapes_times_and_queries(kind):
    X, y, truth = make_recall(7, 50, kind=kind, return_truth=True)

    assert len(X) == len(y) == 7
    assert X.queries is y.queries
    np.testing.assert_array_equal(y.offsets, np.arange(8))
    assert (y.time > X.last_time).all()
    assert X.time_unit == "s"
    assert set(X.channel.tolist()) == set(range(len(X.channels)))
    assert truth.best.shape == (7,)
    assert (X.record[truth.evidence] == np.arange(7)[:, None]).all()


@KINDS
def test_the_gaps_are_exponential(kind):
    X, y = make_recall(200, 500, kind=kind)
    visits = np.diff(table(X, "time"), axis=1)
    gaps = visits[visits > 0]

    assert gaps.mean() == pytest.approx(1, abs=0.02)
    assert gaps.std() == pytest.approx(1, abs=0.03)
    assert (y.time - X.last_time).mean() == pytest.approx(1, abs=0.25)


@KINDS
def test_seeds_decide_everything(kind):
    (X, y), (again, answer), (other, _) = (make_recall(5, 30, kind=kind, random_state=seed) for seed in (3, 3, 4))

    assert X.equals(again)
    np.testing.assert_array_equal(y.value, answer.value)
    assert not np.array_equal(X.value, other.value)


@KINDS
@pytest.mark.parametrize("n_records", [0, 1])
def test_few_records(kind, n_records):
    X, y = make_recall(n_records, 4, kind=kind)
    assert len(X) == len(y) == n_records


@KINDS
def test_nobody_beats_the_stated_errors(kind):
    """The best prediction has the stated error, the mean of the answers the variance."""
    _, y, truth = make_recall(40_000, 12, kind=kind, random_state=2, return_truth=True)
    answer = np.asarray(y)

    assert mean_squared(answer - truth.best) == pytest.approx(truth.best_error, rel=0.03, abs=1e-10)
    assert mean_squared(answer - answer.mean()) == pytest.approx(truth.blind_error, rel=0.02)
    assert abs(answer.mean()) < 4 * np.sqrt(truth.blind_error / len(answer))


@pytest.mark.parametrize("kind", ["cue", "cue-channel", "key"])
def test_distractors_lie_between_the_evidence_and_the_question(kind):
    X, _, truth = make_recall(300, 40, kind=kind, return_truth=True)
    first = truth.evidence[:, -1] if kind != "key" else truth.evidence[:, 1]
    between = X.offsets[1:] - 1 - first - (kind == "key")

    assert between.min() >= 40
    assert len(np.unique(between)) > 5  # not at a fixed position
    assert X.time[X.offsets[1:] - 1].mean() - X.time[first].mean() > 0.9 * 40


def test_the_cue_is_the_only_salient_value():
    X, y, truth = make_recall(500, 100, kind="cue", return_truth=True)
    value = table(X, "value")
    salient = np.abs(value) > np.sqrt(3) + 1e-6

    assert (salient.sum(axis=1) == 1).all()
    np.testing.assert_array_equal(value[salient], np.asarray(y))
    np.testing.assert_array_equal(X.value[truth.evidence[:, 0]], np.asarray(y))
    assert mean_squared(np.asarray(y) - 4 * np.sign(y)) == pytest.approx(1 / 3, rel=0.15)


def test_a_mean_drowns_the_cue():
    """Least squares on the record mean explains next to nothing after a thousand distractors."""
    X, y = make_recall(2000, 1000, kind="cue")
    mean, answer = table(X, "value").mean(axis=1), np.asarray(y)

    assert np.corrcoef(mean, answer)[0, 1] ** 2 < 0.04


def test_the_cue_channel_holds_one_ordinary_value():
    X, y = make_recall(500, 100, kind="cue-channel")
    is_cue = table(X, "channel") == X.channels.index("cue")

    assert (is_cue.sum(axis=1) == 1).all()
    np.testing.assert_array_equal(table(X, "value")[is_cue], np.asarray(y))
    assert np.abs(X.value).max() < np.sqrt(3)
    assert {X.channels[channel] for channel in y.channel} == {"x"}


@pytest.mark.parametrize("known", [0, 1, 2, 3, 4])
def test_each_of_the_last_four_values_tells_a_quarter(known):
    X, y = make_recall(20_000, 6, kind="window")
    weights = np.array([-0.5, 0.5, -0.5, 0.5])[4 - known :]
    guess = table(X, "value")[:, 6 - known :] @ weights

    assert mean_squared(np.asarray(y) - guess) == pytest.approx(1 - known / 4, rel=0.04, abs=1e-10)


@pytest.mark.parametrize(("seen", "error"), [(12, 3 / 7), (200, 9 / 209)])
def test_a_window_knows_the_level_badly(seen, error):
    X, y, truth = make_recall(5000, 200, kind="level", return_truth=True)
    guess = table(X, "value")[:, -seen:].sum(axis=1) / (seen + 9)

    assert mean_squared(np.asarray(y) - guess) == pytest.approx(error, rel=0.08)
    assert truth.best_error == 9 / 209
    np.testing.assert_allclose(truth.best, table(X, "value").sum(axis=1) / 209, atol=1e-6)


def test_an_announced_level_is_the_mean_since_then():
    """The best prediction is that of the values from the announcement on; the mean of all is hardly better than nothing."""
    X, y, truth = make_recall(4000, 200, kind="reset", return_truth=True)
    is_told = X.channel == X.channels.index("new")
    told = X.time[truth.evidence[:, 0]]
    since = (X.time >= told[X.record]) & ~is_told
    count = np.bincount(X.record[since])

    assert is_told[truth.evidence[:, 0]].all() and is_told.sum() == 4000
    assert (count.min(), count.max()) == (10, 200)
    assert np.median(count) == pytest.approx(np.sqrt(10 * 200), rel=0.1)
    mean = np.bincount(X.record[since], X.value[since]) / count
    np.testing.assert_allclose(truth.best, mean * count / (count + 1), atol=1e-6)
    whole = table(X, "value")[:, :-1].mean(axis=1)
    assert mean_squared(np.asarray(y) - whole) > 3 * truth.best_error


@pytest.mark.parametrize("n_pairs", [1, 4, 8])
def test_the_named_key_decides(n_pairs):
    X, y, truth = make_recall(4000, 30, kind="key", n_pairs=n_pairs, return_truth=True)
    value, time, channel = table(X, "value"), table(X, "time"), table(X, "channel")
    n_keys = (np.abs(value) > 2)[:, :-1].sum(axis=1)
    key, held, question = truth.evidence.T

    assert (n_keys == n_pairs).all()
    np.testing.assert_array_equal(X.value[key], X.value[question])
    np.testing.assert_array_equal(X.value[held], np.asarray(y))
    np.testing.assert_array_equal(X.time[key], X.time[held])
    assert (X.channel[key] == 0).all() and (X.channel[held] == 1).all() and (X.channel[question] == 0).all()
    assert ((np.diff(time) == 0).sum(axis=1) == n_pairs).all()
    assert channel[:, -31:-1].mean() == pytest.approx(0.5, abs=0.02)
    assert {X.channels[channel] for channel in y.channel} == {"value"}

    shared = np.zeros(time.shape, dtype=bool)
    shared[:, 1:] = np.diff(time) == 0
    all_values = value[shared].reshape(len(X), n_pairs)
    left = mean_squared(np.asarray(y) - all_values.mean(axis=1))
    assert left == pytest.approx(1 - 1 / n_pairs, rel=0.06, abs=1e-10)


def test_keys_of_a_record_differ():
    X, _ = make_recall(300, 5, kind="key", n_pairs=8)
    value = table(X, "value")[:, :-1]
    keys = np.sort(value[np.abs(value) > 2].reshape(300, 8), axis=1)

    np.testing.assert_array_equal(keys, np.broadcast_to([-6, -5, -4, -3, 3, 4, 5, 6], (300, 8)))


@KINDS
def test_long_records_take_well_under_a_second(kind):
    make_recall(1, 10, kind=kind)
    spent = []
    for _ in range(3):
        start = time.process_time()
        X, _ = make_recall(1, 100_000, kind=kind)
        spent.append(time.process_time() - start)
    assert X.n_events >= 100_000
    assert min(spent) < 0.5


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"kind": "smell"},
            r"kind must be one of 'cue', 'cue-channel', 'window', 'level', 'reset', 'key'; got 'smell'",
        ),
        ({"n_records": -1}, "n_records must be a whole number of 0 or more; got -1"),
        ({"n_events": 0}, "n_events must be at least 1; got 0"),
        ({"n_events": 3, "kind": "window"}, "last 4 events; got n_events=3"),
        ({"kind": "key", "n_pairs": 9}, "between 1 and 8, the number of different keys; got 9"),
    ],
)
def test_wrong_options_are_named(given, message):
    with pytest.raises(ValueError, match=message):
        make_recall(**given)
