"""Descriptions of protocols: every choice names the place in its source where a reader can check it."""

import re

import pytest

from cndts import protocol
from cndts.protocols import available_protocols

HEADINGS = ("Source", "Data", "Split", "Scale", "Task", "Score", "Training in the source")
FILE = re.compile(r"[\w./-]+\.(py|sh|md|MD|csv)")


def paragraphs(name: str, **settings) -> dict[str, str]:
    """Text by heading, on one line each."""
    words = protocol(name, **settings).describe().partition("\nTraps\n")[0]
    parts = re.split(rf"\n(?=(?:{'|'.join((*HEADINGS, 'Steps', 'Rows'))}): )", words)[1:]
    return {heading: " ".join(text.split()) for heading, text in (part.split(": ", 1) for part in parts)}


def references(paragraph: str) -> list[tuple[str, str]]:
    """Pairs of a source and what to look up in it, from the brackets that the paragraph ends with."""
    end = re.search(r"\(([^()]*)\)$", paragraph)
    assert end, f"no reference at the end of: {paragraph}"
    return [tuple(each.split(": ", 1)) for each in end[1].split("; ")]


@pytest.mark.parametrize("name", available_protocols())
def test_every_choice_has_a_reference(name):
    """Repositories are named once, with their address; other paragraphs end with files in them."""
    text = paragraphs(name)
    assert set(HEADINGS) <= set(text)
    repositories = re.findall(r"https://github\.com/[\w.-]+/([\w-]+)", text["Source"])
    assert repositories
    cited = set()
    for heading in set(text) - {"Source"}:
        for source, places in references(text[heading]):
            cited.add(source)
            assert source in (*repositories, "paper", "ours"), (heading, source)
            if source in repositories:
                assert all(FILE.fullmatch(place) for place in places.split(", ")), (heading, places)
    assert set(repositories) <= cited


@pytest.mark.parametrize("name", available_protocols())
def test_training_is_short_and_complete(name):
    """Optimiser, rounds over the data, and how it stops, in two lines at most."""
    lines = protocol(name).describe().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("Training in the source: "))
    training = paragraphs(name)["Training in the source"]
    assert re.match(r"Adam(W|ax)?, ", training)
    assert re.search(r"\d+,?\d* (epochs|passes|steps)", training)
    assert re.search(r"stop|counts", training)
    assert lines[first + 1].endswith(")")
    assert "" in lines[first + 1 : first + 3]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("grafiti/ushcn", {"rows": 20}),
        ("grafiti/physionet2012", {"rows": 12}),
        ("pyomnits/ushcn", {"rows": 50}),
        ("latent-ode/physionet2012-interpolation", {"observed": 0.5}),
        ("latent-ode/physionet2012-extrapolation", {"cut": "24h"}),
        ("physiome-ode", {"rows": "any"}),
    ],
)
def test_variants_keep_their_references(name, settings):
    """Settings change the words, not where to look."""
    text = paragraphs(name, **settings)
    assert all(references(text[heading]) for heading in HEADINGS[1:])


def test_a_task_in_which_copying_is_perfect_says_so():
    """In the description and beside the published results, with the setting that hides something."""
    rules = protocol("latent-ode/physionet2012-interpolation")
    for words in (rules.describe(), rules.published().attrs["caution"]):
        assert "a model that copies what it sees, as every interpolator does, has error 0" in " ".join(words.split())
        assert "--set protocol:observed=0.5" in words
    half = protocol("latent-ode/physionet2012-interpolation", observed=0.5)
    assert "none compares with fewer" in half.published().attrs["caution"]
    assert "error 0" not in half.published().attrs["caution"]


def test_sizes_by_code_and_by_comment():
    """Where the source's comment and its code disagree, the parts are those of the code."""
    for name, numbers in (("pyomnits/physionet2012", "9,703, 1,079 and 1,199"), ("pyomnits/ushcn", "901, 101 and 112")):
        assert f"{numbers}, as the source's code has it; its comment says" in " ".join(
            protocol(name).describe().split()
        )


def test_pictures_in_full_size():
    """Who runs out of time is told before."""
    words = protocol("cru/pendulum").describe()
    assert "--set protocol:n_train=200" in words
    assert "28,800 events a sequence" in words
