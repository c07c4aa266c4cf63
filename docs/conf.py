"""How Sphinx builds these pages."""

from importlib.metadata import version as version_of

project = "cndts"
author = "cndts developers"
copyright = author
version = release = version_of("cndts")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
    "numpydoc",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "py:obj"

# ---- API pages: one page an object, listed by hand in api/*.rst ---------------------------------
autosummary_generate = True
autosummary_generate_overwrite = True
autodoc_typehints = "none"  # the numpydoc sections say it in words
autodoc_class_signature = "mixed"
numpydoc_show_class_members = False  # the class template lists them
numpydoc_xref_param_type = False

# ---- examples -----------------------------------------------------------------------------------
# pytest runs the examples in docstrings with the names of their own modules at hand; here only the pages' blocks run.
doctest_test_doctest_blocks = ""
doctest_global_setup = """
import os, tempfile
import matplotlib
matplotlib.use("agg")
_home, _folder = os.getcwd(), tempfile.TemporaryDirectory()
os.chdir(_folder.name)
"""
doctest_global_cleanup = """
os.chdir(_home)
_folder.cleanup()
"""

# ---- looks --------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = f"cndts {release}"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {"index": [], "glossary": [], "bibliography": []}
html_theme_options = {
    "logo": {"text": "cndts"},
    "header_links_before_dropdown": 6,
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}

# What scikit-learn adds to every estimator and describes itself.
_FROM_SCIKIT_LEARN = {
    "get_metadata_routing",
    "get_params",
    "set_fit_request",
    "set_params",
    "set_predict_request",
    "set_score_request",
}


def _skip(app, what, name, member, skip, options):
    """Leave out inherited members that would be the same on every page."""
    return True if name in _FROM_SCIKIT_LEARN else None


def setup(app):
    """Connect the hook above."""
    app.connect("autodoc-skip-member", _skip)
