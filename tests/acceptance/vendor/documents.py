"""The Python blocks of the vendor's two documents, as they stand there."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

DOCUMENTS = Path(__file__).resolve().parents[3] / "packages" / "sdk" / "tests" / "documents"
NAMES = ("python_sdk_guide.md", "sdk_readme.md")

_BLOCK = re.compile(r"^( *)```python[^\n]*\n(.*?)^\1```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A Python block of a document: where it stands, and what it says."""

    line: int
    place: str
    code: str


def blocks_of(document: str) -> list[Block]:
    text = (DOCUMENTS / document).read_text(encoding="utf-8")
    blocks = []
    for found in _BLOCK.finditer(text):
        before = text[: found.start()]
        blocks.append(Block(before.count("\n") + 1, place_of(before), textwrap.dedent(found[2])))
    return blocks


def place_of(before: str) -> str:
    """The heading, the fold and the tab that are open at the end of this text."""
    place: dict[str, str] = {}
    for line in before.splitlines():
        if heading := re.match(r"##+ (.+)", line):
            place = {"heading": heading[1].replace("\\", "")}
        elif opened := re.match(r"\s*<(Accordion|Tab) title=\"(.+)\"", line):
            place[opened[1]] = opened[2]
        elif closed := re.match(r"\s*</(Accordion|Tab)>", line):
            place.pop(closed[1], None)
    return place.get("Accordion", place["heading"]) + (f", {place['Tab']}" if "Tab" in place else "")
