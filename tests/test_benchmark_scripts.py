"""The scripts under benchmarks/ run, go on where they were interrupted, and print what they found."""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cndts import Extrapolation, IrregularPanel
from cndts.benchmarking import finished_jobs, run_jobs
from cndts.datasets import make_icu, make_oscillators

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


SQUARES = """
def square(job):
    if job["number"] < 0:
        raise ValueError("a negative number")
    return {"square": job["number"] ** 2}
"""


@pytest.fixture
def square(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Work that another process can import, however pytest was started."""
    (tmp_path / "work_of_test_jobs.py").write_text(SQUARES, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("work_of_test_jobs").square
    del sys.modules["work_of_test_jobs"]


@pytest.fixture
def script(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A script as it is found when it is run: the modules beside it can be imported."""
    folder, name = request.param
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(BENCHMARKS / folder))
    yield importlib.import_module(name)
    for module in set(sys.modules) - before:
        if getattr(sys.modules[module], "__file__", None) and "benchmarks" in str(sys.modules[module].__file__):
            del sys.modules[module]


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", [script.__name__, *map(str, arguments)])
    script.main()


class TestRunJobs:
    """Each job once, each with a line."""

    @pytest.mark.parametrize("parallel", [0, 2])
    def test_finished_jobs_are_not_repeated(self, square: Any, tmp_path: Path, parallel: int) -> None:
        path = tmp_path / "lines.jsonl"
        path.write_text('{"number": 2, "square": -4}\n', encoding="utf-8")
        lines = run_jobs(square, [{"number": 3}, {"number": 2}], path, parallel=parallel)
        assert lines == [{"number": 3, "square": 9}, {"number": 2, "square": -4}]
        assert len(finished_jobs(path)) == 2

    def test_an_unfinished_line_is_repeated(self, square: Any, tmp_path: Path) -> None:
        path = tmp_path / "lines.jsonl"
        path.write_text('{"number": 2, "square": 4}\n{"number": 3, "squ', encoding="utf-8")
        assert finished_jobs(path) == [{"number": 2, "square": 4}]
        run_jobs(square, [{"number": 3}], path, parallel=0)
        assert finished_jobs(path) == [{"number": 2, "square": 4}, {"number": 3, "square": 9}]

    def test_a_failure_does_not_stop_the_others(self, square: Any, tmp_path: Path) -> None:
        path = tmp_path / "lines.jsonl"
        with pytest.raises(RuntimeError, match=r'the job \{"number": -1\} failed.*a negative number'):
            run_jobs(square, [{"number": -1}, {"number": 5}], path, parallel=0)
        assert finished_jobs(path) == [{"number": 5, "square": 25}]

    def test_lists_and_tuples_are_the_same_job(self, square: Any, tmp_path: Path) -> None:
        path = tmp_path / "lines.jsonl"
        run_jobs(square, [{"number": 1, "sizes": (1, 2)}], path, parallel=0)
        run_jobs(square, [{"number": 1, "sizes": [1, 2]}], path, parallel=0)
        assert len(finished_jobs(path)) == 1


