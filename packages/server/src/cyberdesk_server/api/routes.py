"""How a request becomes an answer: the key, then the body, then the endpoint; refusals on the way out."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, ClassVar

import structlog
from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api import errors, trail
from cyberdesk_server.api.auth import SECURITY_SCHEME, authenticate, authorize
from cyberdesk_server.api.bodies import StrictRequest, text_problem
from cyberdesk_server.api.named_ids import members_with_ids
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.rates import Allowance
from cyberdesk_server.api.schemas.files import places_of_files
from cyberdesk_server.api.scopes import scope_of
from cyberdesk_server.api.supplied import Endpoint, Supplied, supplied
from cyberdesk_server.domain.refusals import InvalidFields, Problem, Refused
from cyberdesk_server.ports import DesktopError, VaultUnavailable

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Supplied(parts_of)]
"""The parts of the server, for endpoints."""


class OpenRoute(APIRoute):
    """A route that needs no key."""

    def __init__(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(path, supplied(endpoint), **options)

    def get_route_handler(self) -> Handler:
        endpoint = super().get_route_handler()
        body = self.body_field.field_info.annotation if self.body_field else None
        self._files, self._members = places_of_files(body), members_with_ids(body)

        async def handle(request: Request) -> Response:
            try:
                return await endpoint(await self.prepared(request))
            except (
                Refused,
                DesktopError,
                VaultUnavailable,
                RequestValidationError,
                HTTPException,
            ) as error:
                return errors.answer(error)

        return handle

    async def prepared(self, request: Request) -> Request:
        """The request as endpoints get it."""
        _refuse_unusable_texts(request)
        max_body_bytes = parts_of(request).max_body_bytes
        return StrictRequest(
            request.scope,
            request.receive,
            max_body_bytes=max_body_bytes,
            files=self._files,
            members=self._members,
        )


class Route(OpenRoute):
    """A route that needs a key of the right scope, which is checked before anything else is read, and may ask
    only so often. Writes are noted for the audit log."""

    is_limited: ClassVar[bool] = True

    def __init__(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        (method,) = options["methods"]
        self._scope, self._operation = scope_of(method, path), f"{method} {path}"
        self._is_write = method != "GET"
        described = {
            **(options.pop("openapi_extra", None) or {}),
            "security": [{SECURITY_SCHEME: [self._scope]}],
        }
        super().__init__(path, endpoint, openapi_extra=described, **options)

    def get_route_handler(self) -> Handler:
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                response = await answer(request)
            except Exception:  # a bug of ours, which becomes a 500 at the edge
                if self._is_write:
                    trail.note(request, parts_of(request), self._operation, None)
                raise
            if self._is_write:
                trail.note(request, parts_of(request), self._operation, response)
            allowance: Allowance | None = getattr(request.state, "allowance", None)
            if allowance is not None:
                response.headers.update(allowance.headers())
            return response

        return handle

    async def prepared(self, request: Request) -> Request:
        parts = parts_of(request)
        caller = await authenticate(request, parts)
        request.state.caller = caller
        structlog.contextvars.bind_contextvars(organization_id=caller.organization_id)
        if self.is_limited and parts.rates is not None:
            request.state.allowance = allowance = parts.rates.take(caller.id, parts.clock.now())
            if allowance.wait:
                retry = f"try again in {allowance.wait_seconds} seconds"
                raise HTTPException(429, f"too many requests with this API key; {retry}")
        authorize(caller, self._scope)
        return await super().prepared(request)


class UnlimitedRoute(Route):
    """A route that needs a key, which may ask as often as it likes."""

    is_limited = False


def open_router(**options: Any) -> APIRouter:
    """A router whose routes need no key."""
    return APIRouter(route_class=OpenRoute, **options)


def router(*, is_limited: bool = True, **options: Any) -> APIRouter:
    """A router whose routes need a key, and count against its rate limit."""
    route_class = Route if is_limited else UnlimitedRoute
    return APIRouter(route_class=route_class, **options)


def _refuse_unusable_texts(request: Request) -> None:
    problems = [
        Problem(("query", name), reason, "string_characters")
        for name, value in request.query_params.multi_items()
        if (reason := text_problem(value)) is not None
    ]
    if problems:
        raise InvalidFields(tuple(problems))
