"""Creating runs over HTTP: what is asked of a caller, and what a new run looks like."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.model_configurations import STEPS
from cyberdesk_server.ports import SecretContext
from cyberdesk_server.store import secrets

Make = Callable[..., Awaitable[dict[str, Any]]]


async def test_a_created_run_waits_and_is_answered_in_full(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", main_prompt="Type {x}")

    response = await client.post(
        "/v1/runs",
        json={
            "workflow_id": workflow["id"],
            "input_values": {"x": "1", "spare": [None, {"a": 1.5}]},
            "is_priority": True,
            "session_alias": "first",
            "release_session_after": True,
            "main_agent_model_id": str(STEPS.id),
            "something_new": 1,
        },
    )

    assert response.status_code == 201
    assert response.json() == {
        "id": response.json()["id"],
        "workflow_id": workflow["id"],
        "machine_id": None,
        "status": "scheduling",
        "created_at": "2030-01-01T12:00:02Z",
        "user_id": None,
        "organization_id": "org_own",
        "is_priority": True,
        "error": None,
        "output_data": None,
        "input_attachment_ids": [],
        "output_attachment_ids": [],
        "run_message_history": [],
        "input_values": {"x": "1", "spare": [None, {"a": 1.5}]},
        "main_prompt": None,
        "model_metadata": {
            "main_agent_model_id": str(STEPS.id),
            "cache_detection_model_id": None,
            "fallback_model_1_id": None,
            "fallback_model_2_id": None,
        },
        "pool_ids": None,
        "sensitive_input_aliases": None,
        "usage_metadata": None,
        "post_run_checks": None,
        "session_id": None,
        "session_alias": "first",
        "release_session_after": True,
        "run_time_limit_seconds": None,
        "max_turns": None,
        "wait_time_limit_seconds": None,
        "cost_limit_usd": None,
        "started_at": None,
        "ended_at": None,
    }


async def test_a_created_run_wakes_the_workers(parts: Parts, make: Make) -> None:
    workflow = await make("workflows")

    async with parts.bus.listen("runs.waiting") as heard:
        await make("runs", workflow_id=workflow["id"])

        assert (await anext(heard))[0] == "runs.waiting"


async def test_a_run_of_an_unknown_workflow_or_machine_is_404(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")
    nobody = str(uuid4())

    no_workflow = await client.post("/v1/runs", json={"workflow_id": nobody})
    no_machine = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "machine_id": nobody})

    assert (no_workflow.status_code, no_workflow.json()) == (
        404,
        {"detail": f"workflow {nobody} not found"},
    )
    assert (no_machine.status_code, no_machine.json()) == (404, {"detail": f"machine {nobody} not found"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"workflow_id": "no-id"}, ["body", "workflow_id"]),
        ({}, ["body", "workflow_id"]),
        ({"pool_ids": ["no-id"]}, ["body", "pool_ids", 0]),
        ({"session_id": str(uuid4()), "start_session": True}, ["body", "start_session"]),
        ({"file_inputs": [{"filename": "f", "content": "?"}]}, ["body", "file_inputs", 0, "content"]),
        ({"main_agent_model_id": str(uuid4())}, ["body", "model_metadata", "main_agent_model_id"]),
        ({"input_values": ["no", "object"]}, ["body", "input_values"]),
    ],
)
async def test_a_request_that_cannot_be_fulfilled_names_the_field(
    client: httpx.AsyncClient, make: Make, body: dict[str, Any], field: list[str | int]
) -> None:
    workflow = await make("workflows")
    complete = body if "workflow_id" in body or not body else {"workflow_id": workflow["id"], **body}

    response = await client.post("/v1/runs", json=complete)

    assert response.status_code == 422
    [problem] = response.json()["detail"]
    assert problem["loc"] == field
    assert set(problem) == {"loc", "msg", "type"}


async def test_pools_do_not_matter_when_the_machine_is_chosen(make: Make, worker: Any) -> None:
    workflow, machine_id = await make("workflows"), await worker.machine()

    run = await make("runs", workflow_id=workflow["id"], machine_id=machine_id, pool_ids=[str(uuid4())])

    assert run["machine_id"] == machine_id


async def test_missing_variables_of_the_prompt_are_named(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", main_prompt="<p>Type {a.b[0]}, {c} and {{later}} with {$pin.x}</p>")

    response = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "input_values": {"c": ""}})

    assert response.status_code == 422
    assert response.json()["detail"] == [
        {
            "loc": ["body", "input_values", "a"],
            "msg": "the prompt uses {a}, which has no value",
            "type": "missing",
        },
        {
            "loc": ["body", "sensitive_input_values", "pin"],
            "msg": "the prompt uses {$pin}, which has no value",
            "type": "missing",
        },
    ]


async def test_the_prompt_of_the_run_counts_when_it_has_one(make: Make) -> None:
    workflow = await make("workflows", main_prompt="Type {x}")

    run = await make("runs", workflow_id=workflow["id"], main_prompt='Click "OK"')

    assert run["main_prompt"] == 'Click "OK"'


async def test_a_workflow_without_a_prompt_cannot_run(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", main_prompt="")

    response = await client.post("/v1/runs", json={"workflow_id": workflow["id"]})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "workflow_id"]


async def test_variables_may_come_from_the_machine(
    client: httpx.AsyncClient, make: Make, worker: Any
) -> None:
    workflow = await make("workflows", main_prompt="Type {site} and {$pin}")
    equipped = await worker.machine()
    await client.patch(
        f"/v1/machines/{equipped}",
        json={"machine_parameters": {"site": "A"}, "machine_sensitive_parameters": {"pin": "1234"}},
    )
    bare = await worker.machine()

    on_equipped = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "machine_id": equipped})
    on_bare = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "machine_id": bare})
    on_any = await client.post("/v1/runs", json={"workflow_id": workflow["id"]})

    assert [on_equipped.status_code, on_bare.status_code, on_any.status_code] == [201, 422, 201]


async def test_inputs_are_checked_against_the_schema_of_the_workflow(
    client: httpx.AsyncClient, make: Make
) -> None:
    schema = (
        '{"type": "object", "properties": {"age": {"type": "integer"}, "note": {"type": "string"}},'
        ' "required": ["age"]}'
    )
    workflow = await make("workflows", main_prompt="Type {age} and {note}", input_schema=schema)

    fits = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "input_values": {"age": 7}})
    wrong = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "input_values": {"age": "x"}})
    blank = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "input_values": {"age": None}})

    assert fits.status_code == 201
    assert [wrong.json()["detail"][0]["loc"], blank.json()["detail"][0]["loc"]] == [
        ["body", "input_values", "age"],
        ["body", "input_values", "age"],
    ]


async def test_a_secret_is_sealed_and_shown_by_its_alias_only(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    """Invariant 6."""
    workflow = await make("workflows", main_prompt="Type {$pin.code}")

    run = await make("runs", workflow_id=workflow["id"], sensitive_input_values={"pin": {"code": "s3cr3t"}})

    async with parts.database.read() as conn:
        [(name, (secret_id, sealed))] = (await secrets.for_run(conn, RunId(run["id"]))).items()
    everything = (await client.get(f"/v1/runs/{run['id']}")).text + (await client.get("/v1/runs")).text
    assert name == "pin"
    assert run["sensitive_input_aliases"] == {"pin": f"secret_{secret_id}"}
    assert "s3cr3t" not in everything
    assert b"s3cr3t" not in sealed
    assert await parts.vault.open(sealed, SecretContext("org_own", secret_id)) == '{"code": "s3cr3t"}'  # type: ignore[arg-type]


async def test_a_refusal_never_quotes_a_secret(client: httpx.AsyncClient, make: Make) -> None:
    """Invariant 6."""
    schema = '{"type": "object", "properties": {"$pin": {"type": "integer"}}, "maxProperties": 1}'
    workflow = await make("workflows", main_prompt="Type {x} {$pin}", input_schema=schema)

    unfit = await client.post(
        "/v1/runs",
        json={
            "workflow_id": workflow["id"],
            "input_values": {"x": 1},
            "sensitive_input_values": {"pin": "s3cr3t"},
        },
    )
    malformed = await client.post(
        "/v1/runs", json={"workflow_id": workflow["id"], "sensitive_input_values": "s3cr3t"}
    )

    assert [unfit.status_code, malformed.status_code] == [422, 422]
    assert "s3cr3t" not in unfit.text + malformed.text


@pytest.mark.parametrize("member", ["machine_id", "pool_ids", "session_id"])
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, make: Make, member: str) -> None:
    nobody = str(uuid4())
    body = {"workflow_id": (await make("workflows"))["id"]}
    value = [nobody] if member == "pool_ids" else nobody

    response = await client.post("/v1/runs", json={**body, member: value})

    noun = member.split("_")[0]
    assert (response.status_code, response.json()) == (404, {"detail": f"{noun} {nobody} not found"})
