"""Benchmarks: what goes to a fit and comes back, and whether the comparison tells the truth."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from cndts import Extrapolation, IrregularPanel, Queries, Targets, protocol
from cndts.benchmarking import (
    BenchmarkResult,
    available_models,
    channel_scores,
    compare_models,
    make_model,
    reference_means,
    run_benchmark,
    score_distribution,
)
from cndts.benchmarking._exchange import read_task, write_json, write_task
from cndts.benchmarking._models import check_hides_something
from cndts.benchmarking._resources import thread_settings
from cndts.datasets import make_icu
from cndts.estimators import BaseForecaster, ChannelMeanForecaster, LastValueForecaster

PROTOCOL = "t-patchgnn/physionet2012"


@pytest.fixture(scope="module")
def stays() -> IrregularPanel:
    """Generated stays under the names that the PhysioNet 2012 protocol knows."""
    panel = make_icu(60, density=0.5, random_state=0)
    names = {"SpO2": "SaO2"}
    static = panel.static.assign(Height=170.0, Weight=80.0)
    return IrregularPanel(
        panel.offsets,
        panel.time,
        panel.channel,
        panel.value,
        channels=[names.get(name, name) for name in panel.channels],
        static=static,
        time_unit="h",
    )


@pytest.fixture(scope="module")
def progress_calls() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture(scope="module")
def predictions_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "not there yet"


@pytest.fixture(scope="module")
def result(
    stays: IrregularPanel, progress_calls: list[tuple[str, int, int]], predictions_folder: Path
) -> BenchmarkResult:
    return run_benchmark(
        PROTOCOL,
        stays,
        ["last-value", "channel-mean"],
        [1],
        threads=1,
        n_resamples=100,
        predictions_folder=predictions_folder,
        progress=lambda *call: progress_calls.append(call),
    )


# ---- what goes to a fit and comes back ---------------------------------------------------------------


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_a_task_survives_the_disk(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Arrays, channels, units, statics and groups come back; outcomes, which are no input, stay behind."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 5, 4)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    time = np.concatenate([np.sort(rng.uniform(0, 48, n)) for n in lengths]) if offsets[-1] else []
    records = ["a", "b", "c", "d"]
    panel = IrregularPanel(
        offsets,
        time,
        rng.integers(0, 2, offsets[-1]),
        rng.normal(size=offsets[-1]),
        records=records,
        channels=["HR", "Temp"],
        units={"HR": "1/min"},
        static=pd.DataFrame({"age": rng.normal(size=4), "unit": ["x", "y", "x", "y"]}, index=records),
        outcomes=pd.DataFrame({"death": [0, 1, 0, 1]}, index=records),
        origin=pd.Timestamp("2026-03-29", tz="Europe/Berlin"),
        groups=["p", "q", "p", "q"],
    )
    X, y = Extrapolation(observe=24, horizon=24).split(panel)
    path = tmp_path_factory.mktemp("task") / "task.npz"
    write_task(path, X, y)
    X_read, y_read = read_task(path)
    for name in ("offsets", "time", "channel", "value", "groups"):
        np.testing.assert_array_equal(getattr(X_read, name), getattr(X, name))
    assert (X_read.channels, X_read.units, X_read.time_unit) == (X.channels, X.units, X.time_unit)
    assert X_read.origin == X.origin
    assert X_read.static["unit"].tolist() == X.static["unit"].tolist()
    np.testing.assert_array_equal(X_read.static["age"], X.static["age"])
    assert X_read.outcomes.empty
    np.testing.assert_array_equal(y_read.value, y.value)
    np.testing.assert_array_equal(y_read.offsets, y.offsets)


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """What cannot be written leaves the old file as it was, and nothing beside it."""
    path = tmp_path / "out.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.json"]


# ---- models by name ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", available_models())
def test_every_name_makes_a_forecaster(name: str) -> None:
    """Each is a forecaster of the class that its name begins with; those with randomness take the seed."""
    model = make_model(name, random_state=7)
    assert isinstance(model, BaseForecaster)
    kind = getattr(model, "backbone", type(model).__name__.removesuffix("Forecaster").lower())
    assert name.replace("-", "").startswith(kind.replace("-", "").removesuffix("ing"))
    seeds = [value for key, value in model.get_params().items() if key.endswith("random_state")]
    assert set(seeds) <= {7}


def test_settings_reach_the_parts_of_a_model() -> None:
    """Nested names work as in scikit-learn."""
    assert make_model("hybrid-memory", training__epochs=3).get_params()["training__epochs"] == 3


def test_unknown_model() -> None:
    """The nearest name is suggested, and the known names are listed."""
    with pytest.raises(
        ValueError, match=r"no model 'lstm'; the known ones are hybrid-memory, vote, gru-d.*labels hybrid"
    ):
        make_model("lstm")
    with pytest.raises(
        ValueError, match=r"no model 'linear-interpolater' \(did you mean 'linear-interpolator'\?\); the"
    ):
        make_model("linear-interpolater")


# ---- the benchmark -------------------------------------------------------------------------------------


def test_one_run_per_model_and_seed(result: BenchmarkResult) -> None:
    """Each with errors, times, memory, threads and versions."""
    assert [(run["model"], run["seed"]) for run in result.runs] == [("last-value", 1), ("channel-mean", 1)]
    for run in result.runs:
        assert run["mse"] > 0
        assert run["mae"] > 0
        assert run["fit_seconds"] > 0
        assert run["predict_seconds"] > 0
        assert 0 <= run["peak_mb"] < 1000
        assert run["threads"] == 1
        assert {"cndts", "python", "numpy", "pandas", "scikit-learn"} <= set(run["versions"])
        assert 0 <= run["coverage_50"] <= run["coverage_90"] <= 1


def test_scores_are_those_of_a_fit_in_this_process(result: BenchmarkResult, stays: IrregularPanel) -> None:
    """The other process sees the same records on the same scale."""
    rule = protocol(PROTOCOL)
    split = rule.split(stays)
    for model in (LastValueForecaster(), ChannelMeanForecaster()):
        model.fit(*split.train, X_val=split.validation[0], y_val=split.validation[1])
        here = rule.score(split.test[1], model.predict(split.test[0]))
        name = "last-value" if isinstance(model, LastValueForecaster) else "channel-mean"
        there = next(run for run in result.runs if run["model"] == name)
        assert there["mse"] == pytest.approx(here["mse"], rel=1e-6)
        assert there["mae"] == pytest.approx(here["mae"], rel=1e-6)


def test_normal_forecasts_have_a_likelihood(result: BenchmarkResult, stays: IrregularPanel) -> None:
    """That of scipy's density, averaged as the protocol does; forecasts that are not normal have none."""
    small = {"head": "gaussian", "width": 8, "training__epochs": 1, "training__members": 1}
    found = run_benchmark(PROTOCOL, stays, ["gru-d"], settings={"gru-d": small}, threads=1, n_resamples=2)
    split = protocol(PROTOCOL).split(stays)
    model = make_model("gru-d", random_state=0, **small).fit(
        *split.train, X_val=split.validation[0], y_val=split.validation[1]
    )
    forecast, y = model.predict_distribution(split.test[0]), split.test[1]
    density = pd.Series(norm.logpdf(y.value, forecast.mean, forecast.std))
    by_hand = -density.groupby(y.channel).mean().mean()
    assert found.summary().loc["gru-d", ("nll", "mean")] == pytest.approx(by_hand, rel=1e-4)
    assert "nll" not in result.summary()


