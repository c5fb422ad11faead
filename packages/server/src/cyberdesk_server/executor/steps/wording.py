"""Says in words what a value of the language stands for; sentences read these words back."""

from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.prompt_lines import picture
from cyberdesk_server.domain.prompts import Kind, Placeholder
from cyberdesk_server.executor.steps.language import (
    LAST,
    CheckVisible,
    Destination,
    Label,
    Picture,
    Reading,
    ReadScreen,
    ReadTable,
    ReadText,
    Spot,
    Target,
)

_ORDINALS = {LAST: "the last ", 1: "the first ", 2: "the second ", 3: "the third "}


def told(target: Target) -> str:
    """A target in plain words, as a sentence has it."""
    match target:
        case Spot(Point(x, y)):
            return f"{x}, {y}"
        case Label() | Picture():
            which = (
                "" if target.ordinal is None else _ORDINALS.get(target.ordinal, f"the {target.ordinal}th ")
            )
            name = quoted(target.text) if isinstance(target, Label) else picture(target.source)
            where = f" {target.relation.relation} {told(target.relation.to)}" if target.relation else ""
            return which + name + where


def quoted(text: str) -> str:
    """A text between quotes, as a sentence has it."""
    return '"' + text.replace('"', '\\"') + '"'


def sentence_of(reading: Reading) -> str:
    """The sentence that asks for a reading."""
    to = _written(reading.to)
    match reading:
        case ReadText(is_paragraph=True):
            return f"Read the lines below {told(reading.of)} as {to}"
        case ReadText():
            return f"Read the text {reading.side.value} {told(reading.of)} as {to}"
        case ReadTable():
            columns = ", ".join(quoted(column) for column in reading.columns)
            return f"Read the table under {told(reading.under)} as {to}" + (
                f" with columns {columns}" if columns else ""
            )
        case ReadScreen():
            return f"Read the whole screen as {to}"
        case CheckVisible():
            return f"Check whether {' or '.join(told(thing) for thing in reading.things)} is visible as {to}"


def _written(to: Destination) -> str:
    runtime = str(Placeholder(Kind.RUNTIME, to.runtime)) if to.runtime else None
    return " and as ".join(place for place in (to.output, runtime) if place)
