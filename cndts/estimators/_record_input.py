"""What estimators of whole records take: a panel, or a table as one channel on a grid."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from cndts._parameters import NamedParameters
from cndts._storable import Storable
from cndts.estimators._alignment import align_channels
from cndts.estimators._plain_arrays import refuse_tables
from cndts.panel import IrregularPanel

_TABLE_CHANNEL = "x0"


class RecordInput(Storable, NamedParameters):
    """Reads ``X`` at fit and afterwards; a subclass calls ``_read_fitting`` in ``fit`` and ``_read`` in everything else.

    Attributes
    ----------
    channels_in_ : tuple of str
        Channels of the training panel; one, of a table.
    n_features_in_ : int
        Number of channels; of a table, number of columns.
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        The channels under scikit-learn's name; of a table only where its columns have names.
    n_records_in_ : int
        Number of training records.
    time_unit_in_ : str
        Time unit of the training panel; ``"step"`` of a table.
    """

    _least_records: ClassVar[int] = 1

    def _read_fitting(self, X: Any) -> IrregularPanel:
        """The training panel; what it is made of is remembered."""
        self._takes_table_ = not isinstance(X, IrregularPanel)
        panel = self._from_table(X, reset=True) if self._takes_table_ else X
        if len(panel) < self._least_records:
            raise ValueError(
                f"X has {len(panel)} records (n_samples={len(panel)}); {type(self).__name__} needs at least "
                f"{self._least_records} to be fitted."
            )
        self.channels_in_ = panel.channels
        if not self._takes_table_:
            self.n_features_in_ = len(panel.channels)
            self.feature_names_in_ = np.asarray(panel.channels, dtype=object)
        self.n_records_in_, self.time_unit_in_ = len(panel), panel.time_unit
        return panel.without_queries()

    def _read(self, X: Any, what: str = "X") -> IrregularPanel:
        """A panel of the fitted channels, in their order."""
        check_is_fitted(self, "channels_in_")
        if isinstance(X, IrregularPanel) == self._takes_table_:
            wanted, got = ("a table", "a panel") if self._takes_table_ else ("an IrregularPanel", type(X).__name__)
            raise TypeError(
                f"{what} must be {wanted}, as at fit, since columns of a table are times and not channels; got {got}."
            )
        panel = self._from_table(X, reset=False) if self._takes_table_ else X
        if len(panel) == 0:
            raise ValueError(f"{what} has no records (n_samples=0); got an empty panel. Give at least one.")
        if panel.time_unit != self.time_unit_in_:
            raise ValueError(
                f"{what} has times in {panel.time_unit!r}, the {type(self).__name__} was fitted on times in "
                f"{self.time_unit_in_!r}; build both panels with the same time_unit."
            )
        return align_channels(panel.without_queries(), self.channels_in_, what)

    def _from_table(self, X: Any, *, reset: bool) -> IrregularPanel:
        refuse_tables(X)
        table: NDArray = validate_data(
            self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=1
        )
        return IrregularPanel.from_array(table, channels=[_TABLE_CHANNEL])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
