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

    @wraps(flow)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> ApiResponse[T]:
        return await perform_async(enveloped(flow(self, *args, **kwargs)), self._http.send_async)

    _answer_in_an_envelope(method, flow)
    return method


def blocking(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, ApiResponse[T]]],
) -> Callable[Concatenate[S, P], ApiResponse[T]]:
    """The twin of an async method: the same call, performed in the thread of the caller."""
    flow: Callable[Concatenate[S, P], Flow[T]] = inspect.unwrap(method)

    @wraps(flow)
    def twin(self: S, /, *args: P.args, **kwargs: P.kwargs) -> ApiResponse[T]:
        return perform(enveloped(flow(self, *args, **kwargs)), self._http.send)

    _answer_in_an_envelope(twin, flow)
    twin.__name__ = f"{flow.__name__}_sync"
    twin.__qualname__ = f"{flow.__qualname__}_sync"
    return twin


def _answer_in_an_envelope(method: Callable[..., Any], flow: Callable[..., Any]) -> None:
    """State the return type that callers see: `ApiResponse[T]` where the flow says `Flow[T]`."""
    returns = f"ApiResponse{flow.__annotations__['return'].removeprefix('Flow')}"
    method.__annotations__ = {**flow.__annotations__, "return": returns}
    signature = inspect.signature(flow).replace(return_annotation=returns)
    method.__signature__ = signature  # type: ignore[attr-defined]  # a documented attribute, unknown to typeshed
