"""The three protocols of Latent ODE: what is seen, the average by stay and variable, labels as targets."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from cndts import protocol
from cndts.benchmarking import run_benchmark
from cndts.datasets import read_physionet2012
from cndts.estimators import LastValueForecaster

INTERPOLATION, EXTRAPOLATION, MORTALITY = (
    f"latent-ode/physionet2012-{task}" for task in ("interpolation", "extrapolation", "mortality")
)
PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def panel(panels):
    return panels.stays()


def test_all_is_seen_and_all_is_asked_for(panel):
    """Context and targets are the same events, on the published scale; nothing is hidden."""
    rules = protocol(INTERPOLATION)
    split = rules.split(panel)
    mtan = protocol("mtan/physionet2012").split(panel)
    X, y = split.test
    for field in ("offsets", "time", "channel", "value"):
        assert getattr(X, field).tobytes() == getattr(y, field).tobytes() == getattr(mtan.test[1], field).tobytes()
    assert not rules.hidden(y).any()
    assert split.records.train.equals(mtan.records.train)


def test_fewer_rows_seen(panel):
    """The option of the source: the context lacks what is hidden, targets stay."""
    rules = protocol(INTERPOLATION, observed=0.6)
    X, y = rules.split(panel).test
    assert X.n_events == (~rules.hidden(y)).sum() < len(y.value)


def test_error_by_stay_and_variable(panel):
    """Means of cells, zero for cells without a value, over all cells."""
    _, y = protocol(INTERPOLATION).split(panel).test
    error = np.random.default_rng(0).normal(size=len(y.value)) * (1 + y.channel)
    score = protocol(INTERPOLATION).score(y, y.value + error)
    frame = pd.DataFrame({"i": y.record, "c": y.channel, "square": error**2, "size": np.abs(error)})
    cells = frame.groupby(["i", "c"]).mean()
    assert score["mse"] == pytest.approx(cells["square"].sum() / (len(y) * 41), rel=1e-4)
    assert score["mae"] == pytest.approx(cells["size"].sum() / (len(y) * 41), rel=1e-4)
    assert score["mse_by_value"] == pytest.approx(np.mean(error**2), rel=1e-4)
    assert len(cells) < len(y) * 41


def test_cut_at_the_middle_of_the_union(panel):
    """The middle of the times of a batch by number, context strictly before it."""
    X, y = protocol(EXTRAPOLATION).split(panel).train
    whole = protocol(INTERPOLATION).split(panel).train[1]
    times = np.unique(whole.time)  # 38 stays are one batch
    middle = times[len(times) // 2]
    assert X.time.max() < middle <= y.time.min()
    assert X.n_events + len(y.value) == len(whole.value)
    assert abs(middle - 24) < 3


@pytest.mark.parametrize("part", ["validation", "test"])
def test_one_cut_for_all_test_stays(panels, part):
    """The source's loader takes the whole test part as one batch; only training comes in batches of 50."""
    panel = panels.stays(350)
    X, y = getattr(protocol(EXTRAPOLATION).split(panel), part)
    times = np.unique(getattr(protocol(INTERPOLATION).split(panel), part)[1].time)
    assert len(X) > 50
    assert X.time.max() < times[len(times) // 2] <= y.time.min()


def test_cut_at_a_day(panel):
    """The variant that does not depend on the batch."""
    X, y = protocol(EXTRAPOLATION, cut="24h").split(panel).test
    assert X.time.max() < 24 <= y.time.min()


def test_batches_have_their_own_middles(panels):
    """More than 50 training stays have more than one cut."""
    panel = panels.stays(110)
    _, y = protocol(EXTRAPOLATION).split(panel).train
    first = [y[i].time.min() for i in range(len(y)) if len(y[i].value)]
    whole = protocol(INTERPOLATION).split(panel).train[1]
    cuts = [np.unique(whole[rows].time) for rows in (slice(0, 50), slice(50, None))]
    middles = [times[len(times) // 2] for times in cuts]
    assert min(first[:50]) >= middles[0]
    assert min(first[50:]) >= middles[1]
    assert middles[0] != middles[1]


def test_one_label_for_each_stay(panel):
    """The labels are the outcomes, in the order of the records, and appear nowhere in the context."""
    split = protocol(MORTALITY).split(panel)
    seen, test = train_test_split(np.arange(60), train_size=0.8, random_state=42)
    for part in PARTS:
        X, y = getattr(split, part)
        labels = panel.outcomes.loc[X.records, "In-hospital_death"].to_numpy()
        np.testing.assert_array_equal(np.asarray(y), labels)
        assert X.channels[-1] == "In-hospital_death"
        assert X.channel.max() < len(X.channels) - 1
        assert X.outcomes.shape[1] == X.static.shape[1] == 0
        assert (X.queries.time == 48).all()
    assert split.test[0].records.tolist() == panel.records[test].tolist()
    assert len(seen) == len(split.train[0]) + len(split.validation[0])


def test_areas_and_brier_score(panel):
    """Against scikit-learn; NaN where there is one class."""
    rules = protocol(MORTALITY)
    _, y = rules.split(panel).train
    guess = np.random.default_rng(0).random(len(y))
    score = rules.score(y, guess)
    assert score["auroc"] == pytest.approx(roc_auc_score(y.value, guess))
    assert score["mse"] == pytest.approx(np.mean((y.value - guess) ** 2), rel=1e-5)
    assert np.isnan(rules.score(y.with_values(np.zeros(len(y))), guess)["auroc"])


def test_stays_without_a_label(panel):
    """They are left out before the split; without any label there is nothing to do."""
    outcomes = panel.outcomes.astype(float)
    outcomes.iloc[:10] = np.nan
    split = protocol(MORTALITY).split(panel.with_outcomes(outcomes))
    assert sum(len(getattr(split, part)[0]) for part in PARTS) == 50
    with pytest.raises(ValueError, match=r"needs the outcome In-hospital_death; the panel has no outcomes.*outcomes="):
        protocol(MORTALITY).split(panel.with_outcomes(None))


def test_benchmark_of_labels(panel):
    """Areas reach the result and its summary, and forecasters of values can be scored."""
    result = run_benchmark(MORTALITY, panel, ["channel-mean"], n_resamples=5)
    assert result.runs[0]["auroc"] == pytest.approx(0.5)
    assert {"auroc", "auprc"} <= set(result.summary().columns.get_level_values(0))


def test_benchmark_where_nothing_is_hidden(panel):
    """Skill and comparisons count all values, as there are no others."""
    result = run_benchmark(INTERPOLATION, panel, ["channel-mean"], n_resamples=5)
    assert result.data["test_hidden_targets"] == 0
    assert result.runs[0]["mse"] > 0
    assert result.channels["count"].sum() == result.data["test_targets"]


def test_last_values_on_set_a(physionet2012_folder):
    """Real stays: copying errs nowhere; carrying the last value forward has the published order of magnitude."""
    panel = read_physionet2012(physionet2012_folder / "set-a.tar.gz")
    rules = protocol(EXTRAPOLATION)
    split = rules.split(panel)
    assert [len(getattr(split, part)[0]) for part in PARTS] == [2560, 640, 800]
    assert len(split.test[1].value) == 156_248
    assert split.test[0].time.max() < 24.0 <= split.test[1].time.min()
    score = rules.score(split.test[1], LastValueForecaster().fit(*split.train).predict(split.test[0]))
    assert score["mse"] == pytest.approx(2.365e-3, rel=0.02)
