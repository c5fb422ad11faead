"""Runs that start over."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

Make = Callable[..., Awaitable[dict[str, Any]]]
Read = Callable[[str], Awaitable[dict[str, Any]]]


@pytest.fixture
async def failed(make: Make, worker: Any, read_run: Read) -> dict[str, Any]:
    """A run with an input, a secret and a file that ended in `error`."""
    await worker.machine()
    workflow = await make("workflows", main_prompt="Type {x} and {$pin}")
    made = await make(
        "runs",
        workflow_id=workflow["id"],
        input_values={"x": "1"},
        sensitive_input_values={"pin": "7"},
        file_inputs=[{"filename": "a.txt", "content": "YWJj"}],
    )
    claim = await worker.next()
    await worker.end(claim, "error", {"read": 1})
    return await read_run(made["id"])


async def retry(client: httpx.AsyncClient, run_id: str, **body: Any) -> httpx.Response:
    return await client.post(f"/v1/runs/{run_id}/retry", json=body)


async def test_a_run_starts_over_under_its_id_with_its_inputs_and_files(
    client: httpx.AsyncClient, worker: Any, failed: dict[str, Any]
) -> None:
    response = await retry(client, failed["id"], sensitive_input_values={"pin": "8"})

    again = response.json()
    assert response.status_code == 200
    kept = ("id", "workflow_id", "created_at", "input_values", "input_attachment_ids")
    assert {name: again[name] for name in kept} == {name: failed[name] for name in kept}
    assert again["status"] == "scheduling"
    cleared = ("machine_id", "output_data", "error", "started_at", "ended_at")
    assert {name: again[name] for name in cleared} == dict.fromkeys(cleared)
    assert (again["run_message_history"], again["output_attachment_ids"]) == ([], [])
    assert again["sensitive_input_aliases"]["pin"] != failed["sensitive_input_aliases"]["pin"]
    assert await worker.claimed() == failed["id"]


async def test_counters_of_all_tries_add_up(
    client: httpx.AsyncClient, worker: Any, failed: dict[str, Any], read_run: Read
) -> None:
    await retry(client, failed["id"], sensitive_input_values={"pin": "8"})
    claim = await worker.next()

    await worker.end(claim)

    assert (await read_run(failed["id"]))["usage_metadata"] == {
        "total_agentic_steps": 4,
        "billing_outcome": "success",
    }


async def test_secrets_must_be_sent_again(
    client: httpx.AsyncClient, failed: dict[str, Any], read_run: Read
) -> None:
    response = await retry(client, failed["id"])

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "sensitive_input_values", "pin"]
    assert (await read_run(failed["id"]))["status"] == "error"


async def test_new_files_take_the_place_of_the_old(client: httpx.AsyncClient, failed: dict[str, Any]) -> None:
    response = await retry(
        client,
        failed["id"],
        sensitive_input_values={"pin": "8"},
        file_inputs=[{"filename": "b.txt", "content": "YWJj"}] * 2,
    )

    ids = response.json()["input_attachment_ids"]
    assert len(ids) == 2
    assert not set(ids) & set(failed["input_attachment_ids"])


async def test_pools_decide_before_a_machine_on_retry(
    client: httpx.AsyncClient, make: Make, failed: dict[str, Any]
) -> None:
    pool = await make("pools", name="one")
    machine = await make("machines")

    response = await retry(
        client,
        failed["id"],
        sensitive_input_values={"pin": "8"},
        machine_id=machine["id"],
        pool_ids=[pool["id"]],
    )

    assert (response.json()["machine_id"], response.json()["pool_ids"]) == (None, [pool["id"]])


async def test_only_an_ended_run_starts_over(client: httpx.AsyncClient, make: Make) -> None:
    made = await make("runs", workflow_id=(await make("workflows"))["id"])

    response = await retry(client, made["id"])

    assert (response.status_code, response.json()) == (
        409,
        {"detail": f"run {made['id']} is scheduling; it must end first"},
    )


async def test_a_cancelled_run_starts_over_once_its_machine_is_free(
    client: httpx.AsyncClient, make: Make, worker: Any
) -> None:
    await worker.machine()
    made = await make("runs", workflow_id=(await make("workflows"))["id"])
    await worker.claim()
    await client.patch(f"/v1/runs/{made['id']}", json={"status": "cancelled"})

    response = await retry(client, made["id"])

    assert response.status_code == 409
    assert "still letting go of its machine" in response.json()["detail"]


async def test_a_retried_run_stays_in_a_session_that_goes_on_and_leaves_one_that_has_ended(
    client: httpx.AsyncClient, make: Make, worker: Any
) -> None:
    await worker.machine()
    workflow = (await make("workflows"))["id"]
    first = await make("runs", workflow_id=workflow, start_session=True)
    second = await make("runs", workflow_id=workflow, session_id=first["session_id"])
    claim = await worker.next()
    await worker.end(claim, "error")

    in_session = (await retry(client, first["id"])).json()
    await client.patch(f"/v1/runs/{first['id']}", json={"status": "cancelled"})
    claim = await worker.next()
    await worker.end(claim, "error")
    on_its_own = (await retry(client, second["id"])).json()

    assert in_session["session_id"] == first["session_id"]
    assert on_its_own["session_id"] is None


async def test_a_retried_step_of_a_chain_reads_the_outputs_of_the_steps_before_it(
    client: httpx.AsyncClient, make: Make, worker: Any
) -> None:
    await worker.machine()
    workflow = (await make("workflows", main_prompt="Type {x}"))["id"]
    made = await make(
        "runs/chain",
        steps=[
            {"workflow_id": workflow, "session_alias": "one", "inputs": {"x": "1"}},
            {"workflow_id": workflow, "inputs": {"x": {"$ref": "one.outputs.v"}}},
        ],
    )
    for status in ("success", "error"):
        claim = await worker.next()
        await worker.end(claim, status, {"v": "from one"})

    response = await retry(client, made["run_ids"][1])
    claim = await worker.next()

    assert response.status_code == 200, response.text
    assert claim.earlier["one"].output_data == {"v": "from one"}


async def test_a_run_that_left_its_session_goes_to_the_pools_the_session_came_from(
    client: httpx.AsyncClient, make: Make, worker: Any
) -> None:
    pool, workflow = await make("pools", name="p"), (await make("workflows"))["id"]
    in_pool = await worker.machine()
    await client.post(f"/v1/pools/{pool['id']}/machines", json={"machine_ids": [in_pool]})
    first = await make("runs", workflow_id=workflow, pool_ids=[pool["id"]], start_session=True)
    last = await make(
        "runs", workflow_id=workflow, session_id=first["session_id"], release_session_after=True
    )
    while (claim := await worker.claim()) is not None:
        await worker.end(claim)

    again = (await retry(client, last["id"])).json()

    assert (again["session_id"], again["machine_id"], again["pool_ids"]) == (None, None, [pool["id"]])
