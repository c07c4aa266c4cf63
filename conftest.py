"""Which modules the examples are not collected from: those whose optional library is absent."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("sktime") else ["cndts/estimators/sktime"]
