"""Published results as tables: how they are written down in this package, and what they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

METRICS = ("mse", "mae")
SECONDARY = "secondary source, not checked against the paper"


def published_table(
    text: str, columns: Sequence[tuple[str, float]], sources: Mapping[str, str], source: str | None = None
) -> pd.DataFrame:
    """One row a line: model (``_`` for a space), value and deviation of each metric in its unit, key of the source.

    Parameters
    ----------
    text : str
        The lines; ``nan`` where nothing was published.
    columns : sequence of (str, float)
        The metrics in the order of the line, each with the unit that the source prints it in.
    sources : mapping
        Source by key.
    source : str, optional
        Key of the source of lines that end without one.

    Returns
    -------
    DataFrame
        Indexed by model, in plain units, with mse, mse_std, mae, mae_std, further metrics and source.
    """
    width = 1 + 2 * len(columns)
    rows = [line.split() for line in text.strip().splitlines()]
    units = [unit for _, unit in columns for _ in range(2)]
    names = [f"{name}{suffix}" for name, _ in columns for suffix in ("", "_std")]
    numbers = [[float(cell) * unit for cell, unit in zip(row[1:width], units, strict=True)] for row in rows]
    table = pd.DataFrame(numbers, columns=names, index=[row[0].replace("_", " ") for row in rows], dtype=float)
    for name in METRICS:
        for column in (name, f"{name}_std"):
            if column not in table:
                table[column] = float("nan")
    others = [name for name in names if name.removesuffix("_std") not in METRICS]
    table["source"] = [sources[row[width] if len(row) > width else source or ""] for row in rows]
    return table[["mse", "mse_std", "mae", "mae_std", *others, "source"]].rename_axis("model")
