"""Tasks: rules that turn a panel into what a model sees and what it has to say."""

from cndts.tasks._extrapolation import Extrapolation
from cndts.tasks._interpolation import Interpolation
from cndts.tasks._record_split import RecordSplit

__all__ = ["Extrapolation", "Interpolation", "RecordSplit"]
