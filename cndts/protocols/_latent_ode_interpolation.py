"""The interpolation protocol of Latent ODE on PhysioNet 2012: everything is seen, everything is reconstructed."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._latent_ode import PATIENTS, errors_by_stay_and_variable, scaled_stays
from cndts.protocols._mtan_rows import hidden_events
from cndts.protocols._parts import in_parts
from cndts.protocols._published_latent_ode import latent_ode_interpolation
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._words import LATENT_ODE_DATA, LATENT_ODE_SCORE, LATENT_ODE_TRAPS
from cndts.targets import Targets
from cndts.tasks._context import context_and_targets

COPYING = (
    "With all rows seen nothing is hidden: a model that copies what it sees, as every interpolator does, has error 0. The published "
    "models have not, as they compress a stay into one state."
)


@dataclass(frozen=True)
class LatentODEInterpolation(Protocol):
    """Interpolation protocol of Latent ODE (Rubanova et al., NeurIPS 2019) on PhysioNet 2012; see :meth:`describe`.

    Parameters
    ----------
    observed : float, default=1.0
        Share of a record's rows that the model sees: all of them, as in the published table, or fewer (the source's option to
        subsample the encoder's points), chosen as by the mTAN protocol. Below 1 nothing published compares.
    random_state : int, default=0
        Seed of the draw of rows.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("latent-ode/physionet2012-interpolation")
    >>> print(rules.describe().splitlines()[0])
    latent-ode/physionet2012-interpolation: 100 % of the rows as context, all values as targets.
    >>> float(rules.published().loc["Latent ODE", "mse"])
    0.002118
    """

    name: ClassVar[str] = "latent-ode/physionet2012-interpolation"
    data: ClassVar[str] = "physionet2012"

    observed: float = 1.0
    random_state: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.observed <= 1:
            raise ValueError(f"observed must be more than 0 and at most 1; got {self.observed!r}.")

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Training, validation and test stays, scaled: the rows seen, and all values as targets.

        Parameters
        ----------
        panel : IrregularPanel
            What :func:`cndts.datasets.read_physionet2012` gives, in the units of the source. Its record order decides
            who is tested; read the sets in the order a, b.

        Returns
        -------
        ProtocolSplit
            Values scaled, times in hours on a grid of 0.016 h. :meth:`hidden` tells which targets the context lacks.

        Raises
        ------
        ValueError
            If the panel is not PhysioNet 2012 as read, or there are under five records.
        """
        events, records, offset, scale = scaled_stays(panel)
        return in_parts(events, records, self._cut, offset, scale)

    def _cut(self, panel: IrregularPanel) -> tuple[IrregularPanel, Targets]:
        is_hidden = hidden_events(panel, self.observed, self.random_state)
        return context_and_targets(panel, ~is_hidden, np.ones(panel.n_events, dtype=bool))

    def hidden(self, y: Targets) -> NDArray[np.bool_]:
        """Which targets are not in the context: none, unless fewer rows are seen.

        Parameters
        ----------
        y : Targets
            Those that :meth:`split` gave, or whole records of them.

        Returns
        -------
        ndarray of bool, shape (n_targets,)
        """
        return hidden_events(y, self.observed, self.random_state)

    def score(self, y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
        """The published error by stay and variable, and plain means.

        Parameters
        ----------
        y : Targets
            True values on the protocol's scale.
        y_hat : Targets or array-like of shape (n_targets,)
            Predictions on the same scale.

        Returns
        -------
        dict
            ``mse`` (papers print it times 1e3) and ``mae`` by stay and variable, absent values counting as 0;
            ``mse_by_value`` and ``mae_by_value`` over all values alike.
        """
        return errors_by_stay_and_variable(y, y_hat)

    def describe(self) -> str:
        """What the protocol does, where it comes from, and where comparisons go wrong."""
        seen = "all rows of a stay" if self.observed == 1 else f"floor({self.observed:g} n) of the n rows of a stay"
        return textwrap.dedent(f"""\
            {self.name}: {100 * self.observed:g} % of the rows as context, all values as targets.

            {LATENT_ODE_DATA}
            Task: the model sees {seen} and is asked for all values of all rows.
            (latent_ode: lib/utils.py{"" if self.observed == 1 else "; mTAN: src/utils.py"})
            {LATENT_ODE_SCORE}

            Traps
            - {COPYING}
            - To tell models apart hide rows: --set protocol:observed=0.5, or observed=0.5 here. With all rows seen interpolators
              of this package refuse to fit, as nothing is left for them to learn; nothing published compares with fewer.
            - {PATIENTS}
            {LATENT_ODE_TRAPS}
            - mTAN hides half of the rows and averages by value (values near 4e-3); HeTVAE has another scale (near 0.56).
            """)

    def published(self) -> pd.DataFrame:
        """Published results with all rows seen, with their sources; empty for other shares. See ``attrs["caution"]``.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std in the units of :meth:`score`, and source.
        """
        table = latent_ode_interpolation()
        table = table if self.observed == 1 else table.iloc[:0]
        table.attrs["caution"] = f"{PATIENTS} {self._comparison()}"
        return table

    def _comparison(self) -> str:
        """What the share of rows seen means for comparisons."""
        if self.observed == 1:
            return f"{COPYING} To tell models apart hide rows: --set protocol:observed=0.5."
        return "Published results are for all rows seen; none compares with fewer."
