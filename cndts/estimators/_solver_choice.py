"""Changing the solver of a fitted neural forecaster."""

from typing import TYPE_CHECKING, Any, Self, cast

from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from cndts.backbones.readout import Readout
from cndts.dynamics import Solver

if TYPE_CHECKING:
    from cndts.estimators._neural_forecaster import NeuralForecaster


class SolverChoice:
    """What `NeuralForecaster` adds to trade accuracy for time after fitting: `set_solver`."""

    def set_solver(self, method: str | None = None, **settings: Any) -> Self:
        """Solve the fitted ODE in another way, with the same weights.

        Fixed-step and adaptive methods take each other's place (`Readout.set_solver`). The parameter ``solver`` follows, so
        that ``save``, ``clone`` and a new ``fit`` use the same settings.

        Parameters
        ----------
        method : str, optional
            Method, see `Solver`; the present one by default.
        **settings
            Other parameters of `Solver`, such as ``steps=6`` or ``rtol=1e-6``; those that are not given stay.

        Returns
        -------
        self

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``; use ``set_params(solver__steps=...)`` there.
        ValueError
            If the backbone has no read-out of this kind, if a setting is unknown or wrong, or if it needs other weights (field,
            augmentation, ``"linear"``, ``"direct"``). Nothing is changed then.

        Examples
        --------
        >>> from cndts import Extrapolation
        >>> from cndts.datasets import make_oscillators
        >>> from cndts.estimators import HybridMemoryForecaster
        >>> from cndts.training import Training
        >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
        >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
        >>> model.set_solver("rk4", steps=8).solver
        Solver(method='rk4', steps=8)
        """
        check_is_fitted(self, "network_")
        model = cast("NeuralForecaster", self)
        readouts = [module for module in model.network_.modules() if isinstance(module, Readout)]
        if not readouts:
            name = getattr(self, "backbone", type(self).__name__)
            raise ValueError(
                f"the backbone {name!r} has no read-out whose solver could be changed after fitting. Make a new estimator "
                "with another solver and fit it."
            )
        changes = settings if method is None else {"method": method, **settings}
        solver = clone(readouts[0].solver).set_params(**changes)
        for readout in readouts:
            readout.set_solver(solver)
        self.solver: Solver | None = solver
        model._built_with = model._built_with | {"solver": clone(solver)}
        return self
