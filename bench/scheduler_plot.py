"""A picture of what decisions cost at each size, as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from math import log10
from pathlib import Path

from bench.scheduler_decisions import Decisions

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "scheduling.svg"
WIDTH, HEIGHT = 720, 330
LEFT, TOP, PANEL_WIDTH, PANEL_HEIGHT, GAP = 56, 44, 290, 220, 60
COLOURS = ("#4c78a8", "#f58518", "#54a24b")
LIMIT_MS = 50


def write(found: Mapping[str, Sequence[Decisions]]) -> None:
    """One panel for each database: milliseconds against waiting runs, a line for each number of machines."""
    panels = [
        line
        for number, (name, points) in enumerate(found.items())
        for line in _panel(name, points, LEFT + number * (PANEL_WIDTH + GAP))
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        ' font-size="11" fill="#333">'
    )
    white = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    PICTURE.write_text("\n".join([head, white, *panels, "</svg>", ""]))


def _panel(name: str, points: Sequence[Decisions], left: float) -> Iterator[str]:
    yield f'<text x="{left}" y="{TOP - 24}" font-size="13">{name}: milliseconds of a decision</text>'
    for milliseconds in (1, 2, 5, 10, 20, LIMIT_MS, 100):
        y = _y(milliseconds)
        colour = "#c00" if milliseconds == LIMIT_MS else "#ddd"
        yield f'<line x1="{left}" x2="{left + PANEL_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}"/>'
        yield f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{milliseconds}</text>'
    for runs in sorted({point.runs for point in points}):
        x = _x(runs, left)
        yield f'<text x="{x:.1f}" y="{TOP + PANEL_HEIGHT + 16}" text-anchor="middle">{runs:,}</text>'
    middle, below = left + PANEL_WIDTH / 2, TOP + PANEL_HEIGHT + 32
    yield f'<text x="{middle}" y="{below}" text-anchor="middle">waiting runs</text>'
    for colour, machines in zip(COLOURS, sorted({point.machines for point in points}), strict=True):
        line = [point for point in points if point.machines == machines]
        for dashes, values in (("", [p.p50 for p in line]), ("4 3", [p.p99 for p in line])):
            places = " ".join(
                f"{_x(point.runs, left):.1f},{_y(value):.1f}"
                for point, value in zip(line, values, strict=True)
            )
            yield (
                f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"'
                f' stroke-dasharray="{dashes}"/>'
            )
        column = COLOURS.index(colour) * 95
        legend = f"{machines:,} machines"
        yield f'<text x="{left + column}" y="{TOP - 8}" fill="{colour}">{legend}</text>'
    yield f'<text x="{left}" y="{TOP + PANEL_HEIGHT + 50}">whole line: half of them, dashed: 99 of 100</text>'


def _x(runs: int, left: float) -> float:
    return left + 10 + (PANEL_WIDTH - 20) * (log10(runs) - 3) / 3


def _y(milliseconds: float) -> float:
    """From 0.5 to 200, by its logarithm."""
    share = (log10(milliseconds) - log10(0.5)) / (log10(200) - log10(0.5))
    return TOP + PANEL_HEIGHT * (1 - share)
