"""Draw docs/_static/memory.svg: averages of one series on three time scales, from the equation of the compressed memory."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

plt.rcParams.update({"svg.hashsalt": "cndts", "svg.fonttype": "path", "font.size": 10})

TIMES = np.array([0.3, 0.7, 1.0, 2.6, 2.9, 4.4, 6.8, 7.0, 7.3, 9.6])
VALUES = np.array([1.6, 2.2, 1.9, 3.4, 3.9, 3.0, 0.9, 1.3, 1.0, 2.4])
SCALES = {0.3: "#d95f02", 1.5: "#1b9e77", 8.0: "#7570b3"}


def average(t: np.ndarray, scale: float) -> np.ndarray:
    """Average m / n at times t, NaN before the first event."""
    elapsed = t[:, None] - TIMES
    weight = np.where(elapsed >= 0, np.exp(-np.maximum(elapsed, 0) / scale), 0.0)
    total = weight.sum(axis=1)
    return np.divide(weight @ VALUES, total, out=np.full(len(t), np.nan), where=total > 0)


def main() -> None:
    """Write the figure."""
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(8, 3.9), sharex=True, height_ratios=[3, 1.6], layout="constrained"
    )
    t = np.linspace(0, 11, 2201)
    for scale, colour in SCALES.items():
        above.plot(t, average(t, scale), color=colour, linewidth=1.8, label=f"$m/n$, time scale {scale:g}")
        elapsed = t[:, None] - TIMES
        mass = np.where(elapsed >= 0, np.exp(-np.maximum(elapsed, 0) / scale), 0).sum(axis=1)
        below.plot(t, mass, color=colour, linewidth=1.4)
    above.plot(TIMES, VALUES, "o", color="black", markersize=5.5, label="events", zorder=3)
    above.set_ylabel("value")
    above.legend(frameon=False, fontsize=9, ncols=2, loc="upper right")
    above.set_ylim(0.5, 5.6)
    below.set_ylabel("mass $n$")
    below.set_xlabel("time")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(Path(__file__).parents[1] / "_static" / "memory.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
