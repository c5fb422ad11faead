"""Runs that ask for a machine of pools."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

Make = Callable[..., Awaitable[dict[str, Any]]]


async def test_a_run_of_pools_takes_a_machine_that_is_in_all_of_them(
    client: httpx.AsyncClient, make: Make, worker: Any
) -> None:
    one, two = await make("pools", name="one"), await make("pools", name="two")
    in_one, in_both = await worker.machine(), await worker.machine()
    await client.post(f"/v1/pools/{one['id']}/machines", json={"machine_ids": [in_one, in_both]})
    await client.post(f"/v1/pools/{two['id']}/machines", json={"machine_ids": [in_both]})
    workflow = (await make("workflows"))["id"]
    made = await make("runs", workflow_id=workflow, pool_ids=[one["id"], two["id"]])
    again = await make("runs", workflow_id=workflow, pool_ids=[two["id"], one["id"]])

    claim = await worker.next()

    assert (str(claim.run.id), str(claim.machine.id)) == (made["id"], in_both)
    assert made["pool_ids"] == [one["id"], two["id"]]
    assert await worker.claim() is None
    await worker.end(claim)
    assert await worker.claimed() == again["id"]


async def test_a_run_of_pools_waits_until_a_machine_joins_the_last_of_them(
    client: httpx.AsyncClient, make: Make, worker: Any
) -> None:
    pool = await make("pools", name="one")
    machine_id = await worker.machine()
    made = await make("runs", workflow_id=(await make("workflows"))["id"], pool_ids=[pool["id"]])
    assert await worker.claim() is None

    await client.post(f"/v1/pools/{pool['id']}/machines", json={"machine_ids": [machine_id]})

    assert await worker.claimed() == made["id"]


async def test_pool_parameters_are_below_the_run_and_the_machine_above(
    client: httpx.AsyncClient, make: Make, worker: Any
) -> None:
    pool = await make("pools", name="p", pool_parameters={"a": "pool", "b": "pool", "c": "pool"})
    machine_id = await worker.machine(machine_parameters={"c": "machine"})
    await client.post(f"/v1/pools/{pool['id']}/machines", json={"machine_ids": [machine_id]})
    workflow = (await make("workflows", main_prompt="Type {a}{b}{c}"))["id"]

    made = await make(
        "runs", workflow_id=workflow, pool_ids=[pool["id"]], input_values={"b": "run", "c": "run"}
    )
    refused = await client.post("/v1/runs", json={"workflow_id": workflow, "machine_id": machine_id})

    claim = await worker.next()
    assert claim.pool_parameters == {"a": "pool", "b": "pool", "c": "pool"}
    assert made["input_values"] == {"b": "run", "c": "run"}
    assert [problem["loc"][-1] for problem in refused.json()["detail"]] == ["a", "b"]
