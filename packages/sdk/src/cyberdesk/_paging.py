"""Iterators over everything that a paged list has, written once for each list and once for each way to wait.

    iterate = iterating(list)
    iterate_sync = iterating_blocking(list)

The pages are asked for one by one, when their items are wanted.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from cyberdesk._drivers import perform, perform_async
from cyberdesk._envelope import ApiResponse
from cyberdesk._flow import Flow

if TYPE_CHECKING:
    from cyberdesk._resources._resource import Resource
    from cyberdesk.models import Page

S = TypeVar("S", bound="Resource")
P = ParamSpec("P")
T = TypeVar("T")


def iterating(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, ApiResponse[Page[T]]]],
) -> Callable[Concatenate[S, P], AsyncIterator[T]]:
    """The async iterator over all items that an async list method has pages of."""
    flow: Callable[Concatenate[S, P], Flow[Page[T]]] = inspect.unwrap(method)

    @wraps(flow)
    def iterate(self: S, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return _each_async(Walk(flow, self, *args, **kwargs), self)

    _describe(iterate, flow, "AsyncIterator")
    return iterate


def iterating_blocking(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, ApiResponse[Page[T]]]],
) -> Callable[Concatenate[S, P], Iterator[T]]:
    """The twin of `iterating`: each page is waited for in the thread of the caller."""
    flow: Callable[Concatenate[S, P], Flow[Page[T]]] = inspect.unwrap(method)

    @wraps(flow)
    def iterate(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return _each(Walk(flow, self, *args, **kwargs), self)

    _describe(iterate, flow, "Iterator")
    return iterate


class Walk(Generic[T]):
    """How far an iteration has come. Raises TypeError for arguments that the list does not take."""

    def __init__(self, flow: Callable[..., Flow[Page[T]]], *args: Any, **kwargs: Any) -> None:
        self.is_over = False
        self._flow = flow
        self._call = inspect.signature(flow).bind(*args, **kwargs)
        self._skip: int = self._call.arguments.get("skip") or 0
        self._seen: set[Any] = set()

    def next_page(self) -> Flow[Page[T]]:
        """The page after those that were taken."""
        self._call.arguments["skip"] = self._skip
        return self._flow(*self._call.args, **self._call.kwargs)

    def take(self, page: Page[T]) -> list[T]:
        """The items of the page that the page before did not have.

        When something new comes first in a list, everything moves on, and the last items of a page are the
        first of the next.
        """
        items = page.items or []
        self._skip += len(items)
        self.is_over = not items or (page.total is not None and self._skip >= page.total)
        before, self._seen = self._seen, {_id(item) for item in items} - {None}
        return [item for item in items if _id(item) not in before]


def _each(walk: Walk[T], resource: Resource) -> Iterator[T]:
    while not walk.is_over:
        yield from walk.take(perform(walk.next_page(), resource._http.send))


async def _each_async(walk: Walk[T], resource: Resource) -> AsyncIterator[T]:
    while not walk.is_over:
        for item in walk.take(await perform_async(walk.next_page(), resource._http.send_async)):
            yield item


def _id(item: object) -> Any:
    return getattr(item, "id", None)


def _describe(iterate: Callable[..., Any], flow: Callable[..., Any], returns: str) -> None:
    suffix = "_sync" if returns == "Iterator" else ""
    name = "iterate" if flow.__name__ == "list" else f"iterate_{flow.__name__}"
    group = flow.__qualname__.rpartition(".")[0]
    iterate.__name__ = f"{name}{suffix}"
    iterate.__qualname__ = f"{group}.{name}{suffix}"
    iterate.__annotations__ = {**flow.__annotations__, "return": returns}
    signature = inspect.signature(flow).replace(return_annotation=returns)
    iterate.__signature__ = signature  # type: ignore[attr-defined]  # a documented attribute, unknown to typeshed
    iterate.__doc__ = f"""Every item that `{flow.__name__}{suffix}` has, page after page.

        `limit` is the size of a page, `skip` the number of items to leave out at the beginning; the other
        arguments are those of `{flow.__name__}{suffix}`. Raises what a response would have as its `error`,
        and `ValidationFailed` for a 422.
        """
