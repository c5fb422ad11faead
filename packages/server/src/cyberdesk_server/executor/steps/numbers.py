"""Numbers as people write them: `3`, `three`, `third`, `3rd`, `twice`, `half a minute`."""

import re

from cyberdesk_server.executor.steps.language import LAST
from cyberdesk_server.executor.steps.unreadable import NotReadable

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_UNITS = {"ms": 0.001, "millisecond": 0.001, "s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0}
_MOST_SECONDS = 3600
"""What the tool `wait` takes."""

COUNT = rf"(?:\d{{1,9}}|an?|{'|'.join(_WORDS)})"
ORDINAL = rf"(?:{'|'.join(_ORDINALS)}|last|\d{{1,9}}(?:st|nd|rd|th))"
TIMES = rf"(?:once|twice|{COUNT}\s+(?:times?|notch(?:es)?|clicks?|lines?|steps?))"
DURATION = rf"(?:\d+(?:\.\d+)?|an?|{'|'.join(_WORDS)}|half\s+a)\s*(?:{'|'.join(_UNITS)})s?"


def count(written: str) -> int:
    """How many: `3`, `three`, `a`."""
    word = written.lower()
    if word.isdigit():
        return int(word)
    return 1 if word in ("a", "an") else _WORDS.index(word) + 1


def ordinal(written: str) -> int:
    """Which one: `second`, `2nd`, or `LAST`."""
    word = written.lower()
    if word == "last":
        return LAST
    number = int(word[:-2]) if word[0].isdigit() else _ORDINALS.index(word) + 1
    if number < 1:
        raise NotReadable(f"there is no {written}; the first is the 1st")
    return number


def times(written: str) -> int:
    """How often: `twice`, `3 times`."""
    word = written.lower().split()[0]
    return {"once": 1, "twice": 2}.get(word) or count(word)


def seconds(written: str) -> float:
    """How long, in seconds: `5 seconds`, `half a minute`. Raises `NotReadable` beyond an hour."""
    found = re.fullmatch(r"(.+?)\s*([a-z]+)", written.strip().lower())
    assert found is not None
    amount, unit = found.groups()
    unit = unit if unit in _UNITS else unit.removesuffix("s")
    number = (
        0.5 if amount.startswith("half") else float(amount) if amount[0].isdigit() else float(count(amount))
    )
    if number * _UNITS[unit] > _MOST_SECONDS:
        raise NotReadable(f"one step waits for {_MOST_SECONDS} seconds at most")
    return number * _UNITS[unit]
