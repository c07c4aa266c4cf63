"""Draw docs/_static/model.svg: the path from events to forecasts. Plain SVG, no library needed."""

import math
from pathlib import Path

INK, GREY, PALE, LINE, MEMORY = "#1f2933", "#6b7785", "#f4f6f8", "#c3ccd5", "#6b46c1"
CHANNELS = {"heart rate": "#c1442e", "lactate": "#2b6cb0", "temperature": "#2f855a"}
EVENTS = {
    "heart rate": [
        (150, 8),
        (181, 2),
        (206, 12),
        (254, 5),
        (316, -9),
        (334, -4),
        (388, -12),
        (430, -7),
        (480, 3),
        (520, 9),
    ],
    "lactate": [(206, -10), (388, 6), (520, 12)],
    "temperature": [(181, 0), (316, 6), (452, -5)],
}
QUERIES = {"heart rate": [600, 655, 742, 905], "lactate": [655, 860], "temperature": [700, 742, 985]}
ROWS = {"heart rate": 92, "lactate": 152, "temperature": 212}
START, LAST, END = 136, 520, 1050
FLOW = 398  # height of the middle of the lower half


def text(
    x: float, y: float, words: str, size: int = 14, colour: str = INK, anchor: str = "middle", weight: int = 400
) -> str:
    """One line of text."""
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}">{words}</text>'


def box(x: float, y: float, width: float, height: float, title: str, lines: list[str], colour: str = INK) -> str:
    """A box with a title and smaller lines below it."""
    middle, top = x + width / 2, y + height / 2 - 9 * len(lines) + 5
    parts = [
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="9" fill="white" stroke="{colour}" stroke-width="1.6"/>',
        text(middle, top, title, 15, colour, weight=600),
    ]
    parts += [text(middle, top + 20 + 17 * i, line, 12.5, GREY) for i, line in enumerate(lines)]
    return "".join(parts)


