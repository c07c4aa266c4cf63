"""Forecasters of cndts in sktime."""

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sktime import __version__ as SKTIME_VERSION
from sktime.forecasting.base import BaseForecaster, ForecastingHorizon

from cndts.estimators._alignment import align_channels
from cndts.estimators._base import BaseForecaster as PanelForecaster
from cndts.estimators._hybrid_memory_forecaster import HybridMemoryForecaster
from cndts.estimators._last_value_forecaster import LastValueForecaster
from cndts.estimators.sktime._clock import Clock
from cndts.estimators.sktime._horizon import horizon_length, labels_of, length_of
from cndts.estimators.sktime._named_parts import NamedParts
from cndts.estimators.sktime._series import Series, channel_names, time_level
from cndts.estimators.sktime._strict_context import strict_context
from cndts.estimators.sktime._training_pairs import training_pairs
from cndts.panel import IrregularPanel
from cndts.queries import Queries


class SktimeForecaster(NamedParts, BaseForecaster):
    """A forecaster of cndts with sktime's interface, for irregular series, panels and hierarchies.

    The columns of ``y`` are channels, its instances records, NaN is what was not observed. Nothing is gridded or filled.

    - ``pretrain(y)`` trains on many series. ``fit(y)`` then only reads the series to forecast: their values become the
      context, the model stays (or is adapted, with ``adapt_steps``).
    - ``fit(y)`` without ``pretrain`` trains on ``y`` itself and reads it.
    - ``update(y)`` reads further values of known or new series. Values at times that were read before are replaced.

    For training each series is cut at ``n_cuts`` times, and the values up to ``horizon`` after the cut are the targets. A
    forecast at a time rests on the values before that time, in-sample forecasts too.

    Parameters
    ----------
    forecaster : cndts forecaster, optional
        What learns and forecasts; ``HybridMemoryForecaster()`` by default. It is cloned.
    time_unit : str, default="h"
        Unit in which datetimes and timedeltas are counted, ``"s"``, ``"min"``, ``"h"``, ``"D"`` and so on; that in which the
        forecaster's own settings are given. Integers and periods are counted in steps.
    horizon : Timedelta or float, optional
        How far ahead training looks, a number being one of ``time_unit``. By default as far as the ``fh`` of ``fit`` or
        ``pretrain``; without one, half the median span of the series.
    n_cuts : int, default=4
        Number of times at which each series is cut for training.
    adapt_steps : int, default=0
        Training steps of each member of a neural forecaster in ``fit`` after ``pretrain`` and in ``update`` with
        ``update_params=True``; see `HybridMemoryForecaster.adapt`.

    Attributes
    ----------
    forecaster_ : cndts forecaster
        Fitted.
    pretrained_ : cndts forecaster
        As ``pretrain`` left it; a clone of this object keeps it.

    Notes
    -----
    Values pass through float32. ``X`` is ignored. A relative horizon counts from the last time of each instance; sktime's
    ``cutoff`` is the latest time of all.

    Examples
    --------
    >>> import pandas as pd
    >>> from sktime.forecasting.base import ForecastingHorizon
    >>> from cndts.estimators import LastValueForecaster
    >>> from cndts.estimators.sktime import SktimeForecaster
    >>> hours = pd.to_timedelta([0.0, 0.5, 2.25, 7.0], unit="h")
    >>> y = pd.DataFrame({"HR": [80.0, 82.0, None, 90.0]}, index=pd.Timestamp("2024-01-01") + hours)
    >>> model = SktimeForecaster(LastValueForecaster()).fit(y)
    >>> model.predict(fh=ForecastingHorizon(pd.to_timedelta(["90min"])))
                           HR
    2024-01-01 08:30:00  90.0
    """

    _settings: ClassVar[dict[str, type]] = {"forecaster": HybridMemoryForecaster}
    _tags: ClassVar[dict[str, Any]] = {
        "authors": "cndts developers",
        "maintainers": "cndts developers",
        "y_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "X_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "capability:multivariate": True,
        "capability:exogenous": False,
        "capability:missing_values": True,
        "capability:insample": True,
        "capability:pred_int": True,
        "capability:pred_int:insample": True,
        "capability:unequal_length": True,
        "capability:update": True,
        "capability:pretrain": True,
        "requires-fh-in-fit": False,
    }
    # The state is the context below; sktime's own copy of the data would double it. The checks of 1.1 look for the copy.
    _config: ClassVar[dict[str, Any]] = {"remember_data": SKTIME_VERSION.startswith("1.1.")}

    def __init__(
        self,
        forecaster: PanelForecaster | None = None,
        *,
        time_unit: str = "h",
        horizon: pd.Timedelta | float | None = None,
        n_cuts: int = 4,
        adapt_steps: int = 0,
    ) -> None:
        self.forecaster = forecaster
        self.time_unit = time_unit
        self.horizon = horizon
        self.n_cuts = n_cuts
        self.adapt_steps = adapt_steps
        super().__init__()
        self._y = self._X = None  # where sktime keeps data once remember_data is switched on

    # ---- learning ------------------------------------------------------------------------------

    def _pretrain(self, y: pd.DataFrame, X: Any = None, fh: ForecastingHorizon | None = None) -> Self:
        self.pretrained_clock_ = Clock.of(time_level(y.index), self.time_unit)
        series = Series.read(y, self.pretrained_clock_)
        self.pretrained_panel_ = None if hasattr(self._inner(), "adapt") else series.panel
        self.pretrained_ = self._trained(series.panel, self._reach(series, fh, from_last=False))
        return self

    def _pretrain_update(self, y: pd.DataFrame, X: Any = None, fh: ForecastingHorizon | None = None) -> Self:
        if not hasattr(self, "pretrained_"):
            return self._pretrain(y, X, fh)
        series = Series.read(y, self.pretrained_clock_, self.pretrained_.channels_in_)
        reach = self._reach(series, fh, from_last=False)
        if self.pretrained_panel_ is None:
            self.pretrained_ = self.pretrained_.adapt(*training_pairs(series.panel, reach, self.n_cuts))
            return self
        self.pretrained_panel_ = IrregularPanel.concat([self.pretrained_panel_, series.panel], ignore_records=True)
        self.pretrained_ = self._trained(self.pretrained_panel_, reach)
        return self

    def _fit(self, y: pd.DataFrame, X: Any, fh: ForecastingHorizon | None) -> Self:
        is_pretrained = hasattr(self, "pretrained_")
        clock = self.pretrained_clock_ if is_pretrained else Clock.of(time_level(y.index), self.time_unit)
        self._index_names = list(y.index.names)
        self._set_cutoff_from_y(y)  # sktime 1.1 does so only where it remembers the data
        self._series = Series.read(y, clock, self.pretrained_.channels_in_ if is_pretrained else ())
        reach = self._reach(self._series, fh, from_last=True)
        if is_pretrained:
            self.forecaster_ = self._adapted(self.pretrained_, reach)
        else:
            self.forecaster_ = self._trained(self._series.panel, reach)
        align_channels(self._series.panel, self.forecaster_.channels_in_, "y")  # unknown columns are refused now
        return self

    def _update(self, y: pd.DataFrame, X: Any = None, update_params: bool = True) -> Self:
        self._set_cutoff_from_y(y)
        series = self._series.merged(Series.read(y, self._series.clock, self._series.panel.channels))
        align_channels(series.panel, self.forecaster_.channels_in_, "y")
        self._series = series
        if update_params:
            self.forecaster_ = self._adapted(self.forecaster_, self._reach(self._series, self._fh, from_last=False))
        return self

    def _inner(self) -> PanelForecaster:
        given = HybridMemoryForecaster() if self.forecaster is None else self.forecaster
        if not isinstance(given, PanelForecaster):
            raise TypeError(
                f"forecaster must be a forecaster of cndts.estimators; got {type(given).__name__}. "
                "sktime's own forecasters need no adapter."
            )
        return given

    def _reach(self, series: Series, fh: ForecastingHorizon | None, from_last: bool) -> float | None:
        if self.horizon is not None:
            return horizon_length(series.clock, self.horizon)
        return length_of(fh, series, from_last)

    def _trained(self, panel: IrregularPanel, reach: float | None) -> PanelForecaster:
        if self.n_cuts < 1:
            raise ValueError(f"n_cuts must be 1 or more; got {self.n_cuts!r}.")
        if panel.n_events == 0:
            raise ValueError(f"y holds no known value: {len(panel)} series, all NaN. Learning needs at least one.")
        return clone(self._inner()).fit(*training_pairs(panel, reach, self.n_cuts))

    def _adapted(self, forecaster: PanelForecaster, reach: float | None) -> PanelForecaster:
        if not self.adapt_steps:
            return forecaster
        if not hasattr(forecaster, "adapt"):
            raise ValueError(
                f"adapt_steps={self.adapt_steps!r} needs a neural forecaster; got {type(forecaster).__name__}, which has no "
                "adapt(). Set adapt_steps=0: new values are read all the same."
            )
        return forecaster.adapt(*training_pairs(self._series.panel, reach, self.n_cuts), steps=self.adapt_steps)

    # ---- forecasting ---------------------------------------------------------------------------

    def _predict(self, fh: ForecastingHorizon, X: Any) -> pd.DataFrame:
        asking, position, index = self._asking(fh)
        names = self._get_columns("predict")
        value = np.asarray(self.forecaster_.predict(asking), dtype=np.float64)[position]
        return pd.DataFrame(value.reshape(len(index), len(names)), index=index, columns=names)

    def _predict_quantiles(self, fh: ForecastingHorizon, X: Any, alpha: list[float]) -> pd.DataFrame:
        asking, position, index = self._asking(fh)
        names = self._get_columns("predict_quantiles", alpha=alpha)
        value = self.forecaster_.predict_quantiles(asking, alpha)[position]
        return pd.DataFrame(value.reshape(len(index), len(names)), index=index, columns=names)

    def _asking(self, fh: ForecastingHorizon) -> tuple[IrregularPanel, NDArray[np.int64] | slice, pd.Index]:
        """The context asking for all columns at the horizon, where each answer stands, and the index of the rows."""
        series = self._series
        names = channel_names(pd.Index(self._get_columns("predict")), series.panel.channels)
        labels = labels_of(fh, series, self.cutoff)
        n_times = len(labels[0])
        time = np.concatenate([series.clock.read(each) for each in labels])
        panel = series.panel
        channel = pd.Index(panel.channels).get_indexer(pd.Index(names)).astype(np.int32)
        offsets = np.arange(len(panel) + 1, dtype=np.int64) * n_times * len(names)
        queries = Queries(offsets, np.repeat(time, len(names)), np.tile(channel, len(time)))
        asking, position = strict_context(panel.with_queries(queries=queries))
        return asking, position, self._rows(labels)

    def _rows(self, labels: list[pd.Index]) -> pd.Index:
        names = self._index_names
        if len(names) == 1:
            return labels[0].rename(names[0])
        instances = self._series.instances.repeat(len(labels[0]))
        above = [instances.get_level_values(level) for level in range(instances.nlevels)]
        time = labels[0].append(labels[1:])
        return pd.MultiIndex.from_arrays([*above, time], names=names)

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Settings that sktime's conformance tests run with.

        Parameters
        ----------
        parameter_set : str
            Ignored.

        Returns
        -------
        list of dict
        """
        return [
            {"forecaster": LastValueForecaster()},
            {"forecaster": LastValueForecaster(), "time_unit": "D", "horizon": 3, "n_cuts": 2},
        ]
