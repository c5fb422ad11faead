"""Changing, ending and deleting runs over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import StepState
from cyberdesk_server.store import leases, machines, runs, secrets, steps
from cyberdesk_server.testing.rows import NOON, a_step

Make = Callable[..., Awaitable[dict[str, Any]]]


async def test_cancelling_ends_a_run_at_once(client: httpx.AsyncClient, parts: Parts, make: Make) -> None:
    workflow = await make("workflows", main_prompt="Type {$pin}")
    run = await make("runs", workflow_id=workflow["id"], sensitive_input_values={"pin": "1"})

    async with parts.bus.listen(f"run.{run['id']}") as heard:
        response = await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})

        assert (await anext(heard))[0] == f"run.{run['id']}"
    assert response.status_code == 200
    assert response.json()["status"] == "cancelled"
    assert response.json()["ended_at"] is not None
    async with parts.database.read() as conn:
        assert await secrets.for_run(conn, RunId(run["id"])) == {}


@pytest.mark.parametrize("status", ["success", "task_failed", "error", "cancelled"])
async def test_any_terminal_status_ends_a_run_and_then_it_stays_as_it_is(
    client: httpx.AsyncClient, make: Make, status: str
) -> None:
    """Invariant 1."""
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])

    ended = await client.patch(
        f"/v1/runs/{run['id']}", json={"status": status, "output_data": {"a": 1}, "error": ["why"]}
    )
    again = await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})

    assert (ended.status_code, ended.json()["status"], ended.json()["output_data"]) == (200, status, {"a": 1})
    assert again.status_code == 409
    assert again.json() == {"detail": f"run {run['id']} has already ended: {status}"}


async def test_a_caller_cannot_start_a_run(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])

    response = await client.patch(f"/v1/runs/{run['id']}", json={"status": "running"})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "status"]


async def test_inputs_change_only_while_a_run_waits(
    client: httpx.AsyncClient, make: Make, worker: Any
) -> None:
    workflow = await make("workflows", main_prompt="Type {x}")
    run = await make("runs", workflow_id=workflow["id"], input_values={"x": 1})
    path = f"/v1/runs/{run['id']}"

    changed = await client.patch(path, json={"input_values": {"x": 2}})
    unfit = await client.patch(path, json={"input_values": {"y": 2}})
    await worker.machine()
    await worker.next()
    too_late = await client.patch(path, json={"input_values": {"x": 3}})

    assert changed.json()["input_values"] == {"x": 2}
    assert unfit.status_code == 422
    assert too_late.status_code == 409


async def test_only_an_ended_run_that_let_go_of_its_machine_is_deleted(
    client: httpx.AsyncClient, parts: Parts, make: Make, worker: Any
) -> None:
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])
    path = f"/v1/runs/{run['id']}"
    await worker.machine()
    claim = await worker.next()

    running = await client.delete(path)
    await client.patch(path, json={"status": "cancelled"})
    stopping = await client.delete(path)
    async with parts.database.transaction() as conn:
        await leases.release(conn, claim.held, now=NOON)
    stopped = await client.delete(path)

    assert [running.status_code, stopping.status_code, stopped.status_code] == [409, 409, 204]
    assert stopped.content == b""
    assert (await client.get(path)).status_code == 404


async def test_with_a_run_goes_what_nobody_else_shows(
    client: httpx.AsyncClient, parts: Parts, make: Make, worker: Any
) -> None:
    workflow = await make("workflows")
    await worker.machine()
    folder = "run-images/message-history/org_own"
    for name in ("own", "shared"):
        await parts.blobs.put(f"{folder}/{name}.png", b"png", content_type="image/png")
    for screen, image in (("own", "shared"), ("shared", None)):
        await make("runs", workflow_id=workflow["id"])
        claim = await worker.next()
        step = a_step(
            claim.run.id,
            screen=f"supabase://{folder}/{screen}.png",
            images=(f"supabase://{folder}/{image}.png",) if image else (),
            state=StepState.DONE,
        )
        async with parts.database.transaction() as conn:
            await steps.begin(conn, step, claim.attempt)
            await runs.end(conn, claim.run.id, status=RunStatus.SUCCESS, changes={}, now=NOON)
            await leases.release(conn, claim.held, now=NOON)
    oldest = (await client.get("/v1/runs", params={"sort_mode": "created_at_desc"})).json()["items"][-1]

    await client.delete(f"/v1/runs/{oldest['id']}")

    assert await parts.blobs.get(f"{folder}/shared.png") == b"png"
    with pytest.raises(Exception, match="no blob"):
        await parts.blobs.get(f"{folder}/own.png")


async def test_a_deleted_machine_leaves_its_ended_runs_and_ends_those_that_wait(
    client: httpx.AsyncClient, parts: Parts, make: Make, worker: Any
) -> None:
    """Invariant 1."""
    workflow = await make("workflows")
    machine_id = await worker.machine()
    waiting = await make("runs", workflow_id=workflow["id"], machine_id=machine_id)

    deleted = await client.delete(f"/v1/machines/{machine_id}")

    run = (await client.get(f"/v1/runs/{waiting['id']}")).json()
    assert deleted.status_code == 204
    assert (run["machine_id"], run["status"]) == (None, "error")
    assert run["error"] == ["the machine this run waited for was deleted"]
    async with parts.database.read() as conn:
        assert await machines.find(conn, "org_own") == ((), 0)  # type: ignore[arg-type]
