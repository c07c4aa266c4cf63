"""The demonstration and its report."""

import base64
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cndts.cli import app
from cndts.metrics import interval_coverage, mean_absolute_error
from cndts.report import Demonstration, Section, demonstrate, demonstration_page, headline, render_page, write_page

MODELS = ["decay-to-mean", "last-value", "channel-mean"]
VOID = {"meta", "img", "br"}


@pytest.fixture(scope="module")
def found() -> Demonstration:
    return demonstrate(MODELS, n_records=100, random_state=0)


@pytest.fixture(scope="module")
def page(found: Demonstration) -> str:
    pytest.importorskip("matplotlib").use("agg")
    return demonstration_page(found)


class Balance(HTMLParser):
    """Follows opening and closing tags, and collects what the page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.alts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        found = dict(attrs)
        self.sources += [found[name] or "" for name in ("src", "href") if name in found]
        self.alts += [found["alt"] or ""] if "alt" in found else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_whole_and_needs_nothing_else(page: str) -> None:
    """Tags close, pictures are inside the file and described in words."""
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert len(balance.sources) == 4
    assert all(source.startswith("data:image/svg+xml;base64,") for source in balance.sources)
    assert all(len(alt) > 20 for alt in balance.alts)
    assert not re.search(r"https?://(?!www\.w3\.org)", re.sub(r"base64,[^\"]+", "", page))


def test_pictures_are_valid_drawings(page: str) -> None:
    """Each is an SVG with axes in it."""
    from xml.etree import ElementTree

    for text in re.findall(r'base64,([^"]+)"', page):
        root = ElementTree.fromstring(base64.b64decode(text))
        assert root.tag.endswith("svg")
        assert any("axes_1" in element.get("id", "") for element in root.iter())


def test_table_holds_every_model(page: str, found: Demonstration) -> None:
    """The figures on the page are those of the comparison."""
    scores = found.comparison.scores()
    for model in MODELS:
        assert f"<td>{model}</td><td>{scores.loc[model, 'skill']:.3f}</td>" in page


def test_scores_agree_with_the_metrics(found: Demonstration) -> None:
    """Standardised errors and coverages are what cndts.metrics says of the same predictions."""
    comparison, scores = found.comparison, found.comparison.scores()
    y, forecast = comparison.test[1], comparison.forecasts["last-value"]
    channel = y.channel
    standard = (forecast.value - comparison.means[channel]) / comparison.deviations[channel]
    mae = mean_absolute_error(comparison.standardised(), standard, average="channel")
    inside = interval_coverage(y, forecast.quantiles[:, [0, -1]], average="observation")
    assert scores.loc["last-value", "mae"] == pytest.approx(mae)
    assert scores.loc["last-value", "coverage_90"] == pytest.approx(inside, abs=0.005)


def test_standardised_training_targets_have_unit_spread(found: Demonstration) -> None:
    """Test targets come out near mean 0 and deviation 1, as they are drawn like the training targets."""
    y = found.comparison.standardised()
    spread = pd.Series(y.value.astype(float)).groupby(np.asarray(y.channel)).std()
    assert spread.between(0.4, 1.8).all()


def test_channel_mean_has_no_skill(found: Demonstration) -> None:
    """Skill is measured against this model."""
    channels, skills = found.comparison.skill_by_channel()
    assert len(channels) == len(skills["channel-mean"]) > 4
    np.testing.assert_allclose(skills["channel-mean"], 0, atol=1e-5)


def test_coverage_rises_with_the_promise(found: Demonstration) -> None:
    """Wider intervals hold at least as much, and the levels end at 90 %."""
    promised, covered = found.comparison.coverage()
    np.testing.assert_allclose(promised, np.arange(1, 10) / 10)
    for share in covered.values():
        assert (np.diff(share) >= 0).all()


def test_test_records_are_not_among_the_training_records(found: Demonstration) -> None:
    """The comparison is made on records that no model has seen."""
    sizes = found.comparison.sizes
    model = found.comparison.forecasts["channel-mean"].model
    assert sizes["train"] + sizes["validation"] + sizes["test"] == 100
    assert model.n_records_in_ == sizes["train"] == 60
    assert len(found.comparison.test[0].records) == 20


def table_of_differences(low: float, high: float) -> pd.DataFrame:
    columns = {"difference": [(low + high) / 2], "low": [low], "high": [high], "share": [0.5]}
    return pd.DataFrame(columns, index=["ridge"])


def test_headline_says_which_way_it_went(found: Demonstration) -> None:
    """A win, a draw and a loss each read differently."""
    scores = found.comparison.scores()
    won, draw, lost = (
        headline(found.comparison, scores, table_of_differences(*ends)) for ends in [(-2, -1), (-1, 1), (1, 2)]
    )
    assert "clearly lower than that of 1 of 1" in won
    assert "clearly lower than that of 0 of 1" in draw
    assert "higher" not in draw
    assert "clearly higher than that of ridge" in lost


def test_text_is_escaped() -> None:
    """Names with markup in them stay names."""
    table = pd.DataFrame({"a<b": ["<script>"]})
    page = render_page("x & y", "<lead>", [Section("<h>", "<t>", tables=[table], note="<n>")])
    assert "<script>" not in page
    for text in ("x &amp; y", "&lt;lead&gt;", "&lt;h&gt;", "&lt;t&gt;", "&lt;n&gt;", "a&lt;b"):
        assert text in page


def test_page_is_written_whole(tmp_path: Path) -> None:
    """An old report is replaced, and nothing is left beside it."""
    write_page(tmp_path / "r.html", "old")
    write_page(tmp_path / "r.html", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("r.html", "new")]


def test_demo_command(tmp_path: Path) -> None:
    """Scores as JSON on stdout, the report on disk."""
    report = tmp_path / "demo.html"
    arguments = ["demo", "--report", str(report), "--models", "last-value,channel-mean", "--records", "60", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert set(content["models"]) == {"last-value", "channel-mean"}
    assert report.read_text(encoding="utf-8").endswith("</html>\n")


def test_demo_without_matplotlib_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error says what to install, before anything is fitted."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    result = CliRunner().invoke(app, ["demo", "--report", str(tmp_path / "r.html")])
    assert result.exit_code == 1
    assert 'drawing needs matplotlib: pip install "cndts[plot]"' in result.stderr
