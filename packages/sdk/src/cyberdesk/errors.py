"""What can be in `ApiResponse.error`, and what `unwrap` and the iterators raise.

    Exception
    ├── ValueError                 an argument that cannot be right: no request was sent
    │   ├── MalformedModel         JSON that is not the shape of the model
    │   │   └── MissingField       a required key is absent (also a KeyError)
    │   └── KeyAlreadyUsed         an idempotency key is for one call
    ├── UnexpectedStatus           the API answered with a status the method does not promise
    │   ├── BadRequest             400
    │   ├── Unauthorized           401
    │   ├── Forbidden              403
    │   ├── NotFound               404
    │   ├── Conflict               409
    │   ├── ValidationFailed       422; only raised, see below
    │   ├── TooManyRequests        429
    │   └── ServerError            500 and above
    ├── MalformedAnswer            the status is right, the body is not
    ├── RunStillGoing              `runs.wait` ran out of time (also a TimeoutError)
    ├── ClientClosed               the client was closed before the call (also a RuntimeError)
    └── httpx.RequestError         no answer: timeouts, refused connections, failed name lookups

A 422 is no `ApiResponse.error`: its details are in `ApiResponse.data.detail`. Whoever raises, raises it as
`ValidationFailed`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyberdesk.models import HTTPValidationError

LONGEST_REASON = 300
"""Characters of an unreadable body that an error message shows."""

REQUEST_ID = "x-request-id"
"""The header by which the API names a request in its own logs."""

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class MalformedModel(ValueError):
    """JSON that does not have the shape of the model; the message names model and field."""


class MissingField(MalformedModel, KeyError):
    """A required key is absent; the message names model and field."""

    __str__ = ValueError.__str__  # KeyError would print the message in quotes


class MalformedAnswer(Exception):
    """A body that does not fit its promised status, such as an HTML page of a proxy.

    `status_code` is the status, `content` the body in bytes, `headers` the response headers with lower-case
    names, `request_id` the name of the request in the API's logs.
    """

    def __init__(
        self, status_code: int, content: bytes, reason: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        super().__init__(f"HTTP {status_code} with an unreadable body: {reason}")
        self.status_code = status_code
        self.content = content
        self.reason = reason
        self.headers = headers

    @property
    def request_id(self) -> str | None:
        """The name of the request in the API's logs; None when it gave none."""
        return self.headers.get(REQUEST_ID)

    def __reduce__(self) -> tuple[type[MalformedAnswer], tuple[int, bytes, str, dict[str, str]]]:
        return type(self), (self.status_code, self.content, self.reason, dict(self.headers))


class UnexpectedStatus(Exception):
    """An HTTP status that the method does not promise.

    `status_code` is the status, also one that Python does not know; `content` the body in bytes;
    `headers` the response headers with lower-case names; `request_id` the name of the request in the API's
    logs. The message carries what the server says in `detail`, shortened.
    """

    def __init__(self, status_code: int, content: bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:
        super().__init__(status_code, content)
        self.status_code = status_code
        self.content = content
        self.headers = headers

    @property
    def request_id(self) -> str | None:
        """The name of the request in the API's logs; None when it gave none."""
        return self.headers.get(REQUEST_ID)

    def __str__(self) -> str:
        reason = self._reason()
        return f"HTTP {_status_line(self.status_code)}" + (f": {reason}" if reason else "")

    def _reason(self) -> str:
        return stated_reason(self.content)

    def __reduce__(self) -> tuple[type[UnexpectedStatus], tuple[int, bytes, dict[str, str]]]:
        return type(self), (self.status_code, self.content, dict(self.headers))


class BadRequest(UnexpectedStatus):
    """400: the API cannot make sense of the request."""


class Unauthorized(UnexpectedStatus):
    """401: the API does not know the key."""


class Forbidden(UnexpectedStatus):
    """403: the key may not do this."""


class NotFound(UnexpectedStatus):
    """404: there is nothing with this id, or nothing that the key may see."""


class Conflict(UnexpectedStatus):
    """409: the thing is not in a state that allows this."""


class ValidationFailed(UnexpectedStatus):
    """422: the API refused the payload; `details.detail` lists what is wrong with which field."""

    @property
    def details(self) -> HTTPValidationError:
        """What was refused: `loc`, `msg` and `type_` of each finding."""
        from cyberdesk._answers import validation_error  # it needs the models, which need this module

        return validation_error(self.content)

    def _reason(self) -> str:
        findings = [(".".join(map(str, one.loc)), one.msg) for one in self.details.detail or ()]
        return _one_line("; ".join(f"{place}: {text}" if place else text for place, text in findings))


class TooManyRequests(UnexpectedStatus):
    """429: more than the API takes from this key at the moment."""


class ServerError(UnexpectedStatus):
    """500 and above: the API failed, or something before it."""


_BY_STATUS: Mapping[int, type[UnexpectedStatus]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: ValidationFailed,
    429: TooManyRequests,
}


def unexpected(status_code: int, content: bytes, headers: Mapping[str, str] = NO_HEADERS) -> UnexpectedStatus:
    """The error of the class that stands for this status."""
    kind = _BY_STATUS.get(status_code, ServerError if status_code >= 500 else UnexpectedStatus)
    return kind(status_code, content, headers)


class KeyAlreadyUsed(ValueError):
    """A second write with an idempotency key that was given for one call."""

    def __init__(self) -> None:
        super().__init__("idempotency_key: was used for another call; call with_options for each")


class RunStillGoing(TimeoutError):
    """A run that did not end within the time its caller was willing to wait; it goes on.

    `run_id`, `status` and `waiting_reason` (why it has not started; None when it has) are those last seen,
    `timeout_seconds` is the caller's limit.
    """

    def __init__(
        self, run_id: str, status: str, timeout_seconds: float, waiting_reason: str | None = None
    ) -> None:
        reason = f": {waiting_reason}" if waiting_reason else ""
        super().__init__(f"run {run_id} is still {status} after {timeout_seconds:g} seconds{reason}")
        self.run_id = run_id
        self.status = status
        self.timeout_seconds = timeout_seconds
        self.waiting_reason = waiting_reason

    def __reduce__(self) -> tuple[type[RunStillGoing], tuple[str, str, float, str | None]]:
        return type(self), (self.run_id, self.status, self.timeout_seconds, self.waiting_reason)


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
