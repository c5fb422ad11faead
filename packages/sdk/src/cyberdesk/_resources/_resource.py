"""What every group of methods stands on: send a request properly, read its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from cyberdesk import models
from cyberdesk._answers import Promise
from cyberdesk._flow import Flow, Method, Query, Request, sent
from cyberdesk._http import HttpClients
from cyberdesk._retry import RetryConfig, retrying

if TYPE_CHECKING:
    from cyberdesk.models import File, Model

T = TypeVar("T")


@dataclass(frozen=True)
class Idempotency:
    """How writes are marked, so that the API does them once however often they arrive."""

    header_name: str
    new_key: Callable[[], str]
    is_enabled: bool = True

    def mark(self, request: Request, key: str | None = None) -> Request:
        """The request with a key of its own, or with the given one; reads are left alone."""
        if not request.is_write or (key is None and not self.is_enabled):
            return request
        return replace(request, headers={**request.headers, self.header_name: key or self.new_key()})

    def is_repeatable(self, request: Request) -> bool:
        """Whether sending the request twice does no more than sending it once."""
        return not request.is_write or self.header_name in request.headers


class Resource:
    """A group of methods of the client, such as `client.runs`."""

    def __init__(
        self,
        http: HttpClients,
        retry: RetryConfig,
        idempotency: Idempotency,
        jitter: Callable[[float], float],
    ) -> None:
        self._http = http
        self._retry = retry
        self._idempotency = idempotency
        self._jitter = jitter

    def _ask(
        self,
        method: Method,
        path: str,
        promise: Promise[T],
        *,
        query: Query = (),
        body: Model | None = None,
        files: Mapping[str, File] | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[T]:
        """One logical call: marked once, sent as often as `RetryConfig` allows, its answer read."""
        unmarked = Request(method, path, query, _content(body), files or {})
        request = self._idempotency.mark(unmarked, idempotency_key)
        if self._idempotency.is_repeatable(request):
            outcome = yield from retrying(lambda: sent(request), self._retry, self._jitter, promise.is_for)
        else:
            outcome = yield from sent(request)
        return promise.kept(outcome)


def _content(body: object) -> dict[str, object] | None:
    """The JSON of a body. Callers without a type checker hear what was expected."""
    if body is None:
        return None
    if not isinstance(body, models.Model):
        raise TypeError(f"expected a model such as RunCreate, got {type(body).__name__}")
    return body.to_dict()
