"""Several forecasters that answer together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils import Bunch

from cndts._parameters import check_names
from cndts.estimators._base import BaseForecaster
from cndts.panel import IrregularPanel
from cndts.targets import Targets


class VotingForecaster(BaseForecaster):
    """Average of several forecasters, or of several interpolators, as scikit-learn's ``VotingRegressor`` is for tables.

    Networks and trees err in different places: on records of hospitals, weather and sensors their average is often better than either.
    Point forecasts are averaged, and quantiles level by level, which keeps the width of the bands (Vincent averaging; Genest,
    *Vincentization Revisited*, Annals of Statistics 1992).

    Parameters
    ----------
    estimators : list of (str, BaseForecaster), optional
        Names and what is fitted: all forecasters or all interpolators. By default a network and trees, ``("network",
        HybridMemoryForecaster())`` and ``("trees", BoostedTreesForecaster())``. Parameters of each are set as ``name__parameter``.
    weights : sequence of float, optional
        One for each, 0 or more; equal by default.

    Attributes
    ----------
    estimators_ : list of BaseForecaster
        The fitted clones.

    See Also
    --------
    ConformalForecaster : Intervals that hold what they promise, of this forecaster or any other.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_icu
    >>> from cndts.estimators import DecayToMeanForecaster, LastValueForecaster
    >>> X, y = Extrapolation(observe=24, horizon=24).split(make_icu(40))
    >>> both = [("last", LastValueForecaster()), ("decay", DecayToMeanForecaster())]
    >>> model = VotingForecaster(both, weights=[1, 3]).fit(X, y)
    >>> last, decay = (each.predict(X).value for each in model.estimators_)
    >>> bool(np.allclose(model.predict(X).value, (last + 3 * decay) / 4))
    True
    """

    def __init__(
        self, estimators: list[tuple[str, BaseForecaster]] | None = None, *, weights: Sequence[float] | None = None
    ) -> None:
        self.estimators = estimators
        self.weights = weights

    @property
    def reads_later_events(self) -> bool:  # type: ignore[override]
        """Whether these are interpolators."""
        return any(each.reads_later_events for _, each in self._pairs())

    @property
    def reads_static(self) -> bool:  # type: ignore[override]
        """Whether one of them reads the static table."""
        return any(each.reads_static for _, each in self._pairs())

    @property
    def named_estimators_(self) -> Bunch:
        """The fitted clones by name."""
        return Bunch(**dict(zip((name for name, _ in self._pairs()), self.estimators_, strict=True)))

    # ---- parameters ----------------------------------------------------------------------------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters, with ``deep`` those of the estimators too, by name.

        Parameters
        ----------
        deep : bool, default=True
            Whether to go into the estimators.

        Returns
        -------
        dict
        """
        params = super().get_params(deep=False)
        for name, each in self._members().items() if deep else ():
            params[name] = each
            params |= {f"{name}__{key}": value for key, value in each.get_params().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters: own ones, a whole estimator by its name, or ``name__parameter`` of one.

        Parameters
        ----------
        **params
            Values by name.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is no parameter of that name.
        """
        own = {key: params.pop(key) for key in ("estimators", "weights") if key in params}
        super().set_params(**own)
        check_names(self, params)
        members = self._members()
        for key, value in sorted(params.items()):  # a whole estimator before its parameters
            name, _, rest = key.partition("__")
            members[name] = members[name].set_params(**{rest: value}) if rest else value
        if params:
            self.estimators = list(members.items())
        return self

    def _check_parts(self) -> None:
        pairs = self._pairs()
        if not self._members() or not all(isinstance(each, BaseForecaster) for _, each in pairs):
            raise TypeError(
                "estimators must be a list of pairs, a name and a forecaster or interpolator of cndts; got "
                f"{pairs!r}. Use [('trees', BoostedTreesForecaster()), ...]."
            )
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names) or any("__" in name or name in ("estimators", "weights") for name in names):
            raise ValueError(
                f"names of estimators must differ, have no '__' and not be those of parameters; got {names}."
            )
        if len({each.reads_later_events for _, each in pairs}) > 1:
            raise ValueError(
                "estimators must be all forecasters or all interpolators; got "
                f"{', '.join(type(each).__name__ for _, each in pairs)}."
            )
        self._shares()

    def _pairs(self) -> list[tuple[str, Any]]:
        if self.estimators is not None:
            return self.estimators
        from cndts.estimators._boosted_trees_forecaster import BoostedTreesForecaster
        from cndts.estimators._hybrid_memory_forecaster import HybridMemoryForecaster

        return [("network", HybridMemoryForecaster()), ("trees", BoostedTreesForecaster())]

    def _members(self) -> dict[str, Any]:
        """Estimators by name; none of what is refused at fit."""
        pairs = self._pairs()
        is_sound = isinstance(pairs, list) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs)
        return {name: each for name, each in pairs if hasattr(each, "get_params")} if is_sound else {}

    def _shares(self) -> NDArray[np.float64]:
        n_estimators = len(self._pairs())
        weights = np.ones(n_estimators) if self.weights is None else np.asarray(self.weights, dtype=np.float64)
        if weights.shape != (n_estimators,) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
            raise ValueError(
                f"weights must be {n_estimators} finite numbers of 0 or more, one for each estimator and not all 0; got {self.weights!r}."
            )
        return weights / weights.sum()

    # ---- fit and predict -----------------------------------------------------------------------

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        self.estimators_ = [clone(each).fit(X, y, X_val=X_val, y_val=y_val) for _, each in self._pairs()]

    def _predict(self, X: IrregularPanel) -> NDArray[np.float64]:
        return self._averaged([each._answer_queries(X) for each in self.estimators_])

    def _predict_quantiles(self, X: IrregularPanel, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._averaged([each._answer_quantiles(X, quantiles) for each in self.estimators_])

    def _averaged(self, answers: list[ArrayLike]) -> NDArray[np.float64]:
        return np.tensordot(self._shares(), np.asarray(answers, dtype=np.float64), axes=1)

    def _reach(self, X: IrregularPanel) -> NDArray[np.float64]:
        return self.estimators_[0]._reach(X)

    # ---- files ---------------------------------------------------------------------------------

    def _stored_parameters(self) -> dict[str, Any]:
        # the fitted ones are among the parts; as parameters their weights could be in the file twice
        stored = super()._stored_parameters()
        if self.estimators is not None:
            stored["estimators"] = [(name, clone(each)) for name, each in self.estimators]
        return stored
