"""What goes wrong in a solve."""

from collections.abc import Iterable, Sequence
from copyreg import __newobj__  # type: ignore[attr-defined]
from typing import Any

import torch
from torch import Tensor

from cndts.dynamics.row_names import names_of

_SHOWN = 5


class SolverError(FloatingPointError):
    """A solve failed.

    Parameters
    ----------
    method : str
        Name of the method.
    reason : str
        What happened.
    rows : sequence of int
        Rows that failed; in `Readout` a row is a node, ``record * n_channels + channel``.
    n_rows : int
        Rows solved together.
    remedy : str
        What to do about it.

    Attributes
    ----------
    method, reason, remedy : str
        As given.
    rows : tuple of int
        All rows that failed, in rising order.
    names : tuple of (record, channel)
        Record id and channel name of each of them, where an estimator called the solver; empty otherwise.
    n_rows : int
        As given.

    Examples
    --------
    >>> raise SolverError("dopri5", "the step size underflowed", [3, 7], 40, "Loosen solver__rtol.")
    Traceback (most recent call last):
    ...
    cndts.dynamics.solver_error.SolverError: 'dopri5' failed for rows 3, 7 of 40: the step size underflowed. Loosen
    solver__rtol.
    """

    def __init__(self, method: str, reason: str, rows: Sequence[int], n_rows: int, remedy: str) -> None:
        self.method, self.reason, self.remedy, self.n_rows = method, reason, remedy, n_rows
        self.rows = tuple(sorted(set(rows)))
        self.names = names_of(self.rows)
        super().__init__(
            f"{method!r} failed for {named(self.rows)} of {n_rows}{_spelt(self.names)}: {reason}. {remedy}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is: from another process, too, it comes with its rows and names."""
        return __newobj__, (type(self), *self.args), vars(self)


class SolverWarning(RuntimeWarning):
    """A solve failed and was replaced, as ``Solver(fallback=True)`` asks for."""


def named(rows: Iterable[int]) -> str:
    """Rows for a message, the first few by number.

    Examples
    --------
    >>> named([4]), named(range(9))
    ('row 4', 'rows 0, 1, 2, 3, 4 and 4 more')
    """
    rows = list(rows)
    shown = ", ".join(map(str, rows[:_SHOWN]))
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f"row{'s' if len(rows) != 1 else ''} {shown}{more}"


def _spelt(names: Sequence[tuple[object, str]]) -> str:
    """The first few names for a message, in brackets."""
    shown = "; ".join(f"record {record!s}, channel {channel!s}" for record, channel in names[:_SHOWN])
    return f" ({shown}{'; ...' if len(names) > _SHOWN else ''})" if names else ""


def is_finite(state: Tensor) -> bool:
    """Whether every entry is finite: one sum, since infinities and NaN survive it; a sum that overflows is looked into."""
    state = state.detach()
    return bool(torch.isfinite(state.sum())) or bool(torch.isfinite(state).all())


def broken_rows(state: Tensor) -> Tensor:
    """Numbers of the rows of (n_rows, n_state) that are not finite."""
    return (~torch.isfinite(state.detach())).any(dim=1).nonzero().squeeze(1)
