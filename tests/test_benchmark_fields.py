"""The script that runs models on six fields: its data, its jobs, and what it writes."""

import importlib
import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from cndts import IrregularPanel
from cndts.benchmarking import finished_jobs, make_model
from cndts.datasets import make_oscillators
from cndts.estimators import LastValueForecaster

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks" / "fields"


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, ModuleType]]:
    """Script and data, found as when the script is run."""
    before, path = set(sys.modules), list(sys.path)
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("fields"), importlib.import_module("data")
    sys.path[:] = path
    for module in set(sys.modules) - before:
        if "benchmarks" in str(getattr(sys.modules[module], "__file__", None)):
            del sys.modules[module]


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["fields", *map(str, arguments)])
    script.main()


def test_from_data_to_tables(modules, tmp_path, monkeypatch, capsys):
    """Both tasks, errors by horizon and by gap, differences; a second run repeats nothing."""
    script, data = modules
    oscillators = make_oscillators(60, n_observations=30)
    field = data.Field(lambda paths: data.forecasts(oscillators, observe=6, horizon=4), 6, (0, 2, 4), (1,), "s")
    monkeypatch.setitem(script.FIELDS, "fx", field)
    common = ("fx", "--folder", tmp_path, "--json", tmp_path / "fx.json", "--jobs", 0, "--resamples", 10)
    models = ("--models", "last-value", "channel-mean", "linear-interpolator", "nearest-interpolator")
    run(script, monkeypatch, *common, *models, "--data", "x", "--seeds", 0)
    run(script, monkeypatch, *common, *models, "--seeds", 0, 1)
    assert len(finished_jobs(tmp_path / "fx" / "fits.jsonl")) == 4  # none of these has any use for a seed
    result = json.loads((tmp_path / "fx.json").read_text(encoding="utf-8"))
    forecasts, gaps = result["tasks"]
    assert [run["model"] for run in forecasts["runs"]] == ["last-value", "channel-mean"]
    assert [run["model"] for run in gaps["runs"]] == ["linear-interpolator", "nearest-interpolator"]
    last = [row for row in forecasts["bands"] if row["model"] == "last-value"]
    assert [row["band"] for row in last] == ["[0, 2) s", "[2, 4] s"]
    assert sum(row["count"] for row in last) == forecasts["targets"]
    by_value = np.average([row["mse"] for row in last], weights=[row["count"] for row in last])
    assert by_value == pytest.approx(forecasts["runs"][0]["mse_by_value"])
    wide = [row for row in gaps["bands"] if row["model"] == "nearest-interpolator"]
    assert [row["band"] for row in wide] == ["[0, 1) s", "[1, inf] s"]
    assert sum(row["count"] for row in wide) == gaps["targets"]
    assert wide[0]["mse"] < wide[1]["mse"]  # the wider the gap, the harder
    found = next(row for row in forecasts["differences"] if row["metric"] == "mse")
    assert found["difference"] == pytest.approx(forecasts["runs"][0]["mse"] - forecasts["runs"][1]["mse"])
    capsys.readouterr()
    run(script, monkeypatch, *common, "--table")
    printed = capsys.readouterr().out
    assert f"| last-value | {forecasts['runs'][0]['mse']:.4f} |" in printed
    assert "| MSE by horizon | [0, 2) s | [2, 4] s |" in printed
    assert "| MSE by gap | [0, 1) s | [1, inf] s |" in printed


def test_budget_reaches_the_networks(modules, tmp_path, monkeypatch):
    """Epochs for all neural models or for one, and members, are set although a model has no settings of its own yet."""
    script, data = modules
    assert [script.epochs_of("gru-d", given) for given in ([], ["3"], ["3", "gru-d=2"], ["latent-ode=2"])] == [
        None,
        3,
        2,
        None,
    ]
    parts = data.forecasts(make_oscillators(30, n_observations=10), observe=6, horizon=4)
    (tmp_path / "extrapolation" / "predictions").mkdir(parents=True)
    for part, (X, y) in zip(script.PARTS, parts, strict=True):
        script.write_task(tmp_path / "extrapolation" / f"{part}.npz", X, y)
    made = []
    monkeypatch.setattr(
        script, "make_model", lambda *args, **settings: made.append(make_model(*args, **settings)) or made[-1]
    )
    script.fit(
        tmp_path,
        {
            "task": "extrapolation",
            "model": "gru-d",
            "seed": 0,
            "epochs": 3,
            "members": 1,
            "set": ["training__cut_share=0.5"],
        },
    )
    assert [result.n_epochs for result in made[0].fit_results_] == [3]
    assert made[0].training.cut_share == 0.5


