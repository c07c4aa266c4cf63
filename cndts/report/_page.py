"""The report: one HTML file that needs nothing beside it."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cndts._whole_file import whole_file

_CSS = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; color: #1f2933; margin: 0 auto; max-width: 62rem;
       padding: 2.5rem 1.25rem 4rem; background: #fff; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .4rem; }
p { max-width: 46rem; margin: .4rem 0 .9rem; }
.lead { font-size: 1.1rem; }
.note { color: #52606d; font-size: .9rem; }
img { display: block; max-width: 100%; height: auto; margin: .6rem 0; }
.pair { display: flex; flex-wrap: wrap; gap: 1rem; } .pair img { flex: 1 1 24rem; min-width: 0; max-width: 30rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; margin: .6rem 0; }
th, td { padding: .35rem .8rem; text-align: right; border-bottom: 1px solid #e4e7eb; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { border-bottom: 2px solid #cbd2d9; font-weight: 600; }
tbody tr:first-child { font-weight: 600; color: #1f5fbf; }
@media print { body { max-width: none; padding: 0; } h2 { break-after: avoid; } img { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Section:
    """A heading with text, tables and pictures below it.

    Parameters
    ----------
    heading, text : str
        Plain text; it is escaped.
    pictures : sequence of (alternative text, data URI)
        Drawn below the text, side by side where they fit.
    tables : sequence of DataFrame
        Cells as text already.
    note : str
        Small print below.
    """

    heading: str
    text: str = ""
    pictures: Sequence[tuple[str, str]] = ()
    tables: Sequence[pd.DataFrame] = ()
    note: str = ""


def render_page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The whole page as HTML."""
    body = "\n".join(_section(section) for section in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n"
        f'<h1>{html.escape(title)}</h1>\n<p class="lead">{html.escape(lead)}</p>\n{body}\n</body>\n</html>\n'
    )


def write_page(path: str | os.PathLike[str], page: str) -> None:
    """Write the page whole or not at all."""
    with whole_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")


def _section(section: Section) -> str:
    parts = [f"<h2>{html.escape(section.heading)}</h2>"]
    if section.text:
        parts.append(f"<p>{html.escape(section.text)}</p>")
    parts += [_table(table) for table in section.tables]
    pictures = "\n".join(f'<img alt="{html.escape(alt)}" src="{source}">' for alt, source in section.pictures)
    if pictures:
        parts.append(f'<div class="pair">\n{pictures}\n</div>' if len(section.pictures) > 1 else pictures)
    if section.note:
        parts.append(f'<p class="note">{html.escape(section.note)}</p>')
    return "\n".join(parts)


def _table(table: pd.DataFrame) -> str:
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in table.columns)
    rows = ("".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) for row in table.itertuples(index=False))
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'
