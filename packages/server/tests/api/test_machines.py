"""Machines over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.schemas.machines import MachineResponse, MachineResponseWithIncludes
from cyberdesk_server.domain.ids import MachineId, OrganizationId
from cyberdesk_server.store.tables import secrets
from cyberdesk_server.testing.rows import HERE, a_machine, claim_next
from sqlalchemy import select

Make = Callable[..., Awaitable[dict[str, Any]]]
OWN = OrganizationId("org_own")


async def secret_names(parts: Parts, machine_id: str) -> set[str]:
    async with parts.database.read() as conn:
        rows = await conn.execute(
            select(secrets.c.name).where(secrets.c.machine_id == MachineId(UUID(machine_id)))
        )
        return set(rows.scalars())


async def test_a_registered_machine_is_there_before_its_driver(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/v1/machines",
        json={
            "fingerprint": "f-1",
            "unkey_key_id": "key_1",
            "name": "Front desk",
            "description": "by the door",
            "hostname": "PC1",
            "version": "1.0",
            "os_info": "Windows",
            "machine_parameters": {"site": {"id": 1}},
            "machine_sensitive_parameters": {"pin": "1234"},
            "provider": "azure",
        },
    )

    assert response.status_code == 201
    machine = response.json()
    assert machine == {
        "id": machine["id"],
        "organization_id": "org_own",
        "user_id": None,
        "unkey_key_id": "key_1",
        "name": "Front desk",
        "description": "by the door",
        "hostname": "PC1",
        "version": "1.0",
        "os_info": "Windows",
        "status": "disconnected",
        "is_available": True,
        "alerts_enabled": True,
        "machine_parameters": {"site": {"id": 1}},
        "machine_sensitive_parameters": machine["machine_sensitive_parameters"],
        "reserved_session_id": None,
        "linked_keepalive_machine_id": None,
        "physical_server_id": None,
        "pools": [],
        "created_at": "2030-01-01T12:00:01Z",
        "last_seen": "2030-01-01T12:00:01Z",
    }
    assert machine["machine_sensitive_parameters"]["pin"].startswith("secret_")
    assert "1234" not in response.text
    assert set(machine) == set(MachineResponse.model_fields)
    got = (await client.get(f"/v1/machines/{machine['id']}", params={"include": "pools"})).json()
    assert got == machine | {"included": []}
    assert set(got) == set(MachineResponseWithIncludes.model_fields)


async def test_a_name_is_enough(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/machines", json={"name": "My Machine", "provider": "azure"})

    assert response.status_code == 201


async def test_a_fingerprint_is_unique_in_an_organization(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, make: Make
) -> None:
    await make("machines", fingerprint="f-1")

    again = await client.post("/v1/machines", json={"fingerprint": "f-1"})
    elsewhere = await stranger.post("/v1/machines", json={"fingerprint": "f-1"})

    assert [again.status_code, elsewhere.status_code] == [409, 201]


@pytest.mark.parametrize(
    "body",
    [
        {"fingerprint": ""},
        {"fingerprint": "f" * 37},
        {"name": "n" * 256},
        {"version": "v" * 51},
        {"machine_parameters": []},
        {"machine_sensitive_parameters": {"pin": 1234}},
    ],
)
async def test_what_cannot_be_stored_names_the_field(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    response = await client.post("/v1/machines", json=body)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][:2] == ["body", *body]


async def test_machines_are_listed_and_filtered(client: httpx.AsyncClient, parts: Parts, make: Make) -> None:
    async with parts.database.transaction() as conn:
        await a_machine(conn, OWN, name="Front desk", hostname="PC1")
    office = await make("machines", name="Office")

    async def found(**query: Any) -> list[str]:
        answer = (await client.get("/v1/machines", params=query)).json()
        return [item["name"] for item in answer["items"]]

    assert await found() == ["Office", "Front desk"]
    assert await found(limit=1) == ["Office"]
    assert await found(search="DESK") == ["Front desk"]
    assert await found(search="pc1") == ["Front desk"]
    assert await found(search=office["id"]) == ["Office"]
    assert await found(name="Office") == ["Office"]
    assert await found(name="Off") == []
    assert await found(status="connected") == ["Front desk"]
    assert await found(created_at_from=office["created_at"]) == ["Office"]
    assert await found(created_at_to="2030-01-01T12:00:00Z") == ["Front desk"]


async def test_an_update_changes_what_is_sent(client: httpx.AsyncClient, make: Make) -> None:
    machine = await make("machines", name="A", machine_parameters={"x": 1}, description="kept")
    path = f"/v1/machines/{machine['id']}"

    renamed = (await client.patch(path, json={"name": "B", "is_available": None})).json()
    cleared = (await client.patch(path, json={"machine_parameters": {}, "alerts_enabled": False})).json()

    assert renamed == machine | {"name": "B"}
    assert cleared == renamed | {"machine_parameters": None, "alerts_enabled": False}


async def test_secrets_are_added_replaced_removed_and_cleared(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    machine = await make("machines", machine_sensitive_parameters={"a": "1", "b": "2"})
    path = f"/v1/machines/{machine['id']}"
    before = machine["machine_sensitive_parameters"]

    changed = await client.patch(path, json={"machine_sensitive_parameters": {"a": None, "b": "3", "c": "4"}})
    after = changed.json()["machine_sensitive_parameters"]
    names = await secret_names(parts, machine["id"])
    await client.patch(path, json={"name": "untouched"})
    untouched = await secret_names(parts, machine["id"])
    cleared = await client.patch(path, json={"machine_sensitive_parameters": {}})

    assert set(after) == names == untouched == {"b", "c"}
    assert after["b"] != before["b"]
    assert cleared.json()["machine_sensitive_parameters"] is None
    assert await secret_names(parts, machine["id"]) == set()


async def test_a_machine_made_available_wakes_the_workers(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    machine = await make("machines")

    async with parts.bus.listen("machines.free") as heard:
        await client.patch(f"/v1/machines/{machine['id']}", json={"is_available": True})

        assert (await anext(heard))[0] == "machines.free"


async def test_a_reservation_can_be_cleared_but_not_made(client: httpx.AsyncClient, make: Make) -> None:
    path = f"/v1/machines/{(await make('machines'))['id']}"

    cleared = await client.patch(path, json={"reserved_session_id": None})
    made = await client.patch(path, json={"reserved_session_id": str(uuid4())})

    assert (cleared.status_code, cleared.json()["reserved_session_id"]) == (200, None)
    assert made.status_code == 422


async def test_a_status_that_is_told_holds_until_the_connection_says_something_else(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    async with parts.database.transaction() as conn:
        machine = await a_machine(conn, OWN)
    path = f"/v1/machines/{machine.id}"
    told = {"status": "error", "last_seen": "2030-01-01T14:00:00+02:00"}

    answer = (await client.patch(path, json=told)).json()
    ignored = (await client.patch(path, json={"status": None, "last_seen": None})).json()
    async with parts.database.transaction() as conn:
        await a_machine(conn, OWN, fingerprint=machine.fingerprint)
    anew = (await client.get(path)).json()

    assert (answer["status"], answer["last_seen"]) == ("error", "2030-01-01T12:00:00Z")
    assert ignored == answer
    assert anew["status"] == "connected"


@pytest.mark.parametrize("status", ["error", "disconnected"])
async def test_a_connected_machine_that_is_told_to_be_out_of_order_gets_no_runs_until_it_is_set_back(
    client: httpx.AsyncClient, parts: Parts, make: Make, status: str, worker: Any
) -> None:
    await make("runs", workflow_id=(await make("workflows"))["id"])
    async with parts.database.transaction() as conn:
        machine = await a_machine(conn, OWN)

    await client.patch(f"/v1/machines/{machine.id}", json={"status": status})
    out_of_order = await worker.claim()
    async with parts.bus.listen("machines.free") as heard:
        await client.patch(f"/v1/machines/{machine.id}", json={"status": "connected"})
        assert (await anext(heard))[0] == "machines.free"
    set_back = await worker.claim()

    assert out_of_order is None
    assert set_back is not None


async def test_a_machine_without_a_connection_gets_no_runs_whatever_its_status_says(
    client: httpx.AsyncClient, parts: Parts, make: Make, worker: Any
) -> None:
    await make("runs", workflow_id=(await make("workflows"))["id"])
    machine = await make("machines")

    answer = await client.patch(f"/v1/machines/{machine['id']}", json={"status": "connected"})

    assert answer.json()["status"] == "connected"
    assert await worker.claim() is None


async def test_a_machine_with_a_run_cannot_be_deleted(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    workflow = await make("workflows")
    await make("runs", workflow_id=workflow["id"])
    async with parts.database.transaction() as conn:
        machine = await a_machine(conn, OWN)
        await claim_next(conn, server_id=HERE, now=parts.clock.now(), lease_seconds=30)

    response = await client.delete(f"/v1/machines/{machine.id}")

    assert (response.status_code, response.json()) == (
        409,
        {"detail": f"a run is going on on machine {machine.id}"},
    )


async def test_a_deleted_machine_takes_its_secrets_along(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    machine = await make("machines", machine_sensitive_parameters={"pin": "1"})

    deleted = await client.delete(f"/v1/machines/{machine['id']}")

    assert deleted.status_code == 204
    assert await secret_names(parts, machine["id"]) == set()
    assert (await client.get(f"/v1/machines/{machine['id']}")).status_code == 404


async def test_the_pools_of_a_machine_are_replaced_as_a_set(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    machine = await make("machines")
    left, kept, joined = [await make("pools", name=name) for name in ("left", "kept", "joined")]
    path = f"/v1/machines/{machine['id']}"
    await client.put(f"{path}/pools", json={"pool_ids": [left["id"], kept["id"]]})

    async with parts.bus.listen("machines.free") as heard:
        answer = await client.put(f"{path}/pools", json={"pool_ids": [kept["id"], joined["id"], kept["id"]]})
        assert (await anext(heard))[0] == "machines.free"

    its_pools = [pool | {"machine_count": 1} for pool in (joined, kept)]
    assert (answer.status_code, answer.json()) == (200, machine | {"pools": its_pools})
    assert (await client.get(f"{path}/pools")).json() == its_pools
    assert (await client.patch(path, json={"name": None})).json()["pools"] == its_pools
    with_pools = {"pools": its_pools, "included": [{"type": "pool", **pool} for pool in its_pools]}
    assert (await client.get(path, params={"include": "pools"})).json() == machine | with_pools
    listed = (await client.get("/v1/machines", params={"include": "pools"})).json()
    assert (listed["items"][0]["pools"], listed["included"]) == (its_pools, with_pools["included"])
    assert (await client.get("/v1/machines")).json()["included"] is None


async def test_an_unknown_pool_changes_nothing(client: httpx.AsyncClient, make: Make) -> None:
    machine, pool = await make("machines"), await make("pools", name="A")
    path = f"/v1/machines/{machine['id']}/pools"

    answer = await client.put(path, json={"pool_ids": [pool["id"], str(UUID(int=1))]})

    assert (answer.status_code, answer.json()) == (404, {"detail": f"pool {UUID(int=1)} not found"})
    assert (await client.get(path)).json() == []
