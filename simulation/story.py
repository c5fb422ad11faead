"""What happened in one seed, for people: the last events, and what was wrong in the end."""

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from simulation.loop import HOST, SimulatedLoop

LAST_EVENTS = 60


class Violation(Exception):
    """An invariant does not hold."""


class Story:
    """Events in order, each with its time and place."""

    def __init__(self, loop: SimulatedLoop, *, tell: Callable[[str], None] | None = None) -> None:
        """`tell` gets every line at once, besides."""
        self.counts: Counter[str] = Counter()
        self._loop = loop
        self._tell = tell
        self._last: deque[str] = deque(maxlen=LAST_EVENTS)
        self._names: dict[str, str] = {}

    def add(self, event: str, **facts: Any) -> None:
        """Note that this happened here and now."""
        self.counts[event] += 1
        host = HOST.get(self._loop.outside)
        told = " ".join(f"{name}={self.name(value)}" for name, value in facts.items())
        line = f"{self._loop.time():8.3f}  {host.name:10} {event}{'  ' if told else ''}{told}"
        self._loop.trace = hash((self._loop.trace, *line.encode()))
        self._last.append(line)
        if self._tell is not None:
            self._tell(line)

    def name(self, value: Any) -> str:
        """Ids by short names, in the order in which they appear."""
        text = str(value)
        if len(text) != 36 or text.count("-") != 4:
            return text
        return self._names.setdefault(text, f"#{len(self._names) + 1}")

    def names(self, text: str) -> str:
        """The text with every id in it by its short name."""
        for id_, name in self._names.items():
            text = text.replace(id_, name)
        return text

    def __str__(self) -> str:
        return "\n".join(self._last)

    @contextmanager
    def hears_the_log(self) -> Iterator[None]:
        """The server's own log lines become events of the story."""

        def hear(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
            facts = {name: event[name] for name in _TOLD if name in event}
            error = event.get("exc_info")
            if isinstance(error, BaseException):
                facts["error"] = repr(error)
            elif error:
                facts["error"] = repr(sys.exception())
            self.add(event["event"], **facts)
            raise structlog.DropEvent

        before = structlog.get_config()
        structlog.configure(processors=[structlog.contextvars.merge_contextvars, hear])
        try:
            yield
        finally:
            structlog.configure(**before)


_TOLD = ("run_id", "machine_id", "attempt", "status", "reason", "chore")
