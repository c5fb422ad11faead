"""Many equal runs at once."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

Make = Callable[..., Awaitable[dict[str, Any]]]


async def test_bulk_makes_that_many_equal_runs(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", main_prompt="Type {x} and {$pin}")
    body = {"workflow_id": workflow["id"], "count": 1000, "input_values": {"x": "1"}}

    response = await client.post("/v1/runs/bulk", json=body | {"sensitive_input_values": {"pin": "7"}})

    answer = response.json()
    made = answer["created_runs"]
    assert (response.status_code, answer["failed_count"], answer["errors"]) == (201, 0, [])
    assert len({one["id"] for one in made}) == 1000
    assert {one["input_values"]["x"] for one in made} == {"1"}
    assert len({one["sensitive_input_aliases"]["pin"] for one in made}) == 1000
    assert (await client.get("/v1/runs", params={"limit": 1})).json()["total"] == 1000


@pytest.mark.parametrize("count", [0, -1, 1001, None, "x"])
async def test_bulk_makes_1_to_1000(client: httpx.AsyncClient, make: Make, count: object) -> None:
    workflow = await make("workflows")

    response = await client.post("/v1/runs/bulk", json={"workflow_id": workflow["id"], "count": count})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "count"]


async def test_bulk_makes_all_runs_or_none(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", main_prompt="Type {x}")

    response = await client.post("/v1/runs/bulk", json={"workflow_id": workflow["id"], "count": 3})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "input_values", "x"]
    assert (await client.get("/v1/runs")).json()["total"] == 0


async def test_bulk_runs_of_one_session_follow_each_other(
    client: httpx.AsyncClient, make: Make, worker: Any
) -> None:
    await worker.machine()
    await worker.machine()
    workflow = await make("workflows")
    body = {"workflow_id": workflow["id"], "count": 3, "start_session": True}

    made = (await client.post("/v1/runs/bulk", json=body)).json()["created_runs"]

    done = []
    while (claim := await worker.claim()) is not None:
        assert await worker.claim() is None
        done.append((str(claim.run.id), claim.machine.id))
        await worker.end(claim)
    assert [run_id for run_id, _ in done] == [one["id"] for one in made]
    assert len({machine_id for _, machine_id in done}) == 1
