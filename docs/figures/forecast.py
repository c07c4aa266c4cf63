"""Draw docs/_static/forecast.svg: forecasts for one generated patient, with the truth behind the observations."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from cndts import Extrapolation
from cndts.datasets import make_icu
from cndts.estimators import HybridMemoryForecaster

plt.rcParams.update({"svg.hashsalt": "cndts", "svg.fonttype": "path", "font.size": 10})

SHOWN = ("HR", "Lactate", "Glucose")
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
N_RECORDS, N_TRAIN = 600, 500


def main() -> None:
    """Fit to most of the records, draw one of the others."""
    panel, truth = make_icu(N_RECORDS, random_state=0, return_truth=True)
    X, y = Extrapolation(observe=24, horizon=24).split(panel)
    model = HybridMemoryForecaster(random_state=0).fit(X[:N_TRAIN], y[:N_TRAIN])
    figure = draw(panel, truth, X, y, model, typical(panel))
    figure.savefig(Path(__file__).parents[1] / "_static" / "forecast.svg", metadata={"Date": None})


def typical(panel) -> int:
    """The test record whose number of lactate values is the median of those that have some."""
    counts = np.bincount(panel.record[panel.channel == panel.channels.index("Lactate")], minlength=N_RECORDS)[N_TRAIN:]
    order = np.argsort(counts, kind="stable")
    measured = order[counts[order] > 0]
    return N_TRAIN + int(measured[len(measured) // 2])


def draw(panel, truth, X, y, model, record) -> plt.Figure:
    """One axes per channel: observations, truth, bands."""
    whole, ahead = np.linspace(0, 48, 400), np.linspace(24, 48, 200)
    figure, rows = plt.subplots(len(SHOWN), 1, figsize=(8, 6.4), sharex=True, layout="constrained")
    one, later = X[record], y[record]
    for axes, name in zip(rows, SHOWN, strict=True):
        bands = model.predict_quantiles(one.with_queries(ahead, name), LEVELS).T
        axes.axvline(24, color="0.6", linewidth=0.8)
        axes.fill_between(ahead, bands[0], bands[4], color="#3b75af", alpha=0.18, linewidth=0, label="90 %")
        axes.fill_between(ahead, bands[1], bands[3], color="#3b75af", alpha=0.35, linewidth=0, label="50 %")
        axes.plot(ahead, bands[2], color="#1f4e79", linewidth=1.6, label="forecast (median)")
        axes.plot(whole, truth(record, name, whole), "--", color="0.35", linewidth=1, label="true curve")
        seen = one.channel == panel.channels.index(name)
        came = later.channel == panel.channels.index(name)
        axes.plot(one.time[seen], one.value[seen], "o", color="black", markersize=4, label="observed")
        axes.plot(later.time[came], later.value[came], "o", mfc="white", mec="black", markersize=4, label="came later")
        axes.set_ylabel(f"{name} ({panel.units[name]})")
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0.01)
    rows[0].legend(frameon=False, fontsize=9, ncols=3, loc="lower left", bbox_to_anchor=(0, 1.0))
    rows[-1].set_xlabel("hours")
    return figure


if __name__ == "__main__":
    main()
