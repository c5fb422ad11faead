"""Pages of the reference, read as what they are: headings, tables and fenced blocks."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@dataclass(frozen=True)
class Section:
    """Everything between a heading of the second level and the next."""

    heading: str
    text: str

    @property
    def rows(self) -> list[list[str]]:
        """The cells of every table row, without the heads of the tables."""
        lines = [line for line in self.text.splitlines() if line.startswith("|")]
        heads = {number - 1 for number, line in enumerate(lines) if set(line) <= set("| -")}
        return [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for number, line in enumerate(lines)
            if number not in heads and not set(line) <= set("| -")
        ]

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of this language, in order."""
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    text: str

    @property
    def sections(self) -> list[Section]:
        pieces = re.split(r"^## (.+)\n", self.text, flags=re.MULTILINE)
        return [
            Section(heading, text.strip()) for heading, text in zip(pieces[1::2], pieces[2::2], strict=True)
        ]

    def section(self, heading: str) -> Section:
        (found,) = [section for section in self.sections if section.heading == heading]
        return found


@pytest.fixture
def page() -> Callable[[str], Page]:
    """A page of the reference by its file name."""
    return lambda name: Page((REFERENCE / name).read_text(encoding="utf-8"))