def test_predictions_are_kept(result: BenchmarkResult, stays: IrregularPanel, predictions_folder: Path) -> None:
    """What is kept gives the scores again."""
    y = protocol(PROTOCOL).split(stays).test[1]
    for run in result.runs:
        with np.load(predictions_folder / run["model"] / f"seed-{run['seed']}.npz", allow_pickle=False) as file:
            np.testing.assert_array_equal(file["true"], y.value)
            assert protocol(PROTOCOL).score(y, file["value"])["mse"] == pytest.approx(run["mse"])


def test_result_is_plain_json(result: BenchmarkResult, tmp_path: Path) -> None:
    """The file reads back with every part, and unknown numbers are null."""
    result.save(tmp_path / "out.json")
    content = json.loads((tmp_path / "out.json").read_text())
    assert set(content) == {
        "protocol",
        "protocol_settings",
        "description",
        "data",
        "machine",
        "runs",
        "channels",
        "average",
        "comparisons",
        "published",
        "caution",
    }
    assert content["runs"][0]["mae"] == result.runs[0]["mae"]
    assert content["data"]["test_records"] == 12
    assert {"t-PatchGNN", "GraFITi"} <= {row["model"] for row in content["published"]}
    assert any(row["mae"] is None for row in content["published"])


def test_channel_mean_has_no_skill(result: BenchmarkResult) -> None:
    """Skill compares with the training mean, which is what this baseline predicts."""
    rows = result.channels[result.channels["model"] == "channel-mean"]
    np.testing.assert_allclose(rows["skill"], 0, atol=1e-5)
    assert (rows["count"] > 0).all()


