"""Each method is written once, as a flow; these two make the method and its blocking twin of it.

    @asynchronous
    def create(self, data: RunCreate) -> Flow[RunResponse]: ...

    create_sync = blocking(create)

Both have the signature and the docstring of the flow, for people, type checkers and `create_autospec` alike.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from cyberdesk._drivers import perform, perform_async
from cyberdesk._envelope import ApiResponse, enveloped
from cyberdesk._flow import Flow

if TYPE_CHECKING:
    from cyberdesk._resources._resource import Resource

S = TypeVar("S", bound="Resource")
P = ParamSpec("P")
T = TypeVar("T")


def asynchronous(
    flow: Callable[Concatenate[S, P], Flow[T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, ApiResponse[T]]]:
    """The async method that performs this flow."""
    _answer_in_an_envelope(flow)

    @wraps(flow)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> ApiResponse[T]:
        return await perform_async(enveloped(flow(self, *args, **kwargs)), self._http.send_async)

    return method


def blocking(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, ApiResponse[T]]],
) -> Callable[Concatenate[S, P], ApiResponse[T]]:
    """The twin of an async method: the same call, performed in the thread of the caller."""
    flow: Callable[Concatenate[S, P], Flow[T]] = inspect.unwrap(method)

    @wraps(flow)
    def twin(self: S, /, *args: P.args, **kwargs: P.kwargs) -> ApiResponse[T]:
        return perform(enveloped(flow(self, *args, **kwargs)), self._http.send)

    twin.__name__ = f"{flow.__name__}_sync"
    twin.__qualname__ = f"{flow.__qualname__}_sync"
    return twin


def _answer_in_an_envelope(flow: Callable[..., Any]) -> None:
    """State what callers get, `ApiResponse[T]` where it says `Flow[T]`: both methods show these annotations.

    A `Signature` of each method would say the same and take a third of the time that the import takes.
    """
    returns = flow.__annotations__["return"].removeprefix("Flow")
    flow.__annotations__["return"] = f"ApiResponse{returns}"