@pytest.mark.parametrize("script", [("recall", "recall")], indirect=True)
class TestRecall:
    """The recall tasks without each memory."""

    def test_table_has_a_column_for_each_variant(
        self, script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        results = tmp_path / "recall.jsonl"
        monkeypatch.setattr(script, "TRAINED", (5, 12))
        sizes = ("--distances", 12, 20, "--records", 20, "--epochs", 1, "--seeds", 0, "--jobs", 0)
        run(script, monkeypatch, "--json", results, "--kinds", "cue", "--variants", "full", "no working", *sizes)
        lines = finished_jobs(results)
        assert [line["variant"] for line in lines] == ["full", "no working"]
        asked = [found for line in lines for found in line["asked"]]
        assert [found["distance"] for found in asked] == [12, 20, 12, 20]
        assert all(found["best_skill"] == pytest.approx(1) and found["skill"] < 1 for found in asked)
        capsys.readouterr()
        run(script, monkeypatch, "--json", results, "--table")
        head, _, row, further = capsys.readouterr().out.strip().splitlines()
        assert head == "| task | events | seeds | best possible | full | no working |"
        assert row.startswith(f"| cue | 12 | 1 | 1.000 | {asked[0]['skill']:.3f} |")
        assert further.startswith(f"| cue | 20 | 1 | 1.000 | {asked[1]['skill']:.3f} |")

    def test_training_records_are_short_and_long(self, script: ModuleType) -> None:
        X, y = script.training_records("cue", 1000, seed=0)
        assert sorted(set((X.counts - 11).tolist())) == list(script.TRAINED)
        assert len(X) == len(y) == 1000 + 1000 + 600 + 200
        assert (
            (X.value[X.offsets[:-1][:, None] + np.arange(11)] == np.asarray(y, dtype=np.float32)[:, None]).any(1).all()
        )


@pytest.mark.parametrize("script", [("ablation", "ablation")], indirect=True)
class TestAblation:
    """The model without its parts."""

    def test_differences_to_the_full_model(
        self, script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        parts = script.forecasts if hasattr(script, "forecasts") else sys.modules["tasks"].forecasts
        oscillators = make_oscillators(120, n_observations=30)
        monkeypatch.setitem(script.TASKS, "batteryless", lambda paths: parts(oscillators, observe=6, horizon=4))
        common = ("batteryless", "--folder", tmp_path, "--epochs", 1, "--jobs", 0, "--json", tmp_path / "a.json")
        run(script, monkeypatch, *common, "--data", "x", "--variants", "full", "direct decoding", "--seeds", 0)
        run(script, monkeypatch, *common, "--variants", "full", "direct decoding", "--seeds", 0, 1, "--part", "test")
        assert len(finished_jobs(tmp_path / "batteryless" / "fits.jsonl")) == 4
        result = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
        full, direct = result["rows"]
        assert (result["part"], full["seeds"], "minus_full" in full) == ("test", 2, False)
        gap = np.mean(direct["scores"]["mae"]) - np.mean(full["scores"]["mae"])
        assert direct["minus_full"]["mae"]["difference"] == pytest.approx(gap)
        capsys.readouterr()
        run(script, monkeypatch, *common, "--table")
        assert f"| direct decoding | {np.mean(direct['scores']['mae']):.4f}" in capsys.readouterr().out

    def test_data_are_asked_for(self, script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(SystemExit, match="name the publisher's files with --data"):
            run(script, monkeypatch, "ushcn", "--folder", tmp_path, "--json", tmp_path / "a.json")

    def test_variants_are_settings_of_the_forecaster(self, script: ModuleType) -> None:
        for settings in script.VARIANTS.values():
            model = script.HybridMemoryForecaster().set_params(**settings)
            assert all(model.get_params()[name] == value for name, value in settings.items())


@pytest.mark.parametrize("script", [("ablation", "tasks")], indirect=True)
class TestTasks:
    """Records cut from long series."""

    def test_windows_start_at_zero_and_hold_their_stretch(self, script: ModuleType) -> None:
        panel = IrregularPanel([0, 5, 5], [2.0, 3.0, 5.0, 8.0, 9.5], [0] * 5, [1, 2, 3, 4, 5], records=["a", "b"])
        cut = script.windows(panel, length=4, stride=2)
        assert list(cut.records) == ["a from 2", "a from 4", "a from 6"]
        assert list(cut.groups) == ["a", "a", "a"]
        np.testing.assert_array_equal(cut.counts, [3, 1, 2])
        np.testing.assert_array_equal(cut.time, [0, 1, 3, 1, 2, 3.5])
        np.testing.assert_array_equal(cut.value, [1, 2, 3, 3, 4, 5])

    def test_a_station_is_in_one_part(self, script: ModuleType) -> None:
        long = make_oscillators(20, n_observations=100, duration=40.0)
        parts = script.forecasts(script.windows(long, length=10, stride=5), observe=8, horizon=2)
        train, validation, test = (set(X.groups) for X, _ in parts)
        assert not (train & validation or train & test or validation & test)
        assert len(train | validation | test) == 20
        assert all((np.diff(y.offsets) > 0).all() for _, y in parts)

    def test_scale_is_that_of_training(self, script: ModuleType) -> None:
        X, y = script.forecasts(make_oscillators(100), observe=6, horizon=4).train
        value, channel = np.concatenate([X.value, y.value]), np.concatenate([X.channel, y.channel])
        for which in range(2):
            assert value[channel == which].mean() == pytest.approx(0, abs=1e-5)
            assert value[channel == which].std() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("script", [("cost", "cost")], indirect=True)
class TestCost:
    """Times, rates and slopes."""

    def test_parts_of_a_step(self, script: ModuleType) -> None:
        found = script.measure_parts(make_icu(70, density=0.3), threads=1, rounds=1)
        milliseconds = found["milliseconds"]
        assert {"encoder", "memories", "attention", "ode", "head", "step"} <= milliseconds.keys()
        assert all(value > 0 for value in milliseconds.values())
        # a step goes forward and backward: three times the products of a forecast, less what needs no gradient
        step, forecast = (found["product_gflop"][name] for name in ("step", "forecast of the batch"))
        assert 2 * forecast < step <= 3.1 * forecast
        assert 0 < found["share_of_peak"]["step"] < 1

    def test_slope_of_a_power(self, script: ModuleType) -> None:
        events = np.array([1e2, 1e3, 1e4])
        assert script.slope(events, 3e-6 * events**1.3) == pytest.approx(1.3)

    def test_a_length(self, script: ModuleType) -> None:
        lengths = sys.modules["lengths"]
        for work in ("forecast", "train"):
            assert lengths.run_once(200, work) > 0

    def test_plot(self, script: ModuleType, tmp_path: Path) -> None:
        lines = [
            {"work": work, "events": n, "seconds": n * 1e-5} for work in ("forecast", "train") for n in (10, 10**5)
        ]
        script.draw({"lengths": lines}, str(tmp_path / "cost.svg"))
        assert "<svg" in (tmp_path / "cost.svg").read_text(encoding="utf-8")
        assert script.slopes(lines, "train") == {"all": 1.0, "last": 1.0}


@pytest.mark.parametrize("script", [("mortality", "mortality")], indirect=True)
class TestMortality:
    """Folds, scores and the table."""

    @pytest.fixture
    def stays(self, script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> IrregularPanel:
        panel = make_icu(60, density=0.3, random_state=0)
        monkeypatch.setattr(script, "read_physionet2012", lambda *_, **__: panel)
        return panel

    def test_every_model_once(
        self,
        script: ModuleType,
        stays: IrregularPanel,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        path = tmp_path / "lines.jsonl"
        sizes = ["--epochs", 1, "--members", 1, "--width", 4, "--folds", 1, "--jobs", 0]
        for _ in range(2):
            run(script, monkeypatch, "set-a", "--outcomes", "labels", "--json", path, *sizes)
        lines = finished_jobs(path)
        assert [line["model"] for line in lines] == list(script.MODELS)
        assert all(0 <= line[name] <= 1 for line in lines for name in ("auroc", "auprc"))
        rows = capsys.readouterr().out.strip().splitlines()[-5:]
        assert rows[-2].startswith("| classifier | epochs 1, members 1, width 4 | 1 | 1 | 0.")
        assert rows[0].startswith("| summary |  | 1 | 1 | 0.")

    def test_the_tables_are_those_of_the_results(self, script: ModuleType) -> None:
        """Those of the README line by line, and every figure of the notebook's."""
        folder = BENCHMARKS / "mortality"
        table = script.table(finished_jobs(folder / "mortality.jsonl"))
        assert f"\n{table}\n" in (folder / "README.md").read_text(encoding="utf-8")
        notebook = (BENCHMARKS.parent / "notebooks" / "02-in-hospital-mortality.ipynb").read_text(encoding="utf-8")
        told = re.findall(r"(0\.\d{3}) ± (0\.\d{3})", notebook)
        known = {
            (f"{float(mean):.3f}", f"{float(spread):.3f}")
            for mean, spread in re.findall(r"(0\.\d{4}) ± (0\.\d{4})", table)
        }
        assert len(told) == 8
        assert set(told) <= known

    def test_table_averages_seeds_before_folds(self, script: ModuleType) -> None:
        line = {"model": "summary", "stays": None, "auprc": 0.5, "log_loss": 0.4, "fit_seconds": 2.0}
        lines = [
            line | {"fold": fold, "seed": seed, "auroc": auroc}
            for fold, seed, auroc in [(0, 0, 0.7), (0, 1, 0.9), (1, 0, 0.6), (1, 1, 0.6)]
        ]
        assert "| 2 | 2 | 0.7000 ± 0.1414 | 0.5000 ± 0.0000 | 0.4000 ± 0.0000 | 2 |" in script.table(lines)


@pytest.mark.parametrize("script", [("physionet2012", "compare")], indirect=True)
class TestCompareVersions:
    """Predictions of two versions, stay by stay."""

    @pytest.fixture
    def folders(self, script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
        """The true values as one version, and half a unit more as the other; enough targets for the mean skill."""
        X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(400, random_state=0))
        split = SimpleNamespace(train=(X[:50], y[:50]), test=(X[50:], y[50:]))
        monkeypatch.setattr(script, "read_physionet2012", lambda _: None)
        monkeypatch.setattr(script, "protocol", lambda _: SimpleNamespace(split=lambda _: split))
        true = split.test[1].value.astype(np.float64)
        for name, error in (("now", 0.0), ("before", 0.5)):
            (tmp_path / name).mkdir()
            for seed in (0, 11):
                np.savez(tmp_path / name / f"seed-{seed}.npz", value=true + error, true=true)
        return [tmp_path / "now", tmp_path / "before"]

    def test_differences_have_their_sign(
        self, script: ModuleType, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "compared.json"
        run(script, monkeypatch, "data", "--folder", folders[0], "--against", folders[1], "--json", out)
        found = json.loads(out.read_text(encoding="utf-8"))
        assert found["model"]["mae"] == pytest.approx([0, 0])
        assert found["against"]["mae"] == pytest.approx([0.5, 0.5], abs=1e-6)
        difference = found["difference"]["mae"]
        assert difference["low"] <= difference["difference"] == pytest.approx(-0.5, abs=1e-6)

    def test_other_targets_are_refused(
        self, script: ModuleType, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        np.savez(folders[1] / "seed-0.npz", value=np.zeros(3), true=np.zeros(3))
        with pytest.raises(AssertionError):
            run(script, monkeypatch, "data", "--folder", folders[0], "--against", folders[1], "--json", tmp_path / "o")
        with pytest.raises(SystemExit, match="holds no predictions"):
            run(script, monkeypatch, "data", "--folder", tmp_path, "--against", folders[1], "--json", tmp_path / "o")


@pytest.mark.parametrize("script", [("fields", "tables")], indirect=True)
def test_the_tables_of_the_fields_are_those_of_the_results(script: ModuleType) -> None:
    """Every table that the results give stands in the README as it is, so that neither grows old alone."""
    readme = (BENCHMARKS / "fields" / "README.md").read_text(encoding="utf-8")
    for task in script.MODELS:
        for table in script.tables(task):
            assert f"\n{table}\n" in readme, table.splitlines()[0]


@pytest.mark.parametrize("script", [("protocols", "tables")], indirect=True)
class TestProtocolTables:
    """Ours beside the published results."""

    def test_the_tables_are_those_of_the_results(self, script: ModuleType) -> None:
        """Every file is in a table, and every table in the README, line by line."""
        folder = BENCHMARKS / "protocols"
        text = (folder / "README.md").read_text(encoding="utf-8")
        assert all(f"\n{script.table(name)}\n" in text for name in script.RESULTS)
        known = [file for files, _ in script.RESULTS.values() for file in files]
        assert sorted(known) == sorted(path.stem for path in folder.glob("*.json"))

    def test_the_protocol_is_that_of_the_file(self, script: ModuleType) -> None:
        """A file under another protocol's name would be read as its result."""
        for name, (files, _) in script.RESULTS.items():
            for file in files:
                content = json.loads((BENCHMARKS / "protocols" / f"{file}.json").read_text(encoding="utf-8"))
                assert content["protocol"] == name
