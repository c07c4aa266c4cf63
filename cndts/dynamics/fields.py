"""Vector fields by name, for ``Solver(field=...)``.

A new field is a class with ``(width, hidden)`` and ``forward(t, z)``, its tests, and a line here; the tests that every field
must pass (bounded, smooth, rows apart, in time) run over this table.
"""

from torch import nn

from cndts.dynamics.concat_squash_field import ConcatSquashField
from cndts.dynamics.gated_field import GatedField
from cndts.dynamics.hyper_field import HyperField

FIELDS: dict[str, type[nn.Module]] = {"gated": GatedField, "time": ConcatSquashField, "hyper": HyperField}
