"""How a call ends for its caller: with data or with an error, never with an exception."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from cyberdesk import models
from cyberdesk._flow import Answer, Flow
from cyberdesk.errors import NO_HEADERS, REQUEST_ID, ValidationFailed

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class ApiResponse(Generic[T_co]):
    """What a method answers: `data`, or the `error` that kept it from having any.

    A 422 has no `error`: `data` is then a `HTTPValidationError` whose `detail` lists what the API refused.
    Those who would rather have an exception than look call `unwrap()`.

    `status`, `headers`, `request_id` and `content` are those of the last answer the API gave to this call.
    """

    data: T_co | None = None
    error: Exception | None = None
    _answer: Answer | None = field(default=None, kw_only=True, repr=False, compare=False)

    def unwrap(self) -> T_co:
        """The data. Raises the error, and `ValidationFailed` where `data` is what the API refused."""
        if self.error is not None:
            raise self.error
        if isinstance(self.data, models.HTTPValidationError):
            content = self.content or json.dumps(self.data.to_dict()).encode()
            raise ValidationFailed(422, content, self.headers)
        return cast("T_co", self.data)

    @property
    def status(self) -> int | None:
        """The HTTP status; None when there was no answer."""
        return self._answer.status if self._answer else None

    @property
    def headers(self) -> Mapping[str, str]:
        """The response headers with lower-case names; empty when there was no answer."""
        return self._answer.headers if self._answer else NO_HEADERS

    @property
    def request_id(self) -> str | None:
        """The name of the request in the API's logs; None when it gave none."""
        return self.headers.get(REQUEST_ID)

    @property
    def content(self) -> bytes:
        """The body as it came; empty when there was no answer, or when it went into a file."""
        return self._answer.content if self._answer else b""


def enveloped(flow: Flow[T]) -> Flow[ApiResponse[T]]:
    """The outcome of a flow as an `ApiResponse`. The one place where exceptions become values."""
    answers: list[Answer] = []
    try:
        data: Any = yield from _noting(flow, answers.append)
        error = None
    except ValidationFailed as refusal:
        data, error = refusal.details, None
    except Exception as failure:
        data, error = None, failure
    return ApiResponse(data, error, _answer=answers[-1] if answers else None)


def _noting(flow: Flow[T], note: Callable[[Answer], object]) -> Flow[T]:
    """The same flow, with every answer of the API noted on its way."""
    try:
        action = next(flow)
        while True:
            try:
                result = yield action
            except Exception as error:
                action = flow.throw(error)
                continue
            if isinstance(result, Answer):
                note(result)
            action = flow.send(result)
    except StopIteration as end:
        return cast("T", end.value)
    finally:
        flow.close()
