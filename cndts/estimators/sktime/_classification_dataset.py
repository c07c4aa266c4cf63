"""Panels with outcomes as a dataset object of sktime."""

from collections.abc import Callable
from typing import Any, ClassVar

import pandas as pd
from sktime.datasets.classification._base import BaseClassificationDataset

from cndts.estimators.sktime._exchange import to_sktime
from cndts.estimators.sktime._named_parts import NamedParts
from cndts.panel import IrregularPanel


class PanelClassificationDataset(NamedParts, BaseClassificationDataset):
    """A panel of cndts with an outcome of each record where sktime wants a classification dataset.

    Parameters
    ----------
    source : IrregularPanel or callable
        The panel, or a function without arguments that returns it; it is called when the data are asked for.
    outcome : str, optional
        Column of ``panel.outcomes``; the only one by default.
    exact : bool, default=True
        Whether to refuse times that nanoseconds cannot hold; otherwise they are rounded.

    Examples
    --------
    >>> from cndts.datasets import make_icu
    >>> from cndts.estimators.sktime import PanelClassificationDataset
    >>> X, y = PanelClassificationDataset(make_icu(3, random_state=0)).load("X", "y")
    >>> X.index.get_level_values("record").nunique(), y.shape
    (3, (3,))
    """

    _tags: ClassVar[dict[str, Any]] = {
        "name": "cndts_panel_outcomes",
        "is_univariate": False,
        "is_equally_spaced": False,
        "is_equal_length": False,
        "has_nans": True,
        "n_splits": 0,
    }

    def __init__(
        self,
        source: IrregularPanel | Callable[[], IrregularPanel],
        *,
        outcome: str | None = None,
        exact: bool = True,
    ) -> None:
        self.source = source
        self.outcome = outcome
        self.exact = exact
        super().__init__()

    def _load(self, *args: str) -> Any:
        panel = self.source if isinstance(self.source, IrregularPanel) else self.source()
        parts = tuple(self._labels(panel) if name == "y" else to_sktime(panel, exact=self.exact) for name in args)
        return parts[0] if len(parts) == 1 else parts

    def _labels(self, panel: IrregularPanel) -> Any:
        table: pd.DataFrame = panel.outcomes
        if self.outcome is None and table.shape[1] != 1:
            raise ValueError(f"the panel has the outcomes {list(table.columns)}; choose one with outcome=.")
        name = table.columns[0] if self.outcome is None else self.outcome
        if name not in table.columns:
            raise ValueError(f"the panel has no outcome {name!r}; its outcomes are {list(table.columns)}.")
        return table[name].to_numpy()

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
        return [{"source": _example}, {"source": _example(), "outcome": "died"}]


def _example() -> IrregularPanel:
    outcomes = pd.DataFrame({"died": [0, 1]})
    return IrregularPanel([0, 2, 3], [0.0, 1.5, 0.5], [0, 1, 0], [80.0, 36.5, 71.0], outcomes=outcomes)
