"""What can be in `ApiResponse.error`.

    Exception
    ├── ValueError                 an argument that cannot be right: no request was sent
    │   └── MalformedModel         JSON that is not the shape of the model
    │       └── MissingField       a required key is absent (also a KeyError)
    ├── UnexpectedStatus           the API answered with a status the method does not promise
    ├── MalformedAnswer            the status is right, the body is not
    ├── RunStillGoing              `runs.wait` ran out of time (also a TimeoutError)
    ├── ClientClosed               the client was closed before the call (also a RuntimeError)
    └── httpx.RequestError         no answer: timeouts, refused connections, failed name lookups

A 422 is not here: its details are in `ApiResponse.data.detail`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

LONGEST_REASON = 300
"""Characters of an unreadable body that an error message shows."""


class MalformedModel(ValueError):
    """JSON that does not have the shape of the model; the message names model and field."""


class MissingField(MalformedModel, KeyError):
    """A required key is absent; the message names model and field."""

    __str__ = ValueError.__str__  # KeyError would print the message in quotes


class MalformedAnswer(Exception):
    """A body that does not fit its promised status, such as an HTML page of a proxy.

    `status_code` is the status, `content` the body in bytes.
    """

    def __init__(self, status_code: int, content: bytes, reason: str) -> None:
        super().__init__(f"HTTP {status_code} with an unreadable body: {reason}")
        self.status_code = status_code
        self.content = content

    def __reduce__(self) -> tuple[type[MalformedAnswer], tuple[int, bytes, str]]:
        return type(self), (self.status_code, self.content, str(self).partition("body: ")[2])


class UnexpectedStatus(Exception):
    """An HTTP status that the method does not promise.

    `status_code` is the status, also one that Python does not know; `content` the body in bytes;
    `headers` the response headers with lower-case names. The message carries what the server says
    in `detail`, shortened.
    """

    def __init__(
        self, status_code: int, content: bytes, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        super().__init__(status_code, content)
        self.status_code = status_code
        self.content = content
        self.headers = headers

    def __str__(self) -> str:
        reason = stated_reason(self.content)
        return f"HTTP {_status_line(self.status_code)}" + (f": {reason}" if reason else "")

    def __reduce__(self) -> tuple[type[UnexpectedStatus], tuple[int, bytes, dict[str, str]]]:
        return type(self), (self.status_code, self.content, dict(self.headers))


class RunStillGoing(TimeoutError):
    """A run that did not end within the time its caller was willing to wait; it goes on.

    `run_id` and `status` are those last seen, `timeout_seconds` is the caller's limit.
    """

    def __init__(self, run_id: str, status: str, timeout_seconds: float) -> None:
        super().__init__(f"run {run_id} is still {status} after {timeout_seconds:g} seconds")
        self.run_id = run_id
        self.status = status
        self.timeout_seconds = timeout_seconds

    def __reduce__(self) -> tuple[type[RunStillGoing], tuple[str, str, float]]:
        return type(self), (self.run_id, self.status, self.timeout_seconds)


class ClientClosed(RuntimeError):
    """A call on a client that was closed."""

    def __init__(self) -> None:
        super().__init__("this CyberdeskClient is closed; make a new one")


def stated_reason(content: bytes) -> str:
    """The reason that an error body gives, in one short line; "" when it gives none.

    Reads `{"detail": …}` as FastAPI writes it (text, object, or list of objects with `msg`), the members
    `message` and `error`, and plain text.
    """
    text = content.decode("utf-8", "replace").strip()
    try:
        body = json.loads(text)
    except ValueError:
        return "" if text.startswith("<") else _one_line(text)
    while isinstance(body, dict):
        body = next((body[key] for key in ("detail", "message", "msg", "error") if body.get(key)), None)
    if isinstance(body, list):
        body = "; ".join(stated_reason(json.dumps(item).encode()) for item in body)
    return _one_line(body) if isinstance(body, str) else ""


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REASON else line[:LONGEST_REASON] + "…"


def _status_line(status_code: int) -> str:
    try:
        return f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        return str(status_code)