def test_a_budget_is_for_networks(modules):
    """A model that has none is the same job, whatever the networks get, and is not fitted again."""
    script, _ = modules
    given = Namespace(epochs=["3", "gru-d=2"], members=1, set=[], seeds=[0], models=["gru-d", "ridge"])
    network, ridge = script.planned(given, "extrapolation")
    assert network == {"task": "extrapolation", "model": "gru-d", "seed": 0, "epochs": 2, "members": 1, "set": []}
    assert ridge == {"task": "extrapolation", "model": "ridge", "seed": 0}


def test_network_and_trees_vote_seed_by_seed(modules):
    """From what both have answered, where both have; nothing is fitted for it."""
    script, data = modules
    _, y = data.forecasts(make_oscillators(30, n_observations=10), observe=6, horizon=4).test
    pair = ("hybrid-memory-interpolator", "boosted-trees-interpolator")
    found = {model: [y.value + k + shift for k in range(2)] for model, shift in zip(pair, (0.0, 0.5), strict=True)}
    runs = [{"model": model, "seed": 7 + k, "fit_seconds": 1.0 + k} for k in range(2) for model in pair]
    voted = script.vote("interpolation", runs, found, y, np.zeros(len(y.channels)))
    assert [(run["model"], run["seed"], run["fit_seconds"]) for run in voted] == [
        ("vote-interpolator", 7, 2.0),
        ("vote-interpolator", 8, 4.0),
    ]
    assert [run["mae"] for run in voted] == pytest.approx([0.25, 1.25])
    np.testing.assert_allclose(found["vote-interpolator"][1], y.value + 1.25)
    assert script.vote("extrapolation", runs, found, y, np.zeros(len(y.channels))) == []


def test_data_are_asked_for(modules, tmp_path, monkeypatch):
    """Before anything is read."""
    with pytest.raises(SystemExit, match="name the publisher's files with --data"):
        run(modules[0], monkeypatch, "ushcn", "--folder", tmp_path, "--json", tmp_path / "a.json")


def test_every_model_can_be_made(modules):
    """Names that the benchmark knows, forecasters for one task and interpolators for the other."""
    script, _ = modules
    for task, names in script.MODELS.items():
        kinds = [type(script.make_model(name)).__name__ for name in names]
        assert all(kind.endswith("Interpolator" if task == "interpolation" else "Forecaster") for kind in kinds)


def test_interpolation_has_the_same_records(modules):
    """Context and targets of the forecast are the events that are hidden from."""
    _, data = modules
    parts = data.forecasts(make_oscillators(40), observe=6, horizon=4)
    for (X, y), (gaps, hidden) in zip(parts, data.interpolation(parts), strict=True):
        assert gaps.records.equals(X.records)
        assert gaps.n_events + len(hidden.value) == X.n_events + len(y.value)
        both = np.sort(np.concatenate([gaps.value, hidden.value]))
        np.testing.assert_array_equal(both, np.sort(np.concatenate([X.value, y.value])))


def ticks() -> IrregularPanel:
    """Two pairs on ten days, a quote every two seconds or so for an hour."""
    random = np.random.default_rng(0)
    parts, names, symbols, days = [], [], [], []
    for day in range(10):
        for symbol in ("eurusd", "nzdusd"):
            time = 86400 * day + np.sort(random.uniform(0, 3600, 1800))
            parts.append((time, np.cumsum(random.normal(size=1800))))
            names.append(f"{symbol} 2014-05-{day + 1:02d}")
            symbols.append(symbol)
            days.append(f"2014-05-{day + 1:02d}")
    return IrregularPanel(
        np.arange(21) * 1800,
        np.concatenate([time for time, _ in parts]),
        np.full(36_000, 2),
        np.concatenate([value for _, value in parts]),
        records=names,
        channels=["bid", "ask", "mid"],
        static=pd.DataFrame({"Symbol": symbols}, index=names),
        time_unit="s",
        groups=np.array(days),
    )


def test_moves_after_the_cut(modules, monkeypatch):
    """In units of training moves, from the last price: the last value is zero and forecasts no move; days are split in order."""
    _, data = modules
    monkeypatch.setattr(data, "read_ticks", lambda paths, prices: ticks())
    parts = data.fx(["x"])
    days = [sorted({str(name).split(" ")[0] for name in X.records}) for X, _ in parts]
    assert [len(part) for part in days] == [6, 2, 2]
    assert days[0][-1] < days[1][0] < days[2][0]
    X, y = parts.test
    assert X.channels == ("eurusd", "nzdusd")
    assert X.time.max() < 600 <= y.time.min()
    assert y.time.max() <= 900
    forecast = LastValueForecaster().fit(*parts.train).predict(X)
    assert len({*np.round(np.asarray(forecast), 4)}) <= 2  # zero, scaled, for each channel
    # a random walk: the squared move grows as its age, 150 s on average, and the context's as 300 s
    grown = [np.mean((y.value - forecast.value)[(y.time >= low) & (y.time < low + 100)] ** 2) for low in (600, 800)]
    assert grown[1] > 2 * grown[0]
