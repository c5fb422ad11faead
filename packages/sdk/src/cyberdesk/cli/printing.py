"""How results are written on standard output: tables and facts for people, one JSON document for scripts.

On a terminal tables are drawn with rich; elsewhere they are plain columns with two spaces between them, and
nothing is cut off.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cyberdesk.models import Model

NOTHING = "-"
"""Stands where a value is absent."""

_FACT_INDENT = "  "


def print_json(document: Any) -> None:
    """One JSON document; models are written with the names of the API."""
    sys.stdout.write(json.dumps(_plain(document), indent=2, ensure_ascii=False) + "\n")


def print_line(line: str) -> None:
    """A line of text."""
    sys.stdout.write(printable(line) + "\n")


def print_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table. Values are shown as `shown` says; the first column is never broken over two lines."""
    texts = [[shown(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _draw(heads, texts)
    else:
        _write_columns(heads, texts)


def print_facts(facts: Mapping[str, object]) -> None:
    """Names and values, one to a line; absent values are left out, longer ones follow indented."""
    present = {name: value for name, value in facts.items() if value not in (None, "", [], {})}
    width = max(map(len, present), default=0)
    for name, value in present.items():
        lines = shown(value).split("\n")
        if len(lines) == 1:
            print_line(f"{name:<{width}}  {lines[0]}")
        else:
            print_line(name)
            for line in lines:
                print_line(f"{_FACT_INDENT}{line}")


def shown(value: object) -> str:
    """A value as people read it: times in UTC, words for booleans, JSON for what is nested."""
    match value:
        case None | "":
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case dt.datetime():
            return f"{value.astimezone(dt.timezone.utc):%Y-%m-%d %H:%M:%S}Z"
        case list() if value and all(isinstance(item, str) for item in value):
            return printable("\n".join(value))
        case dict() | list() | Model():
            return printable(json.dumps(_plain(value), indent=2, ensure_ascii=False))
        case _:
            return printable(str(value))


def duration(started_at: dt.datetime | None, ended_at: dt.datetime | None) -> str:
    """How long it took: `8.4 s`, `2 min 05 s`; "" when one end is unknown."""
    if started_at is None or ended_at is None:
        return ""
    seconds = (ended_at - started_at).total_seconds()
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60):02} s"


def printable(text: str) -> str:
    """The text without what would command a terminal; line breaks stay, tabs become spaces."""
    return "".join(
        character if character == "\n" or character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in text.expandtabs(4).replace("\r\n", "\n")
    )


def _plain(document: Any) -> Any:
    match document:
        case Model():
            return document.to_dict()
        case list():
            return [_plain(item) for item in document]
        case _:
            return document


def _draw(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, head in enumerate(heads):
        table.add_column(head, no_wrap=number == 0, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def _write_columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    lines = [list(heads), *([" ".join(cell.split()) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
