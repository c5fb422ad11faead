"""Workflows over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.schemas.workflows import WorkflowResponse, WorkflowResponseWithIncludes
from cyberdesk_server.domain.model_configurations import STEPS

Make = Callable[..., Awaitable[dict[str, Any]]]


async def test_a_workflow_keeps_what_its_author_wrote(client: httpx.AsyncClient) -> None:
    written = {
        "name": "Charts",
        "description": "Reads charts",
        "main_prompt": "<p>Type {patient}</p>",
        "input_schema": '{"type": "object"}',
        "output_schema": '{"dob": "string"}',
        "includes_file_exports": True,
        "is_webhooks_enabled": True,
        "terminal_command_allowlist": ["dir *"],
        "model_metadata": {
            "main_agent_model_id": str(STEPS.id),
            "cache_detection_model_id": None,
            "fallback_model_1_id": None,
            "fallback_model_2_id": None,
        },
        "post_run_check_failure_cleanup_prompt": "Close everything",
        "run_time_limit_seconds": 600,
        "max_turns": 50,
        "wait_time_limit_seconds": 3600,
        "cost_limit_usd": 0.5,
    }

    created = await client.post("/v1/workflows", json=written)

    assert created.status_code == 201
    workflow = created.json()
    assert workflow == written | {
        "id": workflow["id"],
        "organization_id": "org_own",
        "user_id": None,
        "includes_input_variables": True,
        "workflow_metadata": None,
        "old_versions": [],
        "tags": [],
        "post_run_checks": [],
        "created_at": "2030-01-01T12:00:01Z",
        "updated_at": "2030-01-01T12:00:01Z",
    }
    assert set(workflow) == set(WorkflowResponse.model_fields)
    got = (await client.get(f"/v1/workflows/{workflow['id']}")).json()
    assert got == workflow | {"included": []}
    assert set(got) == set(WorkflowResponseWithIncludes.model_fields)


async def test_a_name_and_a_description_are_enough(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/workflows", json={"name": "My Workflow", "description": "Later"})

    assert response.status_code == 201
    assert response.json()["main_prompt"] == ""


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"name": "n" * 256}, ["body", "name"]),
        ({"main_prompt": 7}, ["body", "main_prompt"]),
        ({"input_schema": "{"}, ["body", "input_schema"]),
        ({"input_schema": "[]"}, ["body", "input_schema"]),
        ({"output_schema": '{"type": "wrong"}'}, ["body", "output_schema"]),
        ({"input_schema": "[" * 100_000}, ["body", "input_schema"]),
        ({"model_metadata": {"main_agent_model_id": "x"}}, ["body", "model_metadata", "main_agent_model_id"]),
        ({"main_prompt": "a\0b"}, ["body", "main_prompt"]),
    ],
)
async def test_what_cannot_be_stored_names_the_field(
    client: httpx.AsyncClient, body: dict[str, Any], location: list[str]
) -> None:
    response = await client.post("/v1/workflows", json=body)

    assert response.status_code == 422
    assert [problem["loc"] for problem in response.json()["detail"]] == [location]


async def test_a_model_that_cannot_be_used_names_its_role(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, make: Make
) -> None:
    configuration = {"name": "n", "provider": "openai", "model": "gpt"}
    reader = (await make("model-configurations", **configuration))["id"]
    theirs = (await stranger.post("/v1/model-configurations", json=configuration)).json()["id"]
    workflow = await make("workflows")

    for role, model in (
        ("main_agent_model_id", str(uuid4())),
        ("main_agent_model_id", reader),
        ("cache_detection_model_id", theirs),
    ):
        body = {"model_metadata": {role: model}}
        for response in (
            await client.post("/v1/workflows", json=body),
            await client.patch(f"/v1/workflows/{workflow['id']}", json=body),
        ):
            assert response.status_code == 422
            assert [problem["loc"] for problem in response.json()["detail"]] == [
                ["body", "model_metadata", role]
            ]


async def test_a_model_that_was_archived_stays_where_it_is_named(
    client: httpx.AsyncClient, make: Make
) -> None:
    model = (await make("model-configurations", name="n", provider="openai", model="gpt"))["id"]
    named = {"model_metadata": {"cache_detection_model_id": model}}
    workflow = await make("workflows", **named)
    await client.patch(f"/v1/model-configurations/{model}", json={"is_archived": True})

    kept = await client.patch(f"/v1/workflows/{workflow['id']}", json={"name": "New", **named})
    new = await client.post("/v1/workflows", json=named)

    assert [kept.status_code, new.status_code] == [200, 422]


async def test_an_update_changes_what_is_sent_and_keeps_what_was(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows", name="A", main_prompt="One", description="kept")
    path = f"/v1/workflows/{workflow['id']}"

    second = (await client.patch(path, json={"main_prompt": "Two"})).json()
    third = (await client.patch(path, json={"main_prompt": "Three {x}", "name": None})).json()
    versions = (await client.get(f"{path}/versions")).json()

    assert (second["main_prompt"], second["description"]) == ("Two", "kept")
    assert (third["name"], third["includes_input_variables"]) == (None, True)
    assert third["updated_at"] > second["updated_at"] > workflow["updated_at"]
    assert third["old_versions"] == versions
    assert [(version["version"], version["main_prompt"], version["name"]) for version in versions] == [
        (1, "One", "A"),
        (2, "Two", "A"),
    ]


async def test_an_update_that_changes_no_writing_makes_no_version(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows", main_prompt="One")

    updated = await client.patch(
        f"/v1/workflows/{workflow['id']}",
        json={
            "main_prompt": None,
            "is_webhooks_enabled": None,
            "workflow_metadata": {"has_unaddressed_error": True},
        },
    )

    assert updated.status_code == 200
    assert updated.json()["main_prompt"] == "One"
    assert updated.json()["old_versions"] == []
    assert updated.json()["workflow_metadata"] == {"has_unaddressed_error": True}


async def test_workflows_are_listed_last_updated_first_and_filtered(
    client: httpx.AsyncClient, make: Make
) -> None:
    first = await make("workflows", name="Charts")
    second = await make("workflows", name="Billing")
    touched = (await client.patch(f"/v1/workflows/{first['id']}", json={"description": "x"})).json()

    async def found(**query: Any) -> list[str]:
        answer = (await client.get("/v1/workflows", params=query)).json()
        return [item["name"] for item in answer["items"]]

    assert await found() == ["Charts", "Billing"]
    assert await found(limit=1, skip=1) == ["Billing"]
    assert await found(search="BILL") == ["Billing"]
    assert await found(search=second["id"]) == ["Billing"]
    assert await found(created_at_from=second["created_at"]) == ["Billing"]
    assert await found(created_at_to=first["created_at"]) == ["Charts"]
    assert await found(updated_at_from=touched["updated_at"]) == ["Charts"]
    assert await found(updated_at_to=second["updated_at"]) == ["Billing"]
    assert await found(tag_ids=str(uuid4())) == []


async def test_only_variables_that_a_run_must_be_given_are_inputs(
    client: httpx.AsyncClient, make: Make
) -> None:
    looping = await make("workflows", main_prompt="For each {row} in {{rows}}\n  Type {row}")
    with_input = await make("workflows", main_prompt="For each {row} in {rows}\n  Type {row}")

    assert looping["includes_input_variables"] is False
    assert with_input["includes_input_variables"] is True


@pytest.mark.parametrize("query", [{"tag_ids": "x"}, {"include": "runs"}, {"updated_at_to": "x"}])
async def test_a_malformed_query_names_its_parameter(
    client: httpx.AsyncClient, query: dict[str, str]
) -> None:
    response = await client.get("/v1/workflows", params=query)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", *query]


async def test_a_deleted_workflow_is_gone_but_its_runs_remember_it(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])
    path = f"/v1/workflows/{workflow['id']}"

    in_use = await client.delete(path)
    await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})
    deleted = await client.delete(path)

    assert (in_use.status_code, in_use.json()) == (
        409,
        {"detail": f"workflow {workflow['id']} has unfinished runs: 1"},
    )
    assert deleted.status_code == 204
    assert (await client.get(path)).status_code == 404
    assert (await client.delete(path)).status_code == 404
    assert (await client.post("/v1/runs", json={"workflow_id": workflow["id"]})).status_code == 404
    assert (await client.get("/v1/workflows")).json()["total"] == 0
    kept = await client.get(f"/v1/runs/{run['id']}", params={"include": "workflow"})
    assert (kept.json()["workflow_id"], kept.json()["included"]) == (workflow["id"], [])
