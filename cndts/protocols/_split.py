"""What a protocol makes of a panel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cndts.panel import IrregularPanel
from cndts.targets import Targets
from cndts.tasks import RecordSplit


@dataclass(frozen=True, eq=False)
class ProtocolSplit:
    """Context and targets of the three parts, on the protocol's scale.

    Parameters
    ----------
    train, validation, test : tuple of (IrregularPanel, Targets)
        Context with queries, and the values at the queries.
    records : RecordSplit
        Record ids of the three parts.
    offset, scale : ndarray of shape (n_channels,)
        The protocol's scaling, ``scaled = (raw - offset) / scale``, by position in the channels of the parts.
    """

    train: tuple[IrregularPanel, Targets]
    validation: tuple[IrregularPanel, Targets]
    test: tuple[IrregularPanel, Targets]
    records: RecordSplit
    offset: NDArray[np.float64]
    scale: NDArray[np.float64]
