"""A panel as a dataset object of sktime."""

from collections.abc import Callable
from typing import Any, ClassVar

import pandas as pd
from sktime.datasets.forecasting._base import BaseForecastingDataset

from cndts.estimators.sktime._exchange import to_sktime
from cndts.estimators.sktime._named_parts import NamedParts
from cndts.panel import IrregularPanel


class PanelForecastingDataset(NamedParts, BaseForecastingDataset):
    """A panel of cndts where sktime wants a forecasting dataset, as in ``ForecastingBenchmark.add_task``.

    Parameters
    ----------
    source : IrregularPanel or callable
        The panel, or a function without arguments that returns it, such as
        ``functools.partial(read_physionet2012, "set-a.tar.gz")``; it is called when the data are asked for.
    channels : sequence of str, optional
        Channels to keep; all by default.
    origin : str or Timestamp, default="2000-01-01"
        Calendar time of time 0, for panels that only count; sktime's ``evaluate`` needs datetimes.
    exact : bool, default=True
        Whether to refuse times that nanoseconds cannot hold; otherwise they are rounded.

    Examples
    --------
    >>> from cndts.datasets import make_icu
    >>> from cndts.estimators.sktime import PanelForecastingDataset
    >>> dataset = PanelForecastingDataset(make_icu(3, random_state=0), channels=["HR"])
    >>> y = dataset.load("y")
    >>> y.columns.tolist(), list(y.index.names)
    (['HR'], ['record', 'time'])
    """

    _tags: ClassVar[dict[str, Any]] = {
        "object_type": ["dataset_forecasting", "dataset"],
        "task_type": ["forecaster"],
        "name": "cndts_panel",
        "is_univariate": False,
        "is_equally_spaced": False,
        "has_nans": True,
        "has_exogenous": False,
        "is_one_series": False,
        "is_one_panel": True,
        "frequency": None,
        "n_splits": 0,
    }

    def __init__(
        self,
        source: IrregularPanel | Callable[[], IrregularPanel],
        *,
        channels: list[str] | None = None,
        origin: str | pd.Timestamp = "2000-01-01",
        exact: bool = True,
    ) -> None:
        self.source = source
        self.channels = channels
        self.origin = origin
        self.exact = exact
        super().__init__()

    def _load(self, *args: str) -> Any:
        loaded = {"y": self._frame() if "y" in args else None, "X": None}
        parts = tuple(loaded[name] for name in args)
        return parts[0] if len(parts) == 1 else parts

    def _frame(self) -> pd.DataFrame:
        panel = self.source if isinstance(self.source, IrregularPanel) else self.source()
        frame = to_sktime(panel, origin=pd.Timestamp(self.origin), exact=self.exact)
        return frame if self.channels is None else frame[list(self.channels)].dropna(how="all")

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
        return [{"source": _example}, {"source": _example(), "channels": ["HR"]}]


def _example() -> IrregularPanel:
    return IrregularPanel([0, 2, 3], [0.0, 1.5, 0.5], [0, 1, 0], [80.0, 36.5, 71.0], channels=["HR", "Temp"])
