"""Reads what a sentence is about: labels, pictures, places, and where one is seen from another."""

import re

from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.executor.reading.pages import Side
from cyberdesk_server.executor.steps.language import Label, Picture, Related, Relation, Spot, Target, Thing
from cyberdesk_server.executor.steps.marks import THING, Kind, Marked
from cyberdesk_server.executor.steps.numbers import ORDINAL, ordinal
from cyberdesk_server.executor.steps.unreadable import NotReadable

THE = r"(?:(?:the|a|an|this|that|its)\s+)?"
_NOUN = (
    r"(?:button|link|label|text|word|menu\s+item|menu|item|tab|icon|image|picture|field|text\s?box|box|check\s?box|"
    r"radio\s+button|option|entry|row|line|cell|column|heading|title|section|area|window|dialog|list|drop-?\s?down|"
    r"input|combo\s?box|tree\s+node|node|folder|file|toolbar\s+button|panel|group)"
)
_SPOT = re.compile(
    r"(?:the\s+)?(?:(?:point|position|place|spot|coordinates?|pixel)\s+)?\(?\s*(\d{1,5})\s*[,x/]\s*(\d{1,5})\s*\)?",
    re.IGNORECASE,
)
_THING = re.compile(
    rf"{THE}(?:(?P<ordinal>{ORDINAL})\s+)?(?:{_NOUN}\s+)?(?P<thing>{THING})(?:\s+{_NOUN})?(?:\s*,?\s*(?P<rest>.+))?",
    re.IGNORECASE,
)
_RELATIONS: tuple[tuple[str, Relation], ...] = (
    (r"(?:to\s+the\s+)?right\s+of|after", Side.RIGHT),
    (r"(?:to\s+the\s+)?left\s+of|before", Side.LEFT),
    (r"below|beneath|under(?:neath)?", Side.BELOW),
    (r"above|over|on\s+top\s+of", Side.ABOVE),
    (r"in\s+the\s+(?:same\s+)?(?:row|line)(?:\s+(?:of|as|with))?", "in the row of"),
    (r"inside(?:\s+of)?|within|in", Side.INSIDE),
    (r"near(?:est)?(?:\s+to)?|next\s+to|beside|close\s+to|closest\s+to|by|of|for", "near"),
)
_RELATED = tuple(
    (re.compile(rf"(?:(?:that|which)\s+is\s+)?(?:{words})\s+(?P<to>.+)", re.IGNORECASE), relation)
    for words, relation in _RELATIONS
)


def target_of(part: Marked) -> Target:
    """`the second "Edit" right of "Discount"`, a picture, or `300, 250`. Raises `NotReadable`."""
    spot = _SPOT.fullmatch(part.text)
    return Spot(Point(int(spot[1]), int(spot[2]))) if spot else thing_of(part)


def thing_of(part: Marked) -> Thing:
    """A label or a picture, perhaps seen from another. Raises `NotReadable`."""
    found = _THING.fullmatch(part.text)
    if found is None:
        raise NotReadable(_why_no_thing(part))
    mark = part.mark(found["thing"])
    which = ordinal(found["ordinal"]) if found["ordinal"] else None
    related = _related(part.part(found["rest"])) if found["rest"] else None
    if mark.kind is Kind.PICTURE:
        return Picture(mark.text, which, related)
    if not mark.text.strip():
        raise NotReadable("a label between quotes is empty")
    return Label(mark.text, which, related)


def _related(part: Marked) -> Related:
    for pattern, relation in _RELATED:
        if found := pattern.fullmatch(part.text):
            return Related(relation, thing_of(part.part(found["to"])))
    raise NotReadable(
        f"{part.written!r} does not say where: right of, left of, below, above, inside, near, in the row of"
    )


def _why_no_thing(part: Marked) -> str:
    if not part.text:
        return "it does not say what"
    if re.search('["\u201c\u201d]', part.text):
        return "a quotation mark is not closed"
    if re.search(THING, part.text):
        return f"{part.written!r} is no label, picture or place"
    return f'labels stand in quotes: "{part.written}"'


def things_of(part: Marked) -> tuple[Thing, ...]:
    """One or several things: `"OK" or "Done"`. Raises `NotReadable`."""
    pieces = re.split(
        r"\s*,\s*(?:or\s+|and\s+)?|\s+(?:or|and)\s+", re.sub(r"^(?:either|both|neither)\s+", "", part.text)
    )
    return tuple(thing_of(part.part(piece)) for piece in pieces if piece)
