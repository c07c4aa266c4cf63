"""sktime estimators, splitter, metrics and datasets around the models of cndts, for irregular series and panels.

Needs sktime (``pip install "cndts[sktime]"``). The adapters are thin: what they learn and forecast is what the wrapped
estimator of :mod:`cndts.estimators` learns and forecasts. Nothing else in cndts imports this package.
"""

try:
    import sktime as _sktime  # noqa: F401 - only to say at once what is missing
except ImportError as error:
    raise ImportError('cndts.estimators.sktime needs sktime: pip install "cndts[sktime]"') from error

from cndts.estimators.sktime._absolute_error import AlignedAbsoluteError
from cndts.estimators.sktime._classification_dataset import PanelClassificationDataset
from cndts.estimators.sktime._classifier import SktimeClassifier
from cndts.estimators.sktime._coverage import AlignedCoverage
from cndts.estimators.sktime._crps import AlignedCRPS
from cndts.estimators.sktime._exchange import from_sktime, to_sktime
from cndts.estimators.sktime._forecaster import SktimeForecaster
from cndts.estimators.sktime._forecasting_dataset import PanelForecastingDataset
from cndts.estimators.sktime._imputer import SktimeImputer
from cndts.estimators.sktime._pinball_loss import AlignedPinballLoss
from cndts.estimators.sktime._splitter import TimeCutSplitter
from cndts.estimators.sktime._squared_error import AlignedSquaredError

__all__ = [
    "AlignedAbsoluteError",
    "AlignedCRPS",
    "AlignedCoverage",
    "AlignedPinballLoss",
    "AlignedSquaredError",
    "PanelClassificationDataset",
    "PanelForecastingDataset",
    "SktimeClassifier",
    "SktimeForecaster",
    "SktimeImputer",
    "TimeCutSplitter",
    "from_sktime",
    "to_sktime",
]
