"""Chains: runs that follow each other on one machine and pass outputs on."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

Make = Callable[..., Awaitable[dict[str, Any]]]
Read = Callable[[str], Awaitable[dict[str, Any]]]


async def statuses(read_run: Read, run_ids: list[str]) -> list[str]:
    return [(await read_run(run_id))["status"] for run_id in run_ids]


async def test_a_chain_runs_in_order_on_one_machine_and_passes_outputs_on(make: Make, worker: Any) -> None:
    await worker.machine()
    await worker.machine()
    workflow = await make("workflows", main_prompt="Type {query}")
    made = await make(
        "runs/chain",
        shared_inputs={"query": "shared", "unused": 1},
        steps=[
            {"workflow_id": workflow["id"], "session_alias": "one"},
            {"workflow_id": workflow["id"], "inputs": {"query": {"$ref": "one.outputs.result"}}},
        ],
    )

    first = await worker.next()
    assert await worker.claim() is None
    await worker.end(first, output={"result": "panda"})
    second = await worker.next()

    assert [str(first.run.id), str(second.run.id)] == made["run_ids"]
    assert first.machine.id == second.machine.id
    assert first.run.input_values == {"query": "shared"}
    assert second.earlier["one"].output_data == {"result": "panda"}
    assert str(second.machine.reserved_session_id) == made["session_id"]


async def test_the_end_of_a_chain_releases_its_session(
    client: httpx.AsyncClient, make: Make, worker: Any, read_run: Read
) -> None:
    machine_id = await worker.machine()
    workflow = await make("workflows")
    made = await make("runs/chain", steps=[{"workflow_id": workflow["id"]}, {"workflow_id": workflow["id"]}])

    for _ in made["run_ids"]:
        claim = await worker.next()
        await worker.end(claim)

    machine = (await client.get(f"/v1/machines/{machine_id}")).json()
    assert machine["reserved_session_id"] is None
    flags = [(await read_run(run_id))["release_session_after"] for run_id in made["run_ids"]]
    assert flags == [False, True]
    refused = await client.post(
        "/v1/runs", json={"workflow_id": workflow["id"], "session_id": made["session_id"]}
    )
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        f"session {made['session_id']} has ended; start a new one",
    )


async def test_a_kept_session_takes_another_chain_on_the_same_machine(
    client: httpx.AsyncClient, make: Make, worker: Any, read_run: Read
) -> None:
    machine_id = await worker.machine()
    workflow = await make("workflows")
    steps = [{"workflow_id": workflow["id"], "session_alias": "one"}]
    first = await make("runs/chain", steps=steps, keep_session_after_completion=True)
    claim = await worker.next()
    await worker.end(claim, output={"x": 1})
    outsider = (await client.post("/v1/runs", json={"workflow_id": workflow["id"]})).json()

    second = await make(
        "runs/chain",
        session_id=first["session_id"],
        machine_id=str(uuid4()),
        steps=[{"workflow_id": workflow["id"], "inputs": {"q": {"$ref": "one.outputs.x"}}}],
    )

    assert second["session_id"] == first["session_id"]
    assert (await read_run(second["run_ids"][0]))["machine_id"] == machine_id
    assert await worker.claimed() == second["run_ids"][0]
    assert (await read_run(outsider["id"]))["status"] == "scheduling"


@pytest.mark.parametrize("status", ["task_failed", "error"])
async def test_a_failed_step_ends_its_chain_and_releases_the_session(
    client: httpx.AsyncClient, make: Make, worker: Any, status: str, read_run: Read
) -> None:
    machine_id = await worker.machine()
    workflow = await make("workflows")
    step = {"workflow_id": workflow["id"]}
    made = await make("runs/chain", steps=[{**step, "session_alias": "login"}, step, step])

    claim = await worker.next()
    ended = await worker.end(claim, status)

    assert [str(run_id) for run_id in ended] == made["run_ids"]
    assert await statuses(read_run, made["run_ids"]) == [status, "cancelled", "cancelled"]
    failed, behind = [await read_run(run_id) for run_id in made["run_ids"][:2]]
    assert failed["release_session_after"] is True
    assert behind["error"] == [f"step 'login' of the chain ended with {status}"]
    assert (await client.get(f"/v1/machines/{machine_id}")).json()["reserved_session_id"] is None


async def test_a_cancelled_step_that_still_waits_ends_the_chain_too(
    client: httpx.AsyncClient, make: Make, read_run: Read
) -> None:
    workflow = await make("workflows")
    made = await make("runs/chain", steps=[{"workflow_id": workflow["id"]}] * 3)

    response = await client.patch(f"/v1/runs/{made['run_ids'][1]}", json={"status": "cancelled"})

    assert response.json()["release_session_after"] is True
    assert await statuses(read_run, made["run_ids"]) == ["cancelled", "cancelled", "cancelled"]


async def test_the_problems_of_every_step_are_told_and_nothing_is_made(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows", main_prompt="Type {x} and {$pin}")
    step = {"workflow_id": workflow["id"], "sensitive_inputs": {"pin": "1"}}

    response = await client.post(
        "/v1/runs/chain",
        json={
            "steps": [
                {**step, "session_alias": "a", "inputs": {"x": {"$ref": "b.outputs.y"}}},
                {**step, "session_alias": "b"},
                {"workflow_id": workflow["id"], "inputs": {"x": {"$ref": "nonsense"}}},
            ]
        },
    )

    assert response.status_code == 422
    assert [problem["loc"] for problem in response.json()["detail"]] == [
        ["body", "steps", 0, "inputs", "x", "$ref"],
        ["body", "steps", 1, "inputs", "x"],
        ["body", "steps", 2, "inputs", "x", "$ref"],
        ["body", "steps", 2, "sensitive_inputs", "pin"],
    ]
    assert (await client.get("/v1/runs")).json()["total"] == 0


@pytest.mark.parametrize("steps", [[], None, "x", [{}], [{"workflow_id": "x"}]])
async def test_a_chain_without_usable_steps_is_refused(client: httpx.AsyncClient, steps: object) -> None:
    response = await client.post("/v1/runs/chain", json={"steps": steps})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][:2] == ["body", "steps"]


async def test_two_steps_of_one_name_are_refused(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")
    step = {"workflow_id": workflow["id"], "session_alias": "same"}

    response = await client.post("/v1/runs/chain", json={"steps": [step, step]})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "steps", 1, "session_alias"]


async def test_shared_files_go_to_the_first_run(make: Make, read_run: Read) -> None:
    workflow = await make("workflows")

    made = await make(
        "runs/chain",
        steps=[{"workflow_id": workflow["id"]}] * 2,
        shared_file_inputs=[{"filename": "a.txt", "content": "YWJj"}],
    )

    files = [(await read_run(run_id))["input_attachment_ids"] for run_id in made["run_ids"]]
    assert [len(ids) for ids in files] == [1, 0]
