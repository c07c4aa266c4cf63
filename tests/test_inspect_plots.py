"""Drawings show what the tables say."""

import builtins
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cndts import Extrapolation, IrregularPanel
from cndts.datasets import make_oscillators
from cndts.estimators import HybridMemoryForecaster
from cndts.inspect import episodic_reads, gate_trace, plot_gates, plot_reads, read_gates, working_reads
from cndts.memory import Memory
from cndts.targets import Targets
from cndts.training import Training

Pair = tuple[IrregularPanel, Targets]


def fit(X: IrregularPanel, y: Targets) -> HybridMemoryForecaster:
    """A model that fits in a moment."""
    training, memory = Training(epochs=1, batch_size=8, members=2), Memory(episodic_slots=5, window=3, timescales=2)
    return HybridMemoryForecaster(memory, training=training, width=8, layers=1, random_state=0).fit(X, y)


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Extrapolation(observe=6, horizon=2).split(make_oscillators(10, random_state=0))


@pytest.fixture(scope="module")
def fitted(pair: Pair) -> HybridMemoryForecaster:
    return fit(*pair)


def plot_of(draw: Any, *args: Any, **options: Any) -> Any:
    """The figure, drawn once and closed."""
    figure = draw(*args, **options)
    figure.canvas.draw()
    plt.close(figure)
    return figure


def artists(axis: Any) -> dict[str, Any]:
    return dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))


@pytest.mark.parametrize("memory", ["episodic", "working"])
def test_plot_of_reads(fitted: HybridMemoryForecaster, pair: Pair, memory: str) -> None:
    """All events, the held ones coloured by their share, and the forecast from the last event to the last query."""
    X = pair[0].without_queries().with_queries([6.5, 8.0])
    figure = plot_of(plot_reads, fitted, X, record=5, channel="x1", memory=memory)
    assert figure.axes[0].get_ylabel() == "x1"
    drawn = artists(figure.axes[0])
    assert set(drawn) == {"observed", "held", "90 % band", "50 % band", "forecast (median)"}
    events = X[[5]]
    np.testing.assert_array_equal(drawn["observed"].get_xdata(), events.time[events.channel == 1])
    median = drawn["forecast (median)"]
    assert median.get_xdata()[[0, -1]].tolist() == [events.last_time[0], 8.0]
    expected = fitted.predict_quantiles(events.with_queries([8.0], "x1"), [0.5])[0, 0]
    assert median.get_ydata()[-1] == pytest.approx(expected, rel=1e-5)
    look = {"episodic": episodic_reads, "working": working_reads}[memory]
    reads = look(fitted, events.with_queries([8.0], "x1"))
    held = [artists(axis)["held"] for axis in figure.axes[:-1]]
    shown = np.concatenate([np.column_stack([marks.get_offsets(), marks.get_array()]) for marks in held])
    table = reads[reads["time"].notna()][["time", "value", "share"]].to_numpy(dtype=float)
    np.testing.assert_allclose(shown[np.argsort(shown[:, 0])], table[np.argsort(table[:, 0])], rtol=1e-5)
    assert "share of the read" in figure.axes[-1].get_ylabel()


def test_plot_of_gates(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """One axes a gate with one line a channel, and bars of the read gates."""
    figure = plot_of(plot_gates, fitted, pair[0], record=5)
    labels = [axis.get_ylabel() for axis in figure.axes]
    assert labels[-1] == "read gate"
    assert {"long-term\nwrite weight", "working\nforget pace", "episodic\nsalience"} < set(labels)
    salience = figure.axes[labels.index("episodic\nsalience")]
    line = next(line for line in salience.get_lines() if line.get_label() == "x0")
    trace = gate_trace(fitted, pair[0], record=5, average=True)
    own = trace[(trace["gate"] == "salience") & (trace["channel"] == "x0")]
    np.testing.assert_array_equal(line.get_xdata(), own["time"])
    np.testing.assert_allclose(line.get_ydata(), own["reading"])
    bars = figure.axes[-1].patches
    assert sorted(bar.get_height() for bar in bars) == pytest.approx(
        sorted(read_gates(fitted, pair[0][[5]].without_queries())["opening"])
    )


def test_plots_without_matplotlib(fitted: HybridMemoryForecaster, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    load = builtins.__import__

    def refuse(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return load(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    for draw in (plot_reads, plot_gates):
        with pytest.raises(ImportError, match=r'plots need matplotlib: pip install "cndts\[plot\]"'):
            draw(fitted, pair[0])


def test_calendar(pair: Pair) -> None:
    """Dates stay dates on the axes."""
    frame = pair[0].without_queries().to_long()
    start = pd.Timestamp("2024-03-01 06:00", tz="Europe/Paris")
    frame["time"] = start + pd.to_timedelta(frame["time"], "s")
    X = IrregularPanel.from_long(frame, time_unit="s", origin=start).with_queries([start + pd.Timedelta("8s")])
    model = fit(*pair)
    for figure in (plot_of(plot_reads, model, X), plot_of(plot_gates, model, X, record=3)):
        assert "time" in [axis.get_xlabel() for axis in figure.axes]
    assert set(figure.axes[0].get_lines()[1].get_xdata()) <= set(X[[3]].to_long()["time"])
