"""The script of benchmarks/beyond_memory writes, reads and trains."""

import argparse
import importlib.util
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow")
SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "beyond_memory" / "beyond_memory.py"


def test_every_step_reports_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("beyond_memory", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "RECORDS_PER_SHARD", 10)
    monkeypatch.setattr(script, "N_OBSERVATIONS", 8)
    arguments = argparse.Namespace(events=960, events_in_memory=400, records_per_epoch=20, epochs=1, threads=1)
    path = tmp_path / "panel.parquet"

    written = script.measured(script.write, path, arguments)
    assert (written["records"], written["shards"]) == (30, 3)
    assert written["events"] == pytest.approx(960, rel=0.1)
    assert script.read(path, arguments)["events"] == written["events"]
    trained = script.train(path, arguments)
    assert trained["events drawn"] == 20 * 4 * 8
    assert np.isfinite(trained["last loss"])
