"""Comparisons of forecasters as one self-contained HTML page."""

from cndts.report._comparison import Comparison, Forecasts, compare_forecasters
from cndts.report._demonstration import Demonstration, demonstrate, demonstration_page, headline, score_cells
from cndts.report._figures import load_pyplot
from cndts.report._page import Section, render_page, write_page

__all__ = [
    "Comparison",
    "Demonstration",
    "Forecasts",
    "Section",
    "compare_forecasters",
    "demonstrate",
    "demonstration_page",
    "headline",
    "load_pyplot",
    "render_page",
    "score_cells",
    "write_page",
]
