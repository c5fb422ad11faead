"""Readings as sentences: what a `screenshot` step's `extract_prompt` asks for."""

from collections.abc import Callable
from dataclasses import replace

from cyberdesk_server.executor.steps.language import (
    CheckVisible,
    Reading,
    ReadScreen,
    ReadTable,
    ReadText,
    Thing,
)
from cyberdesk_server.executor.steps.marks import marked
from cyberdesk_server.executor.steps.sentences import action_of
from cyberdesk_server.executor.steps.unreadable import NotReadable


def reading_of(sentence: str) -> Reading:
    """The reading a sentence asks for. Raises `NotReadable`."""
    action = action_of(marked(sentence.strip().rstrip(".")))
    if not isinstance(action, Reading):
        raise NotReadable("it does not ask for anything to be read")
    return action


def things_of(reading: Reading) -> tuple[Thing, ...]:
    """What must be on the screen for a reading."""
    match reading:
        case ReadText():
            return (reading.of,)
        case ReadTable():
            return (reading.under,)
        case ReadScreen() | CheckVisible():
            return ()


def with_things(reading: Reading, change: Callable[[Thing], Thing]) -> Reading:
    """A reading with everything it looks for changed."""
    match reading:
        case ReadText():
            return replace(reading, of=change(reading.of))
        case ReadTable():
            return replace(reading, under=change(reading.under))
        case CheckVisible():
            return replace(reading, things=tuple(change(thing) for thing in reading.things))
        case ReadScreen():
            return reading


def with_output(reading: Reading, path: str | None) -> Reading:
    """A reading that goes to another place of the output."""
    return replace(reading, to=replace(reading.to, output=path))
