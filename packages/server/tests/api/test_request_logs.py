"""Request logs over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.schemas.request_logs import RequestLogResponse

Make = Callable[..., Awaitable[dict[str, Any]]]
NOTE = {"request_id": "r-1", "method": "GET", "path": "/computer/display/dimensions"}


async def test_a_request_is_noted(client: httpx.AsyncClient, make: Make) -> None:
    machine = await make("machines")
    ended = {"status_code": 200, "request_size_bytes": 0, "response_size_bytes": 5, "duration_ms": 3}

    log = await make("request-logs", machine_id=machine["id"], **NOTE, **ended)

    assert log == {
        **NOTE,
        **ended,
        "id": log["id"],
        "machine_id": machine["id"],
        "organization_id": "org_own",
        "error_message": None,
        "created_at": log["created_at"],
        "completed_at": None,
    }
    assert set(log) == set(RequestLogResponse.model_fields)
    assert (await client.get(f"/v1/request-logs/{log['id']}")).json() == log


async def test_logs_are_listed_by_machine_method_and_status(client: httpx.AsyncClient, make: Make) -> None:
    machine, other = await make("machines"), await make("machines")
    first = await make("request-logs", machine_id=machine["id"], **NOTE, status_code=404)
    second = await make("request-logs", machine_id=machine["id"], **NOTE | {"method": "POST"})
    third = await make("request-logs", machine_id=other["id"], **NOTE)

    async def listed(**query: Any) -> list[str]:
        answer = (await client.get("/v1/request-logs", params=query)).json()
        return [log["id"] for log in answer["items"]]

    assert await listed() == [third["id"], second["id"], first["id"]]
    assert await listed(machine_id=machine["id"]) == [second["id"], first["id"]]
    assert await listed(method="POST") == [second["id"]]
    assert await listed(status_code=404) == [first["id"]]
    assert await listed(skip=1, limit=1) == [second["id"]]


async def test_a_log_changes_and_goes(client: httpx.AsyncClient, make: Make) -> None:
    log = await make("request-logs", machine_id=(await make("machines"))["id"], **NOTE)
    address = f"/v1/request-logs/{log['id']}"
    changes = {"status_code": 504, "completed_at": "2031-01-01T00:00:00Z", "error_message": "too slow"}

    changed = await client.patch(address, json=changes)
    gone = await client.delete(address)

    assert changed.json() == log | changes
    assert gone.status_code == 204
    for answer in (
        await client.get(address),
        await client.patch(address, json={}),
        await client.delete(address),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize("field", ["request_id", "method", "path", "machine_id"])
async def test_a_log_needs_its_request(client: httpx.AsyncClient, make: Make, field: str) -> None:
    note = {**NOTE, "machine_id": (await make("machines"))["id"]}
    del note[field]

    response = await client.post("/v1/request-logs", json=note)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", field]


@pytest.mark.parametrize("count", [-1, 2**31])
async def test_a_number_that_cannot_be_kept_is_refused(
    client: httpx.AsyncClient, make: Make, count: int
) -> None:
    note = {**NOTE, "machine_id": (await make("machines"))["id"], "duration_ms": count}

    written = await client.post("/v1/request-logs", json=note)
    asked = await client.get("/v1/request-logs", params={"status_code": count})

    assert [written.status_code, asked.status_code] == [422, 422]


async def test_an_unknown_machine_is_not_found(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, make: Make
) -> None:
    """Invariant 8."""
    machine = await make("machines")

    unknown = await client.post("/v1/request-logs", json={**NOTE, "machine_id": str(uuid4())})
    foreign = await stranger.post("/v1/request-logs", json={**NOTE, "machine_id": machine["id"]})

    assert [unknown.status_code, foreign.status_code] == [404, 404]
