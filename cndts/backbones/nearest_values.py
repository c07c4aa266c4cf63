"""What was observed next to the place where a record is asked."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from cndts.memory import SeriesFacts

# Where a channel was not observed on one side, the other side decides: its distance is that of no event at all.
_NEVER = 1e4


class NearestValues(NamedTuple):
    """The values nearest to the place where a record is asked, as tensors of shape (n_nodes, n_sides).

    Attributes
    ----------
    value : Tensor
        Last value before, and first value after a gap; 0 where there is none.
    distance : Tensor
        Time from the former to the record's last event on that side, and from the record's first event on the other to
        the latter.
    """

    value: Tensor
    distance: Tensor

    @classmethod
    def of(cls, sides: Sequence[SeriesFacts], n_nodes: int) -> "NearestValues":
        """Values and distances of all nodes, from the facts of the series that there are on each side."""
        nothing = sides[0].value.new_zeros(n_nodes)
        value = [nothing.index_copy(0, side.node, side.value) for side in sides]
        distance = [(nothing + _NEVER).index_copy(0, side.node, side.age) for side in sides]
        return cls(torch.stack(value, dim=1), torch.stack(distance, dim=1))
