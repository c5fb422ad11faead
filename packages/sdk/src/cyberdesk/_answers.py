"""How an answer becomes the result of a method, and what stands in its way.

A method promises one status. That status with a readable body is a result; everything else is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cyberdesk import models
from cyberdesk._flow import Answer, NoAnswer, Outcome
from cyberdesk.errors import MalformedAnswer, MalformedModel, stated_reason, unexpected

if TYPE_CHECKING:
    from cyberdesk.models import Model

T = TypeVar("T")
M = TypeVar("M", bound="Model")


@dataclass(frozen=True)
class Promise(Generic[T]):
    """The status that a method promises and how to read the body that comes with it.

    `also` are statuses that come with the same body; none of them is a failure.
    """

    status: int
    read: Callable[[bytes], T]
    also: tuple[int, ...] = ()

    def is_for(self, status: int) -> bool:
        """Whether an answer with this status has the promised body."""
        return status == self.status or status in self.also

    def kept(self, outcome: Outcome) -> T:
        """The result. Raises an `UnexpectedStatus`, `MalformedAnswer` or the reason for none."""
        match outcome:
            case NoAnswer(error):
                raise error
            case Answer(status, headers, content) if self.is_for(status):
                try:
                    return self.read(content)
                except ValueError as error:  # of JSON, UTF-8 or base64, or a MalformedModel
                    raise MalformedAnswer(status, content, str(error), headers) from error
            case Answer(status, headers, content):
                raise unexpected(status, content, headers)


def one(model: type[M], status: int = 200, *, also: tuple[int, ...] = ()) -> Promise[M]:
    """One model."""
    return Promise(status, lambda content: model.from_dict(json.loads(content)), also)


def many(model: type[M], status: int = 200) -> Promise[list[M]]:
    """A bare list of models."""
    return Promise(status, lambda content: [model.from_dict(item) for item in _list(json.loads(content))])


def free_form(status: int = 200) -> Promise[dict[str, Any]]:
    """An object whose keys the contract leaves open."""
    return Promise(status, lambda content: _object(json.loads(content)))


def objects(status: int = 200) -> Promise[list[dict[str, Any]]]:
    """A bare list of objects whose keys the contract leaves open."""
    return Promise(status, lambda content: [_object(item) for item in _list(json.loads(content))])


def anything(status: int = 200) -> Promise[Any]:
    """Any JSON: the contract does not say what."""
    return Promise(status, json.loads)


def done(status: int = 204) -> Promise[dict[str, bool]]:
    """`{"success": True}`: the API did it and says no more."""
    return Promise(status, lambda _: {"success": True})


def silent(status: int = 204) -> Promise[None]:
    """Nothing."""
    return Promise(status, lambda _: None)


def raw(status: int = 200) -> Promise[bytes]:
    """The bytes of the body."""
    return Promise(status, lambda content: content)


def validation_error(content: bytes) -> models.HTTPValidationError:
    """What the API refused. A body in another form than the contract's becomes one entry with its text."""
    try:
        details = models.HTTPValidationError.from_dict(json.loads(content))
    except ValueError:  # not JSON, or JSON of another shape
        details = models.HTTPValidationError()
    if not details.detail:
        text = stated_reason(content) or "the API refused the payload without a reason"
        details.detail = [models.ValidationError(loc=[], msg=text, type_="value_error")]
    return details


def _list(body: Any) -> list[Any]:
    if not isinstance(body, list):
        raise MalformedModel(f"expected a list, got {type(body).__name__}")
    return body


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise MalformedModel(f"expected an object, got {type(body).__name__}")
    return body
