"""Invariant 8: nothing of one organization is visible to another. An id of theirs is a 404, everywhere.

Here are paths and lists; `test_isolation_of_fields.py` has bodies and queries, and
`test_isolation_of_answers.py` all that answers tell.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.api.app import ROUTERS
from cyberdesk_server.api.provider_credentials import slot_view
from cyberdesk_server.api.views import model_configuration_view
from cyberdesk_server.api.webhook_views import catalogue
from cyberdesk_server.domain.model_configurations import STEPS
from cyberdesk_server.domain.provider_credentials import SLOTS
from cyberdesk_server.testing.api import the_description
from fastapi.routing import APIRoute

Make = Callable[..., Awaitable[dict[str, Any]]]

OPEN = {"/", "/health", "/health/live", "/health/ready", "/health/db", "/v1/health", "/v1/health/db"}
NOT_DESCRIBED = {"/v1/blobs/{key}", "/v1/internal/cyberdriver-version"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
QUERIES = {
    f"/v1/{noun}/image/signed-url": {"image_url": "supabase://x"}
    for noun in ("runs/{run_id}", "trajectories/{trajectory_id}")
} | {
    "/v1/usage/aggregate": {"from_date": "2000-01-01", "to_date": "2100-01-01"},
    "/v1/trajectories": {"is_generated": "false"},
}
BODIES: dict[str, Any] = {
    "POST /v1/workflows/{workflow_id}/tags": {"tag_ids": [UNKNOWN]},
    "POST /v1/workflows/{workflow_id}/merge": {"target_workflow_id": UNKNOWN},
    "PUT /v1/machines/{machine_id}/pools": {"pool_ids": []},
    "POST /v1/webhooks/endpoints/{endpoint_id}/recover": {"since": "2029-01-01T00:00:00Z"},
    "POST /v1/pools/{pool_id}/machines": {"machine_ids": []},
    "DELETE /v1/pools/{pool_id}/machines": {"machine_ids": []},
}
"""Bodies that are complete, for operations by id that refuse an empty one, by method and path."""

BY_QUERY = {"/v1/workflows/prompt-image/signed-url"}
"""What is named by a query; `test_prompt_images.py` asks for what another organization has."""

OF_EVERYBODY = {"PUT /v1/provider-credentials/{slot}"}
"""What names something that each organization has for itself."""

NO_PAGES: dict[str, Any] = {
    "/v1/health/machines": {
        "status": "ok",
        "scope": "organization",
        "checked_machines": 0,
        "healthy_machines": 0,
        "errored_machines": [],
        "message": "0 of 0 connected machines answer",
    },
    "/v1/workflow-tags": [],
    "/v1/webhooks/event-types": json.loads(JsonAnswer(catalogue()).body),
    "/v1/workflows/prompt-images": [],
    "/v1/workflow-tag-groups": [],
    "/v1/provider-credentials": json.loads(JsonAnswer([slot_view(slot) for slot in SLOTS]).body),
    "/v1/usage/aggregate": {
        "total_agentic_steps": 0,
        "total_cached_steps": 0,
        "period_start": "2000-01-01T00:00:00Z",
        "period_end": "2100-01-01T00:00:00Z",
        "mode": "simulated",
        "runs_counted": 0,
    },
    "/v1/model-configurations": json.loads(JsonAnswer([model_configuration_view(STEPS)]).body),
}
"""What lists that are no pages answer to an organization that has nothing, by path."""


def operations() -> list[tuple[str, str]]:
    paths = the_description()["paths"]
    return [(method.upper(), path) for path, found in paths.items() for method in found]


async def test_ids_of_another_organization_are_not_found(
    stranger: httpx.AsyncClient, client: httpx.AsyncClient, own: dict[str, str]
) -> None:
    by_id = [
        (method, path)
        for method, path in operations()
        if "{" in path and f"{method} {path}" not in OF_EVERYBODY
    ]

    answers = {
        (method, path): await stranger.request(
            method,
            path.format(**own),
            params=QUERIES.get(path),
            json=BODIES.get(f"{method} {path}", {} if method in ("PATCH", "POST", "PUT") else None),
        )
        for method, path in by_id
    }

    assert {key: answer.status_code for key, answer in answers.items()} == dict.fromkeys(answers, 404)
    assert all("secret name" not in answer.text for answer in answers.values())
    for noun, name in (
        ("workflows", "workflow_id"),
        ("machines", "machine_id"),
        ("runs", "run_id"),
        ("pools", "pool_id"),
        ("connections", "connection_id"),
        ("request-logs", "log_id"),
        ("webhooks/endpoints", "endpoint_id"),
        ("webhooks/messages", "message_id"),
    ):
        assert (await client.get(f"/v1/{noun}/{own[name]}")).status_code == 200


async def test_lists_hold_nothing_of_another_organization(
    stranger: httpx.AsyncClient, own: dict[str, str]
) -> None:
    lists = [path for method, path in operations() if method == "GET" and path.startswith("/v1/")]
    lists = [path for path in lists if "{" not in path and path not in OPEN | BY_QUERY]

    for path in lists:
        for query in ({}, {"search": "secret"}, {"search": own["run_id"], "deep_search": "true"}):
            answer = (await stranger.get(path, params=QUERIES.get(path, {}) | query)).json()
            if path in NO_PAGES:
                assert answer == NO_PAGES[path]
            else:
                assert (answer["items"], answer["total"]) == ([], 0)


async def test_a_link_of_one_file_opens_no_other(client: httpx.AsyncClient, own: dict[str, str]) -> None:
    link = (await client.get(f"/v1/run-attachments/{own['attachment_id']}/download-url")).json()["url"]

    assert (await client.get(link)).status_code == 200
    assert (await client.get(link.replace("org_own", "org_foreign"))).status_code == 403


async def test_a_link_that_was_changed_or_is_over_opens_nothing(
    client: httpx.AsyncClient, own: dict[str, str], clock: Any
) -> None:
    file = f"/v1/run-attachments/{own['attachment_id']}/download-url"
    link = httpx.URL((await client.get(file, params={"expires_in": 3600})).json()["url"])
    expires, signature = (link.params[name] for name in ("expires", "signature"))
    longer = str(int(expires) + 1)
    turned = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    changed = [
        link.copy_with(path=link.path + "x"),
        link.copy_with(path=link.path[:-1]),
        link.copy_set_param("expires", longer),
        link.copy_set_param("signature", turned),
        link.copy_set_param("signature", signature[:-2]),
        link.copy_set_param("signature", ""),
    ]

    assert (await client.get(link)).status_code == 200
    assert [(await client.get(other)).status_code for other in changed] == [403] * len(changed)
    clock.time += timedelta(hours=1)
    assert (await client.get(link)).status_code == 403


async def test_every_operation_but_the_health_checks_needs_a_key(
    connect: Callable[[str | None], httpx.AsyncClient], own: dict[str, str]
) -> None:
    for key in (None, "cd_wrong", ""):
        async with connect(key) as client:
            for method, path in operations():
                answer = await client.request(method, path.format(**own), content=b"{")
                if path in OPEN:
                    assert answer.status_code == 200
                else:
                    assert answer.status_code == 401
                    assert answer.headers["www-authenticate"] == "Bearer"


def test_no_route_is_left_out_of_these_tests() -> None:
    described = {path for _, path in operations()}
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]

    assert {route.path_format for route in routes} - described == NOT_DESCRIBED
