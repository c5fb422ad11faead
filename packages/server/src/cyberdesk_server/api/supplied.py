"""What endpoints are given of the request itself: for instance whose key it carries.

A dependency of the framework would do. It is resolved like a parameter of the caller's, though, for each
request, and that takes as long as many an endpoint.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Any

from starlette.requests import Request

Endpoint = Callable[..., Awaitable[Any]]

_REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Supplied:
    """Marks a parameter, in `Annotated`, that `take` finds in the request."""

    take: Callable[[Request], Any]


def supplied(endpoint: Endpoint) -> Endpoint:
    """The endpoint as the framework is to see it: without its marked parameters, which are filled in here."""
    own = signature(endpoint)
    marks = {
        name: mark
        for name, parameter in own.parameters.items()
        for mark in getattr(parameter.annotation, "__metadata__", ())
        if isinstance(mark, Supplied)
    }
    if not marks:
        return endpoint
    is_request_wanted = _REQUEST in own.parameters

    @wraps(endpoint)
    async def called(request: Request, **values: Any) -> Any:
        if is_request_wanted:
            values[_REQUEST] = request
        for name, mark in marks.items():
            values[name] = mark.take(request)
        return await endpoint(**values)

    asked = [
        parameter.replace(kind=Parameter.KEYWORD_ONLY)
        for name, parameter in own.parameters.items()
        if name not in marks and name != _REQUEST
    ]
    request = Parameter(_REQUEST, Parameter.KEYWORD_ONLY, annotation=Request)
    called.__signature__ = own.replace(parameters=[request, *asked])  # type: ignore[attr-defined]
    return called
