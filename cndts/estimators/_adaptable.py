"""Continuing a fitted neural forecaster on few records."""

import copy
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from cndts._panel_queries import check_asks
from cndts.estimators._alignment import check_panel, check_training_pair
from cndts.panel import IrregularPanel
from cndts.queries import Queries
from cndts.targets import Targets
from cndts.training import AdaptationResult, GapSamples, Network, Samples, Training, adapt_network

if TYPE_CHECKING:
    from cndts.estimators._neural_forecaster import NeuralForecaster


class Adaptable:
    """What `NeuralForecaster` adds for new wards, machines or stations: `adapt` and `partial_fit`."""

    adapt_results_: tuple[AdaptationResult, ...]

    def adapt(
        self,
        X: IrregularPanel,
        y: Targets | None = None,
        *,
        steps: int = 30,
        learning_rate: float = 3e-4,
        pull: float = 10.0,
        prior_records: float = 50.0,
        parts: Sequence[str] | None = None,
        batch_size: int = 32,
        random_state: int | np.random.RandomState | None = None,
    ) -> Self:
        r"""A copy of the fitted model, adapted to few records; the model itself stays as it is.

        Every member is trained further at a low, falling rate, pulled towards its fitted weights so that it does not forget
        (L2-SP: Li, Grandvalet and Davoine, ICML 2018; see `cndts.training.adapt_network`), and ends with averaged weights, which go
        the further from the fitted ones the more records there are. Scaling,
        channels and the encoding of static features stay those of ``fit``.

        Parameters
        ----------
        X : IrregularPanel of n_records
            The new records. Without ``y``, all their events are the lesson: records are cut at random times, and what follows
            within the longest horizon of the training is asked (an interpolator hides random gaps). Queries are then ignored.
        y : Targets of n_records, optional
            Values at ``X.queries``, as for ``fit``; NaN is left out. ``training.cut_share`` says how often records are cut all
            the same.
        steps : int, default=30
            Training steps of each member. A hundred records bear more (100, at a rate of 1e-3).
        learning_rate : float, default=3e-4
            Of the first step; it falls linearly to 0.
        pull : float, default=10.0
            Strength :math:`\alpha` of the pull: a weight comes to rest within about :math:`1 / \alpha` of where it was fitted. 0 lets
            the weights go.
        prior_records : float, default=50.0
            Records that the fitted weights count for: with n new ones, the weights end n / (n + prior_records) of the way that training
            went. 0 goes all the way.
        parts : sequence of str, optional
            Names of the parts of the network that learn, such as ``("head",)`` or ``("backbone.readout", "head")``; all by default.
        batch_size : int, default=32
            Records a step, at most all of them.
        random_state : int, RandomState or None, default=None
            Seed of batches, cuts and dropout; None takes that of the estimator.

        Returns
        -------
        NeuralForecaster
            Fitted, of the same class and parameters; ``adapt_results_`` tells the losses and how far the weights went.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        ValueError
            If the records have channels that were not fitted or another time unit, or nothing that could be asked; if a
            setting is out of range.
        FloatingPointError
            If the loss is no longer finite.

        Examples
        --------
        >>> from cndts import Extrapolation
        >>> from cndts.datasets import make_oscillators
        >>> from cndts.estimators import HybridMemoryForecaster
        >>> X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(30, random_state=0))
        >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
        >>> adapted = model.adapt(make_oscillators(5, random_state=1), steps=4)
        >>> adapted is model, [len(result.losses) for result in adapted.adapt_results_]
        (False, [4, 4])
        """
        check_is_fitted(self, "network_")
        _check_settings(steps, learning_rate, pull, prior_records, batch_size)
        if cast("NeuralForecaster", self)._reads_plain(X):
            X, y = cast("NeuralForecaster", self)._plain_pair(X, y)
        adapted = cast("NeuralForecaster", copy.deepcopy(self))
        samples = adapted._samples_without_targets(X) if y is None else adapted._samples_of(X, y)
        training = adapted.training or Training()
        random = check_random_state(adapted.random_state if random_state is None else random_state)
        options: dict[str, Any] = {
            "steps": steps,
            "learning_rate": learning_rate,
            "pull": pull,
            "prior_records": prior_records,
            "parts": parts,
            "batch_size": batch_size,
            "cut_share": 1.0 if y is None else training.cut_share,
            "averaging": training.averaging,
            "absolute_weight": training.absolute_weight,
            "device": adapted.device,
        }
        adapted.adapt_results_ = tuple(
            adapt_network(cast(Network, member), samples, seed=int(random.randint(2**31 - 1)), **options)
            for member in adapted.network_.members
        )
        return cast(Self, adapted)

    def partial_fit(self, X: IrregularPanel, y: Targets | None = None) -> Self:
        """Take in further records, in place: `fit` at the first call, `adapt` with its defaults from then on.

        Each call pulls towards the weights before it, so many calls may lead far from the first fit. To keep the
        model as it was, or to choose steps and rates, use `adapt`.

        Parameters
        ----------
        X : IrregularPanel of n_records
            The records.
        y : Targets of n_records, optional
            Values at ``X.queries``; needed at the first call.

        Returns
        -------
        self
        """
        model = cast("NeuralForecaster", self)
        if not hasattr(self, "network_") and (y is not None or not isinstance(X, IrregularPanel)):
            return cast(Self, model.fit(X, y))
        adapted = self.adapt(X, y)
        model.network_, self.adapt_results_ = adapted.network_, adapted.adapt_results_  # type: ignore[attr-defined]
        return self

    def _samples_of(self, X: IrregularPanel, y: Targets) -> Samples | GapSamples:
        model = cast("NeuralForecaster", self)
        X, y = check_training_pair(X, y)
        X = model._align(X)
        y = Targets(check_asks(X), y.value, X.records, X.channels)
        return model._samples(X, y, model.training or Training())

    def _samples_without_targets(self, X: IrregularPanel) -> Samples | GapSamples:
        model = cast("NeuralForecaster", self)
        X = model._align(check_panel(X))
        if len(X) == 0:
            raise ValueError("X has no records; got an empty panel. Adapting needs at least one record.")
        nothing = Queries(np.zeros(len(X) + 1, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int32))
        y = Targets(nothing, np.zeros(0, dtype=np.float32), X.records, X.channels)
        samples = model._samples(X.with_queries(queries=nothing), y, model.training or Training())
        if isinstance(samples, Samples):
            samples.horizon = model.scaling_.time_scale
        return samples


def _check_settings(steps: int, learning_rate: float, pull: float, prior_records: float, batch_size: int) -> None:
    for name, value in (("steps", steps), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"{name} must be 1 or more; got {value!r}.")
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate must be a positive number; got {learning_rate!r}. Try 3e-4.")
    if not 0 <= pull < math.inf:
        raise ValueError(f"pull must be 0 or more, and finite; got {pull!r}. Try 10, or 0 for no pull.")
    if not 0 <= prior_records < math.inf:
        raise ValueError(
            f"prior_records must be 0 or more, and finite; got {prior_records!r}. Try 50, or 0 to go all the way."
        )
