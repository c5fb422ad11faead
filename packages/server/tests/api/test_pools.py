"""Pools over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.schemas.pool_members import MAX_IDS, PoolResponseWithIncludes, PoolWithMachines
from cyberdesk_server.api.schemas.pools import PoolResponse
from cyberdesk_server.domain.ids import PoolId
from cyberdesk_server.store.tables import pool_sets, runs, secrets
from sqlalchemy import select, update

Make = Callable[..., Awaitable[dict[str, Any]]]


async def secret_names(parts: Parts, pool_id: str) -> set[str]:
    async with parts.database.read() as conn:
        rows = await conn.execute(select(secrets.c.name).where(secrets.c.pool_id == PoolId(UUID(pool_id))))
        return set(rows.scalars())


async def test_a_pool_is_made_and_read_back(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/v1/pools",
        json={
            "name": "Front desks",
            "description": "by the door",
            "pool_parameters": {"site": {"id": 1}},
            "pool_sensitive_parameters": {"pin": "1234"},
        },
    )

    assert response.status_code == 201
    pool = response.json()
    assert pool == {
        "id": pool["id"],
        "organization_id": "org_own",
        "name": "Front desks",
        "description": "by the door",
        "pool_parameters": {"site": {"id": 1}},
        "pool_sensitive_parameters": pool["pool_sensitive_parameters"],
        "machine_count": 0,
        "created_at": "2030-01-01T12:00:01Z",
        "updated_at": "2030-01-01T12:00:01Z",
    }
    assert pool["pool_sensitive_parameters"]["pin"].startswith("secret_")
    assert "1234" not in response.text
    assert set(pool) == set(PoolResponse.model_fields)
    got = (await client.get(f"/v1/pools/{pool['id']}")).json()
    assert got == pool | {"machines": None, "included": None}
    assert set(got) == set(PoolResponseWithIncludes.model_fields)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": None},
        {"name": ""},
        {"name": "n" * 256},
        {"name": "n", "pool_parameters": []},
        {"name": "n", "pool_sensitive_parameters": {"pin": 1234}},
        {"name": "n", "pool_sensitive_parameters": {"pin": None}},
    ],
)
async def test_what_is_no_pool_names_the_field(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    response = await client.post("/v1/pools", json=body)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][:2] == ["body", list(body)[-1] if body else "name"]


async def test_pools_are_listed_newest_first_with_their_machines(
    client: httpx.AsyncClient, make: Make
) -> None:
    first, second = await make("pools", name="A"), await make("pools", name="B")
    machine = await make("machines")
    await client.put(f"/v1/machines/{machine['id']}/pools", json={"pool_ids": [first["id"], second["id"]]})

    everything = (await client.get("/v1/pools", params={"include": "machines"})).json()
    one = (await client.get("/v1/pools", params={"skip": 1, "limit": 1})).json()

    pools = [pool | {"machine_count": 1} for pool in (second, first)]
    members = [{"type": "machine", **machine, "pools": pools}]
    assert everything == {"items": pools, "total": 2, "skip": 0, "limit": 100, "included": members}
    assert one == {"items": pools[1:], "total": 2, "skip": 1, "limit": 1, "included": None}


async def test_an_update_changes_what_is_sent(client: httpx.AsyncClient, make: Make) -> None:
    pool = await make("pools", name="A", description="kept", pool_parameters={"x": 1})
    path = f"/v1/pools/{pool['id']}"

    untouched = (await client.patch(path, json={"name": None})).json()
    renamed = (await client.patch(path, json={"name": "B"})).json()
    cleared = (await client.patch(path, json={"pool_parameters": {}, "description": None})).json()

    assert untouched == pool
    assert renamed == pool | {"name": "B", "updated_at": renamed["updated_at"]}
    assert renamed["updated_at"] > pool["updated_at"]
    assert cleared == renamed | {
        "pool_parameters": None,
        "description": None,
        "updated_at": cleared["updated_at"],
    }


async def test_secrets_are_added_replaced_removed_and_cleared(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    pool = await make("pools", name="A", pool_sensitive_parameters={"a": "1", "b": "2"})
    path = f"/v1/pools/{pool['id']}"
    before = pool["pool_sensitive_parameters"]

    changed = await client.patch(path, json={"pool_sensitive_parameters": {"a": None, "b": "3", "c": "4"}})
    after = changed.json()["pool_sensitive_parameters"]
    names = await secret_names(parts, pool["id"])
    await client.patch(path, json={"name": "untouched"})
    untouched = await secret_names(parts, pool["id"])
    cleared = await client.patch(path, json={"pool_sensitive_parameters": {}})

    assert set(after) == names == untouched == {"b", "c"}
    assert after["b"] != before["b"]
    assert cleared.json()["pool_sensitive_parameters"] is None
    assert await secret_names(parts, pool["id"]) == set()


async def test_machines_are_added_and_removed(client: httpx.AsyncClient, parts: Parts, make: Make) -> None:
    pool = await make("pools", name="A")
    older, newer = await make("machines"), await make("machines")
    path = f"/v1/pools/{pool['id']}"

    async with parts.bus.listen("machines.free") as heard:
        added = await client.post(
            f"{path}/machines", json={"machine_ids": [older["id"], newer["id"], older["id"]]}
        )
        assert (await anext(heard))[0] == "machines.free"
    removed = await client.request("DELETE", f"{path}/machines", json={"machine_ids": [older["id"]]})
    removed_again = await client.request("DELETE", f"{path}/machines", json={"machine_ids": [older["id"]]})

    both = pool | {"machine_count": 2}
    members = [machine | {"pools": [both]} for machine in (newer, older)]
    assert (added.status_code, added.json()) == (200, both | {"machines": members})
    assert set(added.json()) == set(PoolWithMachines.model_fields)
    assert [removed.status_code, removed_again.status_code] == [204, 204]
    one = pool | {"machine_count": 1}
    left = newer | {"pools": [one]}
    got = (await client.get(path, params={"include_machines": "true", "include": "machines"})).json()
    assert got == one | {"machines": [left], "included": [{"type": "machine", **left}]}


async def test_an_unknown_machine_changes_nothing(client: httpx.AsyncClient, make: Make) -> None:
    pool, machine = await make("pools", name="A"), await make("machines")
    path = f"/v1/pools/{pool['id']}"
    nowhere = str(uuid4())

    answer = await client.post(f"{path}/machines", json={"machine_ids": [machine["id"], nowhere]})

    assert (answer.status_code, answer.json()) == (404, {"detail": f"machine {nowhere} not found"})
    assert (await client.get(path)).json()["machine_count"] == 0


async def test_a_list_of_ids_has_a_largest_length(client: httpx.AsyncClient, make: Make) -> None:
    pool = await make("pools", name="A")

    async def add(count: int) -> int:
        ids = [str(UUID(int=number)) for number in range(count)]
        return (await client.post(f"/v1/pools/{pool['id']}/machines", json={"machine_ids": ids})).status_code

    assert [await add(MAX_IDS), await add(MAX_IDS + 1)] == [404, 422]


async def test_a_deleted_pool_takes_its_secrets_along_and_leaves_its_machines(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    pool = await make("pools", name="A", pool_sensitive_parameters={"pin": "1"})
    machine = await make("machines")
    await client.post(f"/v1/pools/{pool['id']}/machines", json={"machine_ids": [machine["id"]]})

    deleted = await client.delete(f"/v1/pools/{pool['id']}")

    assert deleted.status_code == 204
    assert await secret_names(parts, pool["id"]) == set()
    assert (await client.get(f"/v1/pools/{pool['id']}")).status_code == 404
    assert (await client.get(f"/v1/machines/{machine['id']}")).json() == machine | {"included": None}


async def test_runs_that_wait_for_a_machine_in_a_deleted_pool_end_with_the_reason(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    workflow, pool = await make("workflows"), await make("pools", name="A")
    lost, other = [await make("runs", workflow_id=workflow["id"]) for _ in range(2)]
    async with parts.database.transaction() as conn:
        of_pool = {"demand": "pools:x", "organization_id": "org_own", "pool_id": UUID(pool["id"])}
        await conn.execute(pool_sets.insert(), of_pool)
        await conn.execute(update(runs).where(runs.c.id == UUID(lost["id"])).values(demand="pools:x"))

    async with parts.bus.listen(f"run.{lost['id']}") as heard:
        await client.delete(f"/v1/pools/{pool['id']}")
        await anext(heard)

    ended = (await client.get(f"/v1/runs/{lost['id']}")).json()
    reason = f"pool {pool['id']}, which this run named, was deleted"
    assert (ended["status"], ended["error"]) == ("error", [reason])
    assert (await client.get(f"/v1/runs/{other['id']}")).json()["status"] == "scheduling"
    async with parts.database.read() as conn:
        assert (await conn.execute(select(pool_sets))).all() == []
