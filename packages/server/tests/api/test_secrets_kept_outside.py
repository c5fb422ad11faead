"""With a vault outside, no request leaves a secret in the database, and none outside that nobody needs."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from cyberdesk_server.adapters.vault import EnvelopeVault, KeptOutside, MasterKey
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.sealed import is_elsewhere
from cyberdesk_server.store.tables import secrets
from cyberdesk_server.testing.ports import MemoryKeeper
from cyberdesk_server.usecases.places import empty_due
from sqlalchemy import select

Make = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def keeper() -> MemoryKeeper:
    return MemoryKeeper()


@pytest.fixture
async def parts(parts: Parts, keeper: MemoryKeeper) -> Parts:
    vault = KeptOutside(keeper, EnvelopeVault(MasterKey(bytes(32))), parts.clock)
    return replace(parts, vault=vault)


async def kept(parts: Parts, keeper: MemoryKeeper) -> list[str]:
    """What is outside once all is cleared away; the database has exactly the places of that."""
    await empty_due(parts.database, parts.vault, now=parts.clock.now())
    async with parts.database.read() as conn:
        rows = (await conn.execute(select(secrets.c.sealed))).scalars().all()
    assert all(map(is_elsewhere, rows))
    assert {row[1:] for row in rows} == {secret_id.bytes for _, secret_id in keeper.kept}
    return sorted(keeper.kept.values())


async def test_secrets_of_runs(
    client: httpx.AsyncClient, make: Make, parts: Parts, keeper: MemoryKeeper
) -> None:
    workflow = await make("workflows", main_prompt="Type {$a}")
    secret = {"workflow_id": workflow["id"], "sensitive_input_values": {"a": "one"}}

    run = await make("runs", **secret)
    assert await kept(parts, keeper) == ['"one"']

    assert (await client.post("/v1/runs/bulk", json={**secret, "count": 3})).status_code == 201
    assert await kept(parts, keeper) == ['"one"'] * 4

    steps = [{**secret, "sensitive_inputs": {"a": "own"}}, {"workflow_id": workflow["id"]}]
    chain = {"steps": steps, "shared_sensitive_inputs": {"a": "shared", "b": "also"}}
    assert (await client.post("/v1/runs/chain", json=chain)).status_code == 201
    assert await kept(parts, keeper) == ['"also"', '"also"', *['"one"'] * 4, '"own"', '"shared"']

    cancelled = await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})
    assert cancelled.status_code == 200
    assert (await kept(parts, keeper)).count('"one"') == 3

    again = {"sensitive_input_values": {"a": "again"}}
    assert (await client.post(f"/v1/runs/{run['id']}/retry", json=again)).status_code == 200
    assert (await kept(parts, keeper)).count('"again"') == 1


@pytest.mark.parametrize("kind", ["machine", "pool"])
async def test_secrets_of_machines_and_pools(
    client: httpx.AsyncClient, make: Make, parts: Parts, keeper: MemoryKeeper, kind: str
) -> None:
    name = f"{kind}_sensitive_parameters"
    made = await make(f"{kind}s", name="m", **{name: {"a": "1", "b": "2"}})
    path = f"/v1/{kind}s/{made['id']}"
    assert await kept(parts, keeper) == ['"1"', '"2"']

    changed = await client.patch(path, json={name: {"a": "3", "b": None}})
    assert changed.status_code == 200
    assert await kept(parts, keeper) == ['"3"']

    assert (await client.delete(path)).status_code == 204
    assert await kept(parts, keeper) == []


async def test_a_refused_request_leaves_nothing_outside(
    client: httpx.AsyncClient, make: Make, parts: Parts, keeper: MemoryKeeper
) -> None:
    workflow = await make("workflows", main_prompt="Type {$a} {$b}")
    body = {"workflow_id": workflow["id"], "sensitive_input_values": {"a": "one"}}

    assert (await client.post("/v1/runs", json=body)).status_code == 422
    assert await kept(parts, keeper) == []


async def test_a_repeated_request_leaves_one_secret(
    client: httpx.AsyncClient, make: Make, parts: Parts, keeper: MemoryKeeper
) -> None:
    workflow = await make("workflows", main_prompt="Type {$a}")
    body = {"workflow_id": workflow["id"], "sensitive_input_values": {"a": "one"}}

    for _ in range(2):
        answer = await client.post("/v1/runs", json=body, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 201

    assert await kept(parts, keeper) == ['"one"']


async def test_a_vault_that_is_away_is_a_503_and_nothing_was_done(
    client: httpx.AsyncClient, make: Make, keeper: MemoryKeeper
) -> None:
    workflow = await make("workflows", main_prompt="Type {$a}")
    keeper.is_away = True
    body = {"workflow_id": workflow["id"], "sensitive_input_values": {"a": "one"}}

    answer = await client.post("/v1/runs", json=body)

    assert (answer.status_code, answer.json()) == (503, {"detail": "the keeper is away"})
    assert (await client.get("/v1/runs")).json()["total"] == 0
