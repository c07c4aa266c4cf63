"""A forecaster behind a transformation of the values, which is undone in its forecasts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from cndts._panel_queries import check_asks
from cndts.estimators._base import BaseForecaster
from cndts.estimators._ridge_forecaster import RidgeForecaster
from cndts.panel import IrregularPanel
from cndts.targets import Targets
from cndts.transforms import ChannelScaler, ChannelStandardScaler


class TransformedTargetForecaster(BaseForecaster):
    """Fit a forecaster to transformed context and targets, and bring its forecasts back.

    A step of an ordinary pipeline changes ``X`` and leaves ``y`` alone: behind a scaler, a forecaster would see its context in other units
    than its targets. This one fits the transformer on the training context, passes ``X`` through it and ``y`` through its
    scalers, and undoes them for point forecasts, quantiles and intervals, as scikit-learn's ``TransformedTargetRegressor`` does for
    tables. Quantiles come back exactly, since the maps rise; a point forecast is brought back as it is, so that the mean of a logarithm
    comes back as a geometric mean.

    Parameters
    ----------
    forecaster : BaseForecaster, optional
        What is fitted; ``RidgeForecaster()`` by default.
    transformer : ChannelScaler, PanelTransformer or Pipeline of them, optional
        What comes before; ``ChannelStandardScaler()`` by default. Steps that are no scalers (clipping, resampling, time features) change
        ``X`` alone.

    Attributes
    ----------
    forecaster_ : BaseForecaster
        The fitted clone, in transformed units.
    transformer_ : object
        The fitted clone.

    See Also
    --------
    cndts.transforms : Scalers and other transformers.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_icu
    >>> from cndts.estimators import LastValueForecaster
    >>> from cndts.transforms import ChannelLogTransformer
    >>> X, y = Extrapolation(observe=24, horizon=24).split(make_icu(40))
    >>> model = TransformedTargetForecaster(LastValueForecaster(), ChannelLogTransformer()).fit(X, y)
    >>> plain = LastValueForecaster().fit(X, y)
    >>> float(np.isclose(model.predict(X).value, plain.predict(X).value, rtol=1e-4).mean().round(1))
    1.0
    """

    def __init__(self, forecaster: BaseForecaster | None = None, transformer: Any = None) -> None:
        self.forecaster = forecaster
        self.transformer = transformer

    @property
    def reads_static(self) -> bool:  # type: ignore[override]
        """Whether the forecaster reads the static table."""
        return True if self.forecaster is None else bool(self.forecaster.reads_static)

    def _fit(self, X: IrregularPanel, y: Targets, X_val: IrregularPanel | None, y_val: Targets | None) -> None:
        transformer = ChannelStandardScaler() if self.transformer is None else clone(self.transformer)
        self.transformer_ = transformer.fit(X)
        self.forecaster_ = RidgeForecaster() if self.forecaster is None else clone(self.forecaster)
        validation: dict[str, Any] = {}
        if X_val is not None and y_val is not None:
            validation = {"X_val": self._transformed(X_val), "y_val": self._scaled(y_val)}
        self.forecaster_.fit(self._transformed(X), self._scaled(y), **validation)

    def _predict(self, X: IrregularPanel) -> NDArray[np.float64]:
        return self._restored(X, self.forecaster_.predict(self._transformed(X)).value)

    def _predict_quantiles(self, X: IrregularPanel, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._restored(X, self.forecaster_.predict_quantiles(self._transformed(X), quantiles))

    # ---- there and back ------------------------------------------------------------------------

    def _transformed(self, X: IrregularPanel) -> IrregularPanel:
        transformed = self.transformer_.transform(X)
        if not isinstance(transformed, IrregularPanel) or transformed.queries is not X.queries:
            raise TypeError(
                "transformer must give a panel with the queries it was given; got "
                f"{type(transformed).__name__} from {self.transformer_!r}. Use transformers of cndts.transforms."
            )
        return transformed

    def _scaled(self, y: Targets) -> Targets:
        for scaler in scalers(self.transformer_):
            y = scaler.transform_targets(y)
        return y

    def _restored(self, X: IrregularPanel, value: NDArray[np.floating]) -> NDArray[np.float64]:
        asked = check_asks(X).channel
        for scaler in reversed(scalers(self.transformer_)):
            place = np.array([scaler.channels_in_.index(name) for name in X.channels], dtype=np.int64)
            value = scaler.inverse_values(place[asked], value)
        return np.asarray(value, dtype=np.float64)


def scalers(transformer: Any) -> list[ChannelScaler]:
    """The steps of a transformer that change values and can be undone, in order.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from cndts.transforms import ChannelLogTransformer, ValueClipper
    >>> scalers(make_pipeline(ValueClipper(), ChannelLogTransformer(), "passthrough"))
    [ChannelLogTransformer()]
    """
    if isinstance(transformer, Pipeline):
        return [scaler for _, step in transformer.steps for scaler in scalers(step)]
    return [transformer] if isinstance(transformer, ChannelScaler) else []