def test_a_failing_fit_says_which_and_why(stays: IrregularPanel) -> None:
    """The last line of the other process comes back with model and seed."""
    with pytest.raises(RuntimeError, match=r"last-value with seed 3 failed: ValueError: Invalid parameter 'no_such'"):
        run_benchmark(PROTOCOL, stays, ["last-value"], [3], settings={"last-value": {"no_such": 1}})


def test_interpolators_need_something_hidden(stays: IrregularPanel) -> None:
    """Refused before any fit, with what to set in Python and on the command line; with it they run."""
    name, models = "latent-ode/physionet2012-interpolation", ["channel-mean", "linear-interpolator"]
    started = []
    with pytest.raises(
        ValueError,
        match=r"linear-interpolator learns .* shows it all [\d,]+ targets .*--set protocol:observed=0\.5, or",
    ):
        run_benchmark(name, stays, models, progress=lambda *call: started.append(call))
    assert not started
    check_hides_something(models, protocol(name, observed=0.5), protocol(name, observed=0.5).split(stays).train[1])


def test_repeated_seeds_are_refused(stays: IrregularPanel) -> None:
    """A seed counted twice would make the spread too small."""
    with pytest.raises(ValueError, match=r"each only once; got \[0, 0\]"):
        run_benchmark(PROTOCOL, stays, ["last-value"], [0, 0])


def test_progress_counts_the_fits(result: BenchmarkResult, progress_calls: list[tuple[str, int, int]]) -> None:
    """One call per fit before it starts, and one for the comparison."""
    assert progress_calls == [
        ("last-value, seed 1", 0, 2),
        ("channel-mean, seed 1", 1, 2),
        ("comparing", 2, 2),
    ]


# ---- comparisons ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Noisy:
    """Targets of two channels, and predictions with errors of a known size."""

    y: Targets
    good: np.ndarray
    bad: np.ndarray


@pytest.fixture(scope="module")
def noisy() -> Noisy:
    rng = np.random.default_rng(0)
    n_records, each = 100, 6
    n = n_records * each
    queries = Queries(
        np.arange(0, n + 1, each), np.tile(np.arange(each), n_records), np.tile([0, 0, 0, 0, 0, 1], n_records)
    )
    y = Targets(queries, rng.normal(size=n), pd.RangeIndex(n_records), ["HR", "Temp"])
    return Noisy(y, y.value + 0.1 * rng.normal(size=n), y.value + 0.5 * rng.normal(size=n))


def test_every_pair_is_compared(noisy: Noisy) -> None:
    """Three models make three pairs, each with three scores; only channels with enough targets stand alone."""
    predictions = {"a": [noisy.good], "b": [noisy.bad], "c": [noisy.bad]}
    table = compare_models(noisy.y, predictions, np.zeros(2), n_resamples=50)
    assert table.groupby(["model", "against"]).ngroups == 3
    assert set(table["channel"]) == {"all", "HR"}
    assert len(table) == 3 * 3 * 2


