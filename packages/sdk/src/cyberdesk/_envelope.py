"""How a call ends for its caller: with data or with an error, never with an exception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from cyberdesk._flow import Flow
    from cyberdesk.models import HTTPValidationError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class ApiResponse(Generic[T_co]):
    """What a method answers: `data`, or the `error` that kept it from having any.

    A 422 has no `error`: `data` is then a `HTTPValidationError` whose `detail` lists what the API refused.
    """

    data: T_co | None = None
    error: Exception | None = None


class Refused(Exception):
    """The API refused the payload (422); carries the details to the envelope."""

    def __init__(self, details: HTTPValidationError) -> None:
        super().__init__(details)
        self.details = details


def enveloped(flow: Flow[T]) -> Flow[ApiResponse[T]]:
    """The outcome of a flow as an `ApiResponse`. The one place where exceptions become values."""
    try:
        return ApiResponse(data=(yield from flow))
    except Refused as refusal:
        details: Any = refusal.details
        return ApiResponse(data=details)
    except Exception as error:
        return ApiResponse(error=error)
