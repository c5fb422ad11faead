"""What can be wrong with frames. Values, never raised: the caller decides whether to answer, log or close.

    ProtocolError
     ├── MalformedMeta      the opening text is no JSON object
     ├── MissingField       a field that must be there is not
     ├── BadField           a field has the wrong type or form
     ├── BadHeader          a header has the wrong type, form or is not for forwarding
     ├── MessageTooLarge    meta or body passes its limit
     ├── UnexpectedBody     bytes that belong to no message
     ├── UnexpectedEnd      an end that belongs to no message
     ├── Superseded         a message was begun and given up for another one
     ├── UnknownRequest     an answer nobody waits for
     ├── DuplicateRequest   an id that is still waiting for its answer
     └── TooManyRequests    more requests at a time than the limit allows

Texts are built from the facts and quote nothing of a body.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProtocolError:
    """One mistake. On the server side, an error that carries an id ends the wait for that answer."""

    request_id: str | None
    """The message it is about, where that could be read."""


@dataclass(frozen=True, slots=True)
class MalformedMeta(ProtocolError):
    reason: str

    def __str__(self) -> str:
        return f"the meta text {self.reason}"


@dataclass(frozen=True, slots=True)
class MissingField(ProtocolError):
    field: str

    def __str__(self) -> str:
        return f"the meta has no {self.field}"


@dataclass(frozen=True, slots=True)
class BadField(ProtocolError):
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field} {self.reason}"


@dataclass(frozen=True, slots=True)
class BadHeader(ProtocolError):
    name: str
    reason: str

    def __str__(self) -> str:
        return f"header {self.name!r} {self.reason}"


@dataclass(frozen=True, slots=True)
class MessageTooLarge(ProtocolError):
    part: str
    """`meta` or `body`."""
    limit_bytes: int

    def __str__(self) -> str:
        return f"the {self.part} is longer than {self.limit_bytes} bytes"


@dataclass(frozen=True, slots=True)
class UnexpectedBody(ProtocolError):
    def __str__(self) -> str:
        return "a binary frame came before any meta"


@dataclass(frozen=True, slots=True)
class UnexpectedEnd(ProtocolError):
    def __str__(self) -> str:
        return "an end came before any meta"


@dataclass(frozen=True, slots=True)
class Superseded(ProtocolError):
    def __str__(self) -> str:
        return "another message began before this one ended"


@dataclass(frozen=True, slots=True)
class UnknownRequest(ProtocolError):
    def __str__(self) -> str:
        return "no request with this id waits for an answer"


@dataclass(frozen=True, slots=True)
class DuplicateRequest(ProtocolError):
    def __str__(self) -> str:
        return "a request with this id still waits for its answer"


@dataclass(frozen=True, slots=True)
class TooManyRequests(ProtocolError):
    limit: int

    def __str__(self) -> str:
        return f"{self.limit} requests wait already"
