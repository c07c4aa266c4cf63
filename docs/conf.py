"""How Sphinx builds these pages."""

import re

from docutils import nodes
from sphinx.errors import NoUri
from sphinx.util import logging

import cndts

project = "cndts"
author = "cndts developers"
copyright = author
version = release = cndts.__version__

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
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False  # the class template lists them
numpydoc_xref_param_type = False

# ---- examples -----------------------------------------------------------------------------------
# pytest runs the examples in docstrings with the names of their own modules at hand; here only the pages' blocks run.
doctest_test_doctest_blocks = ""
doctest_global_setup = """
import importlib.metadata, os, tempfile
import matplotlib
matplotlib.use("agg")
sktime_version = importlib.metadata.version("sktime")
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
html_sidebars = {"*": []}  # pages of a section (api, decisions) keep theirs
html_theme_options = {
    "logo": {"text": "cndts"},
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
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


def _plain_roles(app, what, name, obj, options, lines):
    """Docstrings inherited from scikit-learn refer to labels and terms of its own documentation."""
    if str(getattr(obj, "__module__", "")).startswith("sklearn."):
        lines[:] = [_ROLE.sub(r"\1", line) for line in lines]


_ROLE = re.compile(r":(?:ref|term):`([^`<]*?)\s*(?:<[^>`]*>)?`")


def _find(app, env, node, content):
    """Link `Name` to the one API page whose object ends in that name, whatever module the text stands in."""
    if node.get("reftype") != "obj":
        return None
    name, domain = node["reftarget"], env.get_domain("py")
    found = {
        entry.docname + entry.node_id: (full, entry)
        for full, entry in domain.objects.items()
        if (full == name or full.endswith(f".{name}")) and not entry.aliased
    }
    if len(found) == 1:
        [(full, entry)] = found.values()
        try:
            uri = app.builder.get_relative_uri(node["refdoc"], entry.docname)
        except NoUri:
            return None
        link = nodes.reference("", "", content, internal=True, refuri=f"{uri}#{entry.node_id}", reftitle=full)
        return link
    # In docstrings single quotes also mark parameters, as numpydoc asks for; pages have no excuse.
    if not node["refdoc"].startswith("api/generated/"):
        logging.getLogger(__name__).warning("%d objects are called `%s`", len(found), name, location=node)
    return None


def setup(app):
    """Connect the hooks above."""
    app.connect("autodoc-skip-member", _skip)
    app.connect("autodoc-process-docstring", _plain_roles)
    app.connect("missing-reference", _find)