def arrow(path: str, colour: str = GREY, dashed: bool = False) -> str:
    """A path that ends in a head."""
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.8" marker-end="url(#head)"{dash}/>'


def events() -> str:
    """The upper half: what is known, and what is asked for."""
    parts = [
        f'<rect x="20" y="46" width="1060" height="206" rx="10" fill="{PALE}"/>',
        f'<rect x="{LAST}" y="46" width="{1080 - LAST}" height="206" rx="10" fill="#e9eef6"/>',
        f'<line x1="{LAST}" y1="46" x2="{LAST}" y2="252" stroke="{GREY}" stroke-width="1.4" stroke-dasharray="4 4"/>',
        text(36, 34, "context: events at their own times", 15, INK, "start", 600),
        text(LAST + 16, 34, "queries: any time, any channel", 15, INK, "start", 600),
        text(LAST - 9, 247, "last event", 11.5, GREY, "end"),
        text(316, 247, "seen together", 11.5, GREY),
    ]
    shared = sorted({x for x, _ in EVENTS["heart rate"]} & {x for x, _ in EVENTS["lactate"] + EVENTS["temperature"]})
    parts += [
        f'<line x1="{x}" y1="72" x2="{x}" y2="230" stroke="{LINE}" stroke-width="7" stroke-linecap="round" opacity="0.55"/>'
        for x in shared
    ]
    for name, colour in CHANNELS.items():
        parts.append(_channel(name, colour))
    return "".join(parts)


def _channel(name: str, colour: str) -> str:
    row, seen = ROWS[name], EVENTS[name]
    last = row - seen[-1][1]
    parts = [f'<line x1="{START}" y1="{row}" x2="{END}" y2="{row}" stroke="{LINE}" stroke-width="1"/>']
    parts.append(text(START - 12, row + 4, name, 13, colour, "end", 600))
    path = [(LAST + 5 * i, *_ahead(5 * i, last, row)) for i in range((END - LAST) // 5 + 1)]
    upper = " ".join(f"{x},{y - spread:.1f}" for x, y, spread in path)
    lower = " ".join(f"{x},{y + spread:.1f}" for x, y, spread in reversed(path))
    parts.append(f'<polygon points="{upper} {lower}" fill="{colour}" opacity="0.16"/>')
    points = " ".join(f"{x},{y:.1f}" for x, y, _ in path)
    parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    parts += [f'<circle cx="{x}" cy="{row - rise}" r="5" fill="{colour}"/>' for x, rise in seen]
    for x in QUERIES[name]:
        y = _ahead(x - LAST, last, row)[0]
        parts.append(f'<circle cx="{x}" cy="{y:.1f}" r="5" fill="white" stroke="{colour}" stroke-width="2"/>')
    return "".join(parts)


def _ahead(elapsed: float, last: float, row: float) -> tuple[float, float]:
    """Height and half-width of the band of a made-up forecast."""
    calm = row + (last - row) * math.exp(-elapsed / 170) + 5 * math.sin(elapsed / 75) * (1 - math.exp(-elapsed / 120))
    return calm, 16 * (1 - math.exp(-elapsed / 130))


def flow() -> str:
    """The lower half: boxes from the encoder to the head."""
    top, bottom = FLOW - 122, FLOW + 50
    return "".join(
        [
            box(36, FLOW - 46, 152, 92, "event encoder", ["value, change, gap;", "mixes what was", "seen together"]),
            box(
                246,
                top,
                196,
                72,
                "long-term memory",
                ["all events, six time scales,", "linear ODE solved exactly"],
                MEMORY,
            ),
            box(246, FLOW - 36, 196, 72, "working memory", ["last six events of each", "channel, exactly"], MEMORY),
            box(246, bottom, 196, 72, "episodic memory", ["sixteen salient events", "of the record"], MEMORY),
            box(500, FLOW - 46, 168, 92, "attention", ["over the channels,", "one node each"]),
            box(726, FLOW - 46, 168, 92, "neural ODE", ["one solve per node,", "read at every query"], "#b7791f"),
            box(946, FLOW - 46, 124, 92, "head", ["expected value,", "quantiles"]),
            arrow(f"M 112 256 L 112 {FLOW - 52}"),
            arrow(f"M 188 {FLOW - 14} C 215 {FLOW - 14} 215 {top + 36} 239 {top + 36}"),
            arrow(f"M 188 {FLOW} L 239 {FLOW}"),
            arrow(f"M 188 {FLOW + 14} C 215 {FLOW + 14} 215 {bottom + 36} 239 {bottom + 36}"),
            arrow(f"M 442 {top + 36} C 472 {top + 36} 468 {FLOW - 18} 493 {FLOW - 18}"),
            arrow(f"M 442 {FLOW - 4} L 493 {FLOW - 4}"),
            arrow(f"M 522 {FLOW + 46} C 518 {FLOW + 68} 480 {FLOW + 60} 449 {FLOW + 28}", MEMORY, dashed=True),
            arrow(f"M 584 {FLOW + 46} C 584 {bottom + 40} 540 {bottom + 44} 449 {bottom + 44}", MEMORY, dashed=True),
            text(592, bottom + 36, "second round: each node reads the", 12.5, MEMORY, "start"),
            text(592, bottom + 53, "bounded memories, by now with a question", 12.5, MEMORY, "start"),
            arrow(f"M 668 {FLOW} L 719 {FLOW}"),
            arrow(f"M 894 {FLOW} L 939 {FLOW}"),
            arrow(f"M 1008 {FLOW - 46} L 1008 258"),
        ]
    )


def main() -> None:
    """Write the figure."""
    picture = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1100 528" font-family="Helvetica, Arial, sans-serif">
<title>From events to forecasts</title>
<defs><marker id="head" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto">
<path d="M 0 0 L 10 5 L 0 10 z" fill="{GREY}"/></marker></defs>
<rect width="1100" height="528" fill="white"/>
{events()}
{flow()}
</svg>
"""
    (Path(__file__).parents[1] / "_static" / "model.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
