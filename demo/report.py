"""How does one run look on paper? A single HTML file without scripts that opens from a disk."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from story import Mark, Step, Story

_STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
_POINT_RADIUS_PX = 14
_BOX_MARGIN_PX = 4
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def page(story: Story, images: Mapping[str, bytes]) -> str:
    """The whole page: status, inputs, output and every step with its screen and where it aimed.

    `images` holds the PNG of each address in `story.screens`; a step whose picture is missing shows none.
    """
    pictures = {
        address: _Picture(f"screen-{n}", images[address]) for n, address in _numbered(story.screens, images)
    }
    title = f"{story.workflow or 'Run'}: {story.status}"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            f'<head><meta charset="utf-8"><title>{escape(title)}</title>',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<style>{_STYLE}</style></head>",
            "<body>",
            _store(pictures.values()),
            _summary(story),
            _results(story),
            _steps(story, pictures),
            "</body></html>",
        ]
    )


def write(story: Story, images: Mapping[str, bytes], path: Path) -> Path:
    """Write the page to `path`, making its folder; the answer is its absolute path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(story, images), encoding="utf-8")
    return path.resolve()


class _Picture:
    """A PNG that stands once in the page and is shown wherever a step refers to it."""

    def __init__(self, name: str, png: bytes) -> None:
        self.name = name
        self.width, self.height = png_size(png)
        self.data = base64.b64encode(png).decode("ascii")


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels; refuses with `ValueError` what is not a PNG."""
    if len(png) < 24 or not png.startswith(_PNG_SIGNATURE):
        raise ValueError("a screenshot is not a PNG")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def _numbered(addresses: Sequence[str], images: Mapping[str, bytes]) -> list[tuple[int, str]]:
    return [(number, address) for number, address in enumerate(addresses, start=1) if address in images]


def _store(pictures: Any) -> str:
    images = "".join(
        f'<image id="{p.name}" width="{p.width}" height="{p.height}" href="data:image/png;base64,{p.data}"/>'
        for p in pictures
    )
    return f'<svg class="store" aria-hidden="true"><defs>{images}</defs></svg>'


def _summary(story: Story) -> str:
    facts = [
        ("Started", _moment(story.started_at)),
        ("Took", _seconds(story.seconds)),
        ("Steps", str(len(story.steps))),
        ("Run", story.run_id),
        *((name, _plain(value)) for name, value in story.inputs.items()),
    ]
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts if value
    )
    errors = "".join(f"<li>{escape(error)}</li>" for error in story.errors)
    return (
        f'<header><h1>{escape(story.workflow or "Run")}</h1><p class="status {_class(story.status)}">'
        f"{escape(story.status.replace('_', ' '))}</p>"
        + (f'<ul class="errors">{errors}</ul>' if errors else "")
        + f"<dl>{items}</dl></header>"
    )


def _results(story: Story) -> str:
    if story.output in (None, {}, []):
        return ""
    return f'<section class="results"><h2>Result</h2>{_value(story.output)}</section>'


def _value(value: Any) -> str:
    """A value of the output: an object as two columns, a list of objects as a table."""
    match value:
        case dict():
            rows = "".join(
                f"<tr><th>{escape(str(k))}</th><td>{_value(v)}</td></tr>" for k, v in value.items()
            )
            return f'<table class="object">{rows}</table>'
        case [dict(), *_] if all(isinstance(row, dict) for row in value):
            names = list(dict.fromkeys(name for row in value for name in row))
            head = "".join(f"<th>{escape(str(name))}</th>" for name in names)
            body = "".join(
                "<tr>" + "".join(f"<td>{_value(row.get(name))}</td>" for name in names) + "</tr>"
                for row in value
            )
            return f'<table class="rows"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        case list():
            return "<ul>" + "".join(f"<li>{_value(item)}</li>" for item in value) + "</ul>"
        case _:
            return escape(_plain(value))


def _steps(story: Story, pictures: Mapping[str, _Picture]) -> str:
    cards = "".join(_card(number, step, pictures) for number, step in enumerate(story.steps, start=1))
    return f'<main><h2>Step by step</h2><ol class="steps">{cards}</ol></main>'


def _card(number: int, step: Step, pictures: Mapping[str, _Picture]) -> str:
    picture = pictures.get(step.screen) if step.screen else None
    facts = (
        _seconds(step.seconds),
        "replayed" if step.is_cached else "",
        "failed" if step.has_failed else "",
    )
    notes = "".join(f"<span>{escape(fact)}</span>" for fact in facts if fact)
    answers = "".join(f"<blockquote>{_answer(answer)}</blockquote>" for answer in step.answers)
    call = f"<code>{escape(step.call)}</code>" if step.words and step.tool else ""
    return (
        f'<li id="step-{number}" class="{"failed" if step.has_failed else "done"}"><div class="told">'
        f'<p class="notes"><b>{number}</b>{notes}</p>'
        f"<h3>{escape(step.title)}</h3>{call}{answers}</div>"
        + (_screen(number, step, picture) if picture else "")
        + "</li>"
    )


def _answer(answer: str) -> str:
    """An answer that is JSON is laid out as a value, anything else keeps its lines."""
    try:
        value = json.loads(answer)
    except ValueError:
        return escape(answer)
    return _value(value)


def _screen(number: int, step: Step, picture: _Picture) -> str:
    marks = "".join(_mark(mark) for mark in step.marks)
    label = f"Screen of step {number}"
    return (
        '<label class="screen"><input type="checkbox" aria-label="Enlarge the screen">'
        f'<svg viewBox="0 0 {picture.width} {picture.height}" role="img" aria-label="{label}">'
        f'<use href="#{picture.name}"/>{marks}</svg></label>'
    )


def _mark(mark: Mark) -> str:
    if mark.width or mark.height:
        x, y = mark.left - _BOX_MARGIN_PX, mark.top - _BOX_MARGIN_PX
        width, height = mark.width + 2 * _BOX_MARGIN_PX, mark.height + 2 * _BOX_MARGIN_PX
        return f'<rect class="mark" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>'
    return (
        f'<circle class="mark" cx="{mark.left}" cy="{mark.top}" r="{_POINT_RADIUS_PX}"/>'
        f'<circle class="dot" cx="{mark.left}" cy="{mark.top}" r="3"/>'
    )


def _moment(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if value else ""


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def _plain(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _class(status: str) -> str:
    return "good" if status == "success" else "bad"
