"""The HTTP API, built from its parts."""

import re

from fastapi import FastAPI
from fastapi.routing import APIRoute

from cyberdesk_server import __version__
from cyberdesk_server.api import (
    blobs,
    connections,
    drivers,
    health,
    machines,
    model_configurations,
    pools,
    request_logs,
    run_attachments,
    runs,
    workflow_tag_groups,
    workflow_tags,
    workflows,
)
from cyberdesk_server.api.access import Access
from cyberdesk_server.api.parts import Parts


def create_app(parts: Parts) -> FastAPI:
    """The API of the contract. Its description is at `/openapi.json`."""
    app = FastAPI(
        title="Cyberdesk HTTP API",
        version=__version__,
        docs_url=None,  # the page would load scripts from the network
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        separate_input_output_schemas=False,
        redirect_slashes=False,
    )
    app.state.parts = parts
    for router in (
        health.api,
        health.v1,
        runs.api,
        workflow_tags.of_workflows,  # before `/v1/workflows/{workflow_id}`, for its paths are literal
        run_attachments.api,
        workflows.api,
        workflow_tags.api,
        workflow_tag_groups.api,
        machines.api,
        pools.api,
        connections.api,
        request_logs.api,
        model_configurations.api,
        drivers.api,
        blobs.api,
    ):
        app.include_router(router)
    app.add_middleware(Access)
    return app


def _operation_id(route: APIRoute) -> str:
    """The contract's: name, path and method, in words joined by single underscores."""
    method = min(route.methods or ()).lower()
    return re.sub(r"[\W_]+", "_", f"{route.name}_{route.path_format}_{method}")
