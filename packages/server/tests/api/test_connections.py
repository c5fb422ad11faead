"""Connections over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.schemas.connections import ConnectionResponse

Make = Callable[..., Awaitable[dict[str, Any]]]


async def test_a_connection_is_noted_as_the_guides_do_it(client: httpx.AsyncClient, make: Make) -> None:
    machine = await make("machines")

    response = await client.post(
        "/v1/connections", json={"machine_id": machine["id"], "connection_type": "vnc"}
    )

    assert response.status_code == 201
    connection = response.json()
    assert connection == {
        "id": connection["id"],
        "machine_id": machine["id"],
        "websocket_id": connection["id"],
        "status": "connected",
        "connected_at": connection["connected_at"],
        "disconnected_at": None,
        "last_ping": connection["connected_at"],
        "ip_address": None,
        "user_agent": None,
    }
    assert set(connection) == set(ConnectionResponse.model_fields)
    assert (await client.get(f"/v1/connections/{connection['id']}")).json() == connection


async def test_a_note_of_a_connection_connects_no_machine(client: httpx.AsyncClient, make: Make) -> None:
    machine = await make("machines")

    await make("connections", machine_id=machine["id"], websocket_id="ws-1")

    assert (await client.get(f"/v1/machines/{machine['id']}")).json()["status"] == "disconnected"


async def test_connections_are_listed_by_machine_and_status(client: httpx.AsyncClient, make: Make) -> None:
    machine, other = await make("machines"), await make("machines")
    first = await make("connections", machine_id=machine["id"])
    second = await make("connections", machine_id=machine["id"])
    await make("connections", machine_id=other["id"])
    await client.patch(f"/v1/connections/{first['id']}", json={"status": "error"})

    async def listed(**query: Any) -> list[str]:
        answer = (await client.get("/v1/connections", params=query)).json()
        return [connection["id"] for connection in answer["items"]]

    assert await listed(machine_id=machine["id"]) == [second["id"], first["id"]]
    assert await listed(status="error") == [first["id"]]
    assert await listed(machine_id=machine["id"], skip=1, limit=1) == [first["id"]]


async def test_a_connection_changes_and_goes(client: httpx.AsyncClient, make: Make) -> None:
    connection = await make("connections", machine_id=(await make("machines"))["id"])
    address = f"/v1/connections/{connection['id']}"
    changes = {"status": "disconnected", "disconnected_at": "2031-01-01T00:00:00Z", "last_ping": None}

    changed = await client.patch(address, json=changes)
    gone = await client.delete(address)

    assert changed.json() == connection | {
        "status": "disconnected",
        "disconnected_at": "2031-01-01T00:00:00Z",
    }
    assert gone.status_code == 204
    for answer in (
        await client.get(address),
        await client.patch(address, json={}),
        await client.delete(address),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"machine_id": "x"}, {"machine_id": None}], ids=["nothing", "no id", "null"]
)
async def test_a_connection_needs_a_machine(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    response = await client.post("/v1/connections", json=body)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "machine_id"]


async def test_an_unknown_machine_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/connections", json={"machine_id": str(uuid4())})).status_code == 404


async def test_the_machine_of_another_organization_is_not_found(
    stranger: httpx.AsyncClient, make: Make
) -> None:
    """Invariant 8."""
    machine = await make("machines")

    assert (await stranger.post("/v1/connections", json={"machine_id": machine["id"]})).status_code == 404