def test_the_better_model_wins_beyond_its_interval(noisy: Noisy) -> None:
    """Lower errors, higher skill, and a share of resamples of one."""
    table = compare_models(noisy.y, {"a": [noisy.good], "b": [noisy.bad]}, np.zeros(2), n_resamples=200)
    errors, skill = table[table["metric"] != "skill"], table[table["metric"] == "skill"]
    assert (errors["high"] < 0).all()
    assert (skill["low"] > 0).all()
    assert (table["share"] == 1).all()


def test_a_model_does_not_differ_from_itself(noisy: Noisy) -> None:
    """Equal predictions differ by exactly zero in every resample."""
    table = compare_models(noisy.y, {"a": [noisy.bad], "b": [noisy.bad]}, np.zeros(2), n_resamples=50)
    assert (table[["difference", "low", "high"]] == 0).all(axis=None)


@pytest.mark.parametrize("name", ["t-patchgnn/physionet2012", "grafiti/physionet2012"])
def test_differences_are_those_of_the_scores(name: str, stays: IrregularPanel) -> None:
    """Whether a protocol averages over variables or over values, the table of differences says the same as that of scores."""
    found = run_benchmark(name, stays, ["last-value", "channel-mean"], [0], n_resamples=10)
    assert found.average == protocol(name).average
    whole = found.comparisons[found.comparisons["channel"] == "all"].set_index("metric")["difference"]
    for metric in ("mse", "mae"):
        assert whole[metric] == pytest.approx(found.runs[0][metric] - found.runs[1][metric], rel=1e-5)


def test_seeds_enter_with_their_mean_error(noisy: Noisy) -> None:
    """Two seeds score half way between each alone, unlike an average of their predictions."""
    both, good, bad = (
        channel_scores(noisy.y, {"m": seeds}, np.zeros(2)).set_index("channel")
        for seeds in ([noisy.good, noisy.bad], [noisy.good], [noisy.bad])
    )
    np.testing.assert_allclose(both["mse"], (good["mse"] + bad["mse"]) / 2)


def test_distribution_scores_of_a_known_distribution() -> None:
    """Quantiles of the distribution that the targets come from cover what they promise."""
    from scipy.stats import norm

    n, levels = 4000, np.linspace(0.05, 0.95, 19)
    queries = Queries(np.array([0, n]), np.zeros(n), np.zeros(n, dtype=int))
    y = Targets(queries, np.random.default_rng(0).normal(size=n), pd.RangeIndex(1), ["HR"])
    scores = score_distribution(y, np.tile(norm.ppf(levels), (n, 1)), levels)
    assert scores["coverage_90"] == pytest.approx(0.9, abs=0.02)
    assert scores["coverage_50"] == pytest.approx(0.5, abs=0.03)
    assert scores["width_90"] == pytest.approx(2 * norm.ppf(0.95), rel=1e-6)


def test_reference_means_are_those_of_training_targets() -> None:
    """Mean of each channel; zero for a channel without targets."""
    queries = Queries(np.array([0, 2]), np.zeros(2), np.zeros(2, dtype=int))
    y = Targets(queries, [1.0, 3.0], pd.RangeIndex(1), ["HR", "never"])
    np.testing.assert_array_equal(reference_means(y), [2.0, 0.0])


# ---- resources -----------------------------------------------------------------------------------------


def test_peak_memory_sees_an_allocation() -> None:
    """An array that has come and gone shows in the peak, and not in what is resident.

    In a process of its own, as every job of a benchmark: in a large one the system may take other pages away meanwhile.
    """
    code = """if True:
        import numpy as np
        from cndts.benchmarking._resources import peak_mb, resident_mb, restart_peak

        restart_peak()
        before = resident_mb()
        block = np.ones(10_000_000)
        del block
        print(peak_mb() - before, resident_mb() - before)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    peak, resident = map(float, done.stdout.split())
    assert peak >= 0.8 * 80
    assert resident < 0.5 * 80


def test_thread_settings_name_every_library() -> None:
    """OpenMP, MKL and OpenBLAS each read their own variable."""
    assert thread_settings(2) == dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "2"
    )
