"""The HTTP API, built from its parts."""

import re
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from cyberdesk_server.api import (
    audit_log,
    blobs,
    computer,
    connections,
    drivers,
    health,
    machines,
    model_configurations,
    pools,
    prompt_images,
    provider_credentials,
    request_logs,
    run_attachments,
    run_batches,
    runs,
    sessions,
    trajectories,
    usage,
    web_sessions,
    webhooks,
    workflow_copies,
    workflow_tag_groups,
    workflow_tags,
    workflows,
)
from cyberdesk_server.api.access import Access
from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.api.auth import SECURITY_SCHEME, KnownKeys
from cyberdesk_server.api.parameters import explain
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.version import API_VERSION
from cyberdesk_server.api.webhook_descriptions import describe_events

ROUTERS = (
    runs.api,
    run_batches.api,
    health.api,
    health.v1,
    health.of_machines,
    # Before `/v1/workflows/{workflow_id}`, for their paths are literal.
    prompt_images.api,
    workflow_tags.of_workflows,
    run_attachments.api,
    workflows.api,
    workflow_copies.api,
    workflow_tags.api,
    workflow_tag_groups.api,
    machines.api,
    pools.api,
    sessions.api,
    computer.api,
    computer.cyberdriver,
    web_sessions.api,
    connections.api,
    request_logs.api,
    model_configurations.api,
    provider_credentials.api,
    trajectories.api,
    trajectories.of_workflows,
    trajectories.of_runs,
    usage.api,
    usage.of_runs,
    webhooks.api,
    audit_log.api,
    drivers.api,
    blobs.api,
)
"""All routes, in the order in which a path is looked up."""


TOLD_TO_PAGES = (
    *("X-Request-Id", "Retry-After", "Idempotency-Status"),
    *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
)
"""Headers of answers that scripts of other origins may read."""


def create_app(parts: Parts, *, cors_origins: Sequence[str] = ()) -> FastAPI:
    """The API of the contract. Its description is at `/openapi.json`.

    Pages of `cors_origins` may call it from a browser, with a key of their own; no others.
    """
    app = _Api(
        title="Cyberdesk HTTP API",
        version=API_VERSION,
        docs_url=None,  # the page would load scripts from the network
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        separate_input_output_schemas=False,
        redirect_slashes=False,
    )
    equip(app, parts)
    for router in ROUTERS:
        app.include_router(router)
    describe_events(app)
    app.add_exception_handler(405, _wrong_method)
    app.add_middleware(Access)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Idempotency-Key", "X-Request-Id"],
            expose_headers=TOLD_TO_PAGES,
        )
    return app


class _Api(FastAPI):
    """Describes how keys are given and what parameters mean, too: a dependency that says it would cost every
    request its time."""

    def openapi(self) -> dict[str, Any]:
        description = super().openapi()
        bearer = {"type": "http", "scheme": "bearer"}
        description["components"]["securitySchemes"] = {SECURITY_SCHEME: bearer}
        explain(description)
        return description


def equip(app: FastAPI, parts: Parts) -> None:
    """Let the API work with these parts from now on."""
    app.state.parts = parts
    app.state.known_keys = KnownKeys()


async def _wrong_method(request: Request, error: Exception) -> Response:
    """405 that names the methods of all routes of the path; the framework names those of the first."""
    assert isinstance(error, HTTPException)
    allowed = set((error.headers or {})["Allow"].split(", "))
    for route in (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)):
        if route.matches(request.scope)[0] is not Match.NONE:
            allowed.update(route.methods or ())
    detail = {"detail": f"{request.method} is not possible here"}
    return JsonAnswer(detail, 405, {"Allow": ", ".join(sorted(allowed))})


def _operation_id(route: APIRoute) -> str:
    """The contract's: name, path and method, in words joined by single underscores."""
    method = min(route.methods or ()).lower()
    return re.sub(r"[\W_]+", "_", f"{route.name}_{route.path_format}_{method}")
