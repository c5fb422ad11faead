"""What every group of methods stands on: send a request properly, read its answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from cyberdesk import models
from cyberdesk._answers import Promise
from cyberdesk._attempts import attempted
from cyberdesk._flow import Flow, Method, Query, Request
from cyberdesk._options import Options
from cyberdesk._retry import retrying

if TYPE_CHECKING:
    from cyberdesk._files import PartialFile
    from cyberdesk._http import HttpClients
    from cyberdesk.models import File, Model

T = TypeVar("T")


class Resource:
    """A group of methods of the client, such as `client.runs`."""

    def __init__(self, http: HttpClients, options: Options) -> None:
        self._http = http
        self._options = options

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
        into: PartialFile | None = None,
        lasts_seconds: float = 0.0,
    ) -> Flow[T]:
        """One logical call: marked once, sent as often as `RetryConfig` allows, its answer read."""
        how = self._options
        unmarked = Request(
            method,
            path,
            query,
            body=_content(body),
            files=files or {},
            headers=how.headers,
            timeout=how.timeout,
            into=into,
            lasts_seconds=lasts_seconds,
        )
        request = how.idempotency.mark(unmarked, idempotency_key)
        if how.idempotency.is_repeatable(request):
            attempt = partial(attempted, request, hooks=how.hooks)
            outcome = yield from retrying(attempt, how.retry, how.jitter, promise.is_for)
        else:
            outcome = yield from attempted(request, 0, how.hooks)
        return promise.kept(outcome)


def _content(body: object) -> dict[str, object] | None:
    """The JSON of a body. Callers without a type checker hear what was expected."""
    if body is None:
        return None
    if not isinstance(body, models.Model):
        raise TypeError(f"expected a model such as RunCreate, got {type(body).__name__}")
    return body.to_dict()
