"""Who decides what comes next in a course of turns, and what is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Detection, Step, Turn
from cyberdesk_server.domain.tasks import Task

if TYPE_CHECKING:
    from cyberdesk_server.executor.tools.base import Tool


@dataclass(frozen=True, slots=True)
class Decided:
    """The next turn of a course; without calls the course is over."""

    turn: Turn
    screenshot: Screenshot | None = None
    """The screen it was decided on; None when nobody needed to look."""

    detection: Detection | None = None
    """What was said of a recording of it."""

    is_cached: bool = False
    """True when no model was asked."""

    volatile: tuple[Box, ...] = ()
    """What moves by itself on that screen."""


OVER = Decided(Turn())


class NoDecision(Exception):
    """The model gave up on this screen."""

    def __init__(self, reason: str, screenshot: Screenshot) -> None:
        super().__init__(reason)
        self.screenshot = screenshot


class Decider(Protocol):
    """Decides the turns of one course."""

    @property
    def task(self) -> Task: ...

    @property
    def withheld(self) -> frozenset[str]:
        """Names of tools there are not in this course."""
        ...

    @property
    def own_tools(self) -> "Mapping[str, Tool]":
        """Tools there are in this course only."""
        ...

    async def decide(self, own: Sequence[Step]) -> Decided:
        """What comes after these steps of the course. Raises `NoDecision`, and what ends a course early."""
        ...
