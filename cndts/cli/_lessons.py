"""From a table of events to what a model is fitted to or scored on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cndts.cli._events import task_for

if TYPE_CHECKING:
    from cndts.panel import IrregularPanel
    from cndts.targets import Targets

Observed = Annotated[
    float,
    typer.Option(help="Of an interpolator: share of each record's times that it sees; it is asked for the others."),
]


def is_interpolator(model: Any) -> bool:
    """Whether a model, or the one that is calibrated around, fills gaps."""
    from cndts.estimators import BaseInterpolator

    return isinstance(getattr(model, "forecaster", None) or model, BaseInterpolator)


def lesson_for(
    model: Any,
    panel: IrregularPanel,
    observe: float,
    horizon: float,
    since: str | None,
    observed: float,
    source: object,
) -> tuple[IrregularPanel, Targets]:
    """Context and targets: cut in time for a forecaster, hidden times for an interpolator."""
    if is_interpolator(model):
        from cndts.tasks import Interpolation

        X, y = Interpolation(observed=observed, random_state=0).split(panel)
        what, why = "no time of", "is hidden; lower --observed, or give longer records"
    else:
        X, y = task_for(panel, observe, horizon, since).split(panel)
        between = f"between {observe:g} and {observe + horizon:g} {panel.time_unit}"
        what, why = "no event of", f"lies {between}; set --observe and --horizon to the length of your records"
    if y.value.size == 0:
        raise ValueError(f"{what} {source} {why}. There is nothing to learn from or to compare with.")
    return X, y


def hold_out(panel: IrregularPanel, share: float, seed: int) -> tuple[IrregularPanel, IrregularPanel | None]:
    """A random part of the records for validation; none where it would be empty."""
    from cndts.tasks import RecordSplit

    train, validation, _ = RecordSplit.draw(panel, (1 - share, share, 0.0), seed).apply(panel)
    return (train, validation) if len(train) and len(validation) else (panel, None)
