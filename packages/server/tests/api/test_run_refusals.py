"""What the API refuses of runs, chains and retries: always a 4xx that says what is wrong with what."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.store import leases

Make = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def workflow_id(make: Make) -> str:
    return str((await make("workflows", main_prompt="Type {x}"))["id"])


@pytest.fixture
async def released(client: httpx.AsyncClient, make: Make) -> str:
    """The id of a session that has ended."""
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"], start_session=True)
    await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})
    return str(run["session_id"])


@pytest.mark.parametrize("alias", ["self", "later", "nobody"])
async def test_a_step_refers_to_steps_before_it_only(
    client: httpx.AsyncClient, workflow_id: str, alias: str
) -> None:
    names = ("first", "self", "later")
    steps = [{"workflow_id": workflow_id, "session_alias": name, "inputs": {"x": 1}} for name in names]
    steps[1]["inputs"] = {"x": {"deep": [{"$ref": f"{alias}.outputs.a"}]}}

    refused = await client.post("/v1/runs/chain", json={"steps": steps})

    [problem] = refused.json()["detail"]
    assert refused.status_code == 422
    assert problem["loc"] == ["body", "steps", 1, "inputs", "x", "deep", 0, "$ref"]
    assert problem["msg"] == f"there is no earlier run '{alias}' in this session; there are: first"


async def test_a_session_that_has_ended_takes_no_runs(
    client: httpx.AsyncClient, workflow_id: str, released: str
) -> None:
    run = {"workflow_id": workflow_id, "input_values": {"x": 1}, "session_id": released}
    step = {"workflow_id": workflow_id, "inputs": {"x": 1}}
    ended = await client.post("/v1/runs", json={**run, "session_id": None})
    await client.patch(f"/v1/runs/{ended.json()['id']}", json={"status": "cancelled"})

    answers = [
        await client.post("/v1/runs", json=run),
        await client.post("/v1/runs/bulk", json={**run, "count": 2}),
        await client.post("/v1/runs/chain", json={"steps": [step], "session_id": released}),
        await client.post(f"/v1/runs/{ended.json()['id']}/retry", json={"session_id": released}),
    ]

    said = {"detail": f"session {released} has ended; start a new one"}
    assert [(answer.status_code, answer.json()) for answer in answers] == [(409, said)] * 4


async def test_a_run_cannot_both_start_and_join_a_session(
    client: httpx.AsyncClient, make: Make, workflow_id: str
) -> None:
    body = {"workflow_id": workflow_id, "input_values": {"x": 1}}
    session = (await make("runs", **body, start_session=True))["session_id"]
    ended = await make("runs", **body)
    await client.patch(f"/v1/runs/{ended['id']}", json={"status": "cancelled"})
    both = {"session_id": session, "start_session": True}

    answers = [
        await client.post("/v1/runs", json={**body, **both}),
        await client.post("/v1/runs/bulk", json={**body, **both, "count": 2}),
        await client.post(f"/v1/runs/{ended['id']}/retry", json=both),
    ]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert [answer.json()["detail"][0]["loc"] for answer in answers] == [["body", "start_session"]] * 3


@pytest.mark.parametrize(
    ("wrong", "loc"),
    [
        ({"file_inputs": [{"filename": "a", "content": "~"}]}, ["file_inputs", 0, "content"]),
        ({"pool_ids": [str(uuid4()), "x"]}, ["pool_ids", 1]),
        ({"input_values": {"y": 1}}, ["input_values", "x"]),
        ({"machine_id": "x"}, ["machine_id"]),
        ({"max_turns": 0}, ["max_turns"]),
        ({"run_time_limit_seconds": 1.5}, ["run_time_limit_seconds"]),
    ],
)
async def test_the_member_that_is_wrong_is_named_and_nothing_is_made(
    client: httpx.AsyncClient, workflow_id: str, wrong: dict[str, Any], loc: list[Any]
) -> None:
    body = {"workflow_id": workflow_id, "input_values": {"x": 1}, **wrong}

    answers = [
        await client.post("/v1/runs", json=body),
        await client.post("/v1/runs/bulk", json={**body, "count": 2}),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert [answer.json()["detail"][0]["loc"] for answer in answers] == [["body", *loc]] * 2
    assert (await client.get("/v1/runs")).json()["total"] == 0


@pytest.mark.parametrize("status", ["scheduling", "running", "running_checks"])
async def test_a_run_that_goes_on_does_not_start_over(
    client: httpx.AsyncClient, make: Make, worker: Any, parts: Parts, workflow_id: str, status: str
) -> None:
    await worker.machine()
    run = await make("runs", workflow_id=workflow_id, input_values={"x": 1})
    claim = await worker.next() if status != "scheduling" else None
    if claim is not None and status == "running_checks":
        async with parts.database.transaction() as conn:
            await leases.begin_checks(conn, claim.held, output_data=None, now=parts.clock.now())

    refused = await client.post(f"/v1/runs/{run['id']}/retry", json={})

    assert refused.status_code == 409
    assert refused.json() == {"detail": f"run {run['id']} is {status}; it must end first"}
