"""What every transformer from panels to panels shares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from cndts._parameters import NamedParameters
from cndts._storable import Storable
from cndts.panel import IrregularPanel
from cndts.transforms._fitted_channels import check_alike, positions, remember_panel


class PanelTransformer(TransformerMixin, Storable, NamedParameters, ABC, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """A scikit-learn transformer that takes a panel and gives a panel.

    A subclass stores its constructor arguments untouched, implements ``_fit`` and ``_transform``, and says in
    ``_channels_out`` which channels come out if they are not those that went in. Queries pass through as they are.

    Attributes
    ----------
    channels_in_ : tuple of str
        Channels of the training panel.
    feature_names_in_ : ndarray of str, shape (n_channels,)
        The same under scikit-learn's name.
    n_features_in_ : int
        Their number.
    time_unit_in_ : str
        Time unit of the training panel; others are refused.
    """

    reads_static: ClassVar[bool] = False

    def fit(self, X: IrregularPanel, y: object = None) -> Self:
        """Learn from training records.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Training records; only their events are looked at.
        y : object, optional
            Ignored: what is asked for must not be known before it is predicted.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If ``X`` is not an IrregularPanel.
        ValueError
            If there are no records, or a setting does not fit the panel.
        """
        X = remember_panel(self, X)
        self._fit(X)
        return self

    def transform(self, X: IrregularPanel) -> IrregularPanel:
        """Transform records.

        Parameters
        ----------
        X : IrregularPanel of n_records
            Channels are matched by name; missing ones are fine.

        Returns
        -------
        IrregularPanel of n_records

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        ValueError
            If ``X`` has channels that were not fitted, or times in another unit.
        """
        X = check_alike(self, X)
        return self._transform(X, positions(X.channels, self.channels_in_))

    @abstractmethod
    def _fit(self, X: IrregularPanel) -> None:
        """Learn from a panel whose channels are ``channels_in_``."""

    @abstractmethod
    def _transform(self, X: IrregularPanel, place: NDArray[np.int64]) -> IrregularPanel:
        """Transform a panel; ``place`` says where each of its channels stands in ``channels_in_``."""

    def _channels_out(self) -> tuple[str, ...]:
        return self.channels_in_

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Names of the channels that come out.

        Parameters
        ----------
        input_features : array-like of str, optional
            Ignored; scikit-learn hands it over.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self, "channels_in_")
        return np.asarray(self._channels_out(), dtype=object)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Do nothing: a panel comes out whatever container is asked for, so that whole pipelines can be configured.

        Parameters
        ----------
        transform : str, optional
            Ignored.

        Returns
        -------
        self
        """
        return self

    def _stored_parts(self) -> dict[str, Any]:
        # reports of the training records stay behind
        tables = (pd.DataFrame, pd.Series)
        return {name: part for name, part in super()._stored_parts().items() if not isinstance(part, tables)}

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags
