"""Whole distributions, and draws from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cndts._panel_queries import check_asks
from cndts.distributions import ForecastDistribution, QuantileDistribution
from cndts.panel import IrregularPanel

if TYPE_CHECKING:
    from cndts.estimators._base import BaseForecaster

# those of the residual tables, so that their quantiles are met exactly; without 0 and 1 for other estimators
_LEVELS = tuple(np.linspace(0.0, 1.0, 401).tolist())


class Distributional:
    """What every forecaster and interpolator offers beside quantiles: `predict_distribution` and `sample`."""

    def predict_distribution(self, X: IrregularPanel) -> ForecastDistribution:
        """The whole forecast distribution at the queries of a panel.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Context events with queries.

        Returns
        -------
        ForecastDistribution
            With ``mean``, ``quantile``, ``interval``, ``cdf``, ``sample`` and ``crps``; its quantiles are those of
            ``predict_quantiles``. A `NormalDistribution` from a Gaussian head; otherwise a `QuantileDistribution`, whose
            docstring says what is assumed in the tails.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        ValueError
            If ``X`` has channels that were not fitted, another time unit, or no queries.

        Examples
        --------
        >>> from cndts import Extrapolation
        >>> from cndts.datasets import make_oscillators
        >>> from cndts.estimators import DecayToMeanForecaster
        >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
        >>> forecast = DecayToMeanForecaster().fit(X, y).predict_distribution(X)
        >>> forecast.interval(0.9).shape[1], forecast.crps(y, average="channel") > 0
        (2, True)
        """
        model: BaseForecaster = self  # type: ignore[assignment]
        X = model._plain_panel(X) if model._reads_plain(X) else X
        return self._distribution(model._check_predict(X), X)

    def sample(
        self, X: IrregularPanel, n: int = 1, random_state: int | np.random.RandomState | None = None
    ) -> NDArray[np.float64]:
        """Draw from the forecast distribution at the queries of a panel.

        Queries are drawn independently of each other: the draws of one record make no path through time.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Context events with queries.
        n : int, default=1
            Draws a query.
        random_state : int, RandomState or None, default=None
            Seed.

        Returns
        -------
        ndarray of shape (n_targets, n)
            Rows in the order of ``X.queries``.
        """
        return self.predict_distribution(X).sample(n, random_state)

    def _distribution(self, aligned: IrregularPanel, X: IrregularPanel) -> ForecastDistribution:
        """The distribution at the queries of ``X``, from the panel of the fitted channels."""
        if hasattr(self, "residual_quantiles_"):  # an empirical distribution ends at its extremes
            return self._through(_LEVELS, aligned, X, "uniform")
        return self._through(_LEVELS[1:-1], aligned, X, "normal")

    def _through(self, levels: tuple[float, ...], aligned: IrregularPanel, X: IrregularPanel, between: Any) -> Any:
        model: BaseForecaster = self  # type: ignore[assignment]
        values = model._answer_quantiles(aligned, np.array(levels))
        # quantiles that are equal may differ by rounding
        values = np.maximum.accumulate(values, axis=1)
        return QuantileDistribution(levels, values, check_asks(X), X.records, X.channels, between)
