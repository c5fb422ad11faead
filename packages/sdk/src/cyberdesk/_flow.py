"""What a method wants done, as values.

A *flow* is a generator: it yields an action, receives what came of it, and returns the result of the method.
It neither waits nor blocks nor reads a clock; the two drivers (`_drivers.py`) do that for it, so each method
is written once. Every call makes a dozen of these values: named tuples are made in no time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    import httpx

    from cyberdesk._files import PartialFile
    from cyberdesk.models import File

T = TypeVar("T")

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query: TypeAlias = tuple[tuple[str, str], ...]


class Request(NamedTuple):
    """One HTTP request: a path below the base URL, and a JSON body or a file to send as a form.

    A `timeout` of None is that of the HTTP client, stretched for work that may last `lasts_seconds` before
    there is an answer. The body of a 200 goes `into` a file, piece by piece, when there is one; the `Answer`
    is then empty.
    """

    method: Method
    path: str
    query: Query = ()
    body: Any = None
    files: Mapping[str, File] = MappingProxyType({})
    headers: Mapping[str, str] = MappingProxyType({})
    timeout: httpx.Timeout | None = None
    into: PartialFile | None = None
    lasts_seconds: float = 0.0

    @property
    def is_write(self) -> bool:
        """Whether the request may change something."""
        return self.method != "GET"


class Answer(NamedTuple):
    """What the API answered; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class NoAnswer(NamedTuple):
    """Why there is no answer, and whether asking again could bring one."""

    error: Exception
    reason: Literal["timeout", "network_error"]
    is_permanent: bool = False


Outcome: TypeAlias = "Answer | NoAnswer"


class Send(NamedTuple):
    """Send this request; answered with an `Outcome`."""

    request: Request


class Pause(NamedTuple):
    """Do nothing for so long; answered with None."""

    seconds: float


class ReadClock(NamedTuple):
    """Answered with a `Reading`."""


class Reading(NamedTuple):
    """The time twice: seconds of a clock that never jumps, and the wall clock in UTC."""

    seconds: float
    utc: dt.datetime


class Block(NamedTuple):
    """Call this function, which reads or writes files; answered with what it returns."""

    call: Callable[[], Any]


class Tell(NamedTuple):
    """Call this function of the caller's with this; answered with None. Async calls await what it returns."""

    listener: Callable[[Any], object]
    about: Any


Action: TypeAlias = "Send | Pause | ReadClock | Block | Tell"
Flow: TypeAlias = Generator[Action, Any, T]


def sent(request: Request) -> Flow[Outcome]:
    """The outcome of sending a request once."""
    outcome: Outcome = yield Send(request)
    return outcome


def paused(seconds: float) -> Flow[None]:
    """Nothing, after so many seconds."""
    yield Pause(seconds)


def clock() -> Flow[Reading]:
    """The time now."""
    reading: Reading = yield ReadClock()
    return reading


def blocked(call: Callable[[], T]) -> Flow[T]:
    """What the function returns; it may take its time without stopping an event loop."""
    result: T = yield Block(call)
    return result


def told(listener: Callable[[T], object], about: T) -> Flow[None]:
    """Nothing, once the listener has heard of it. What it raises is raised here."""
    yield Tell(listener, about)
