"""Names of the package load on first use."""

import subprocess
import sys

import pytest

import cndts


def test_names_are_those_of_their_homes():
    """The short names are the objects of the submodules."""
    from cndts.panel import IrregularPanel
    from cndts.protocols import protocol
    from cndts.tasks import Extrapolation

    assert cndts.IrregularPanel is IrregularPanel
    assert cndts.protocol is protocol
    assert cndts.Extrapolation is Extrapolation
    assert cndts.__version__


def test_names_are_listed():
    """Completion shows every public name before it is loaded."""
    probe = "import cndts; assert set(cndts.__all__) <= set(dir(cndts)); assert 'IrregularPanel' not in vars(cndts)"
    subprocess.run([sys.executable, "-W", "error", "-c", probe], check=True, cwd=cndts.__path__[0] + "/..")


def test_star_import():
    """``from cndts import *`` brings what ``__all__`` lists."""
    space: dict[str, object] = {}
    exec("from cndts import *", space)  # noqa: S102 - a star import needs a module's own namespace
    assert set(cndts.__all__) <= set(space)


def test_unknown_name():
    """A misspelt name is an ordinary attribute error."""
    with pytest.raises(AttributeError, match="module 'cndts' has no attribute 'IregularPanel'"):
        _ = cndts.IregularPanel


def test_containers_do_not_load_torch():
    """Panels, tasks, metrics and protocols work without loading torch."""
    probe = (
        "import sys; from cndts import Extrapolation, IrregularPanel, protocol; import cndts.metrics; "
        "assert not {'torch', 'sktime', 'matplotlib', 'sklearn', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", probe], check=True, cwd=cndts.__path__[0] + "/..")
