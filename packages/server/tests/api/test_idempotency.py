"""Invariant 7: what a write answered under an idempotency key it answers again."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.refusals import LiveViewNotSetUp
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import workflows
from cyberdesk_server.store.tables import idempotency
from cyberdesk_server.testing.rows import an_api_key
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

Make = Callable[..., Awaitable[dict[str, Any]]]
KEY = {"Idempotency-Key": "k-1"}


async def total(client: httpx.AsyncClient, noun: str) -> int:
    answer = await client.get(f"/v1/{noun}")
    return int(answer.json()["total"])


async def test_the_same_write_is_done_once_and_answered_twice(client: httpx.AsyncClient) -> None:
    first = await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)
    second = await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)

    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers["content-type"] == first.headers["content-type"]
    assert await total(client, "workflows") == 1


async def test_an_answer_that_is_given_again_says_so(client: httpx.AsyncClient) -> None:
    first = await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)
    second = await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)

    assert "idempotency-status" not in first.headers
    assert second.headers["idempotency-status"] == "replayed"
    assert second.headers["x-request-id"] != first.headers["x-request-id"]


async def test_while_the_first_is_going_on_others_are_told_to_come_back(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_begun, may_end, add = asyncio.Event(), asyncio.Event(), workflows.add

    async def slow(conn: AsyncConnection, workflow: Workflow) -> None:
        has_begun.set()
        await may_end.wait()
        await add(conn, workflow)

    monkeypatch.setattr(workflows, "add", slow)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(client.post("/v1/workflows", json={"name": "A"}, headers=KEY))
        await has_begun.wait()
        meanwhile = await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)
        may_end.set()
    later = await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)

    told = [meanwhile.headers.get(name) for name in ("idempotency-status", "retry-after")]
    assert (meanwhile.status_code, told) == (409, ["in_progress", "1"])
    assert (later.status_code, later.content) == (201, first.result().content)
    assert await total(client, "workflows") == 1


async def test_a_key_belongs_to_one_request(client: httpx.AsyncClient) -> None:
    await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)

    other = await client.post("/v1/workflows", json={"name": "B"}, headers=KEY)

    assert other.status_code == 422
    assert other.json()["detail"][0]["loc"] == ["header", "Idempotency-Key"]
    assert await total(client, "workflows") == 1


async def test_a_key_belongs_to_one_organization(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    first = await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)
    second = await stranger.post("/v1/workflows", json={"name": "A"}, headers=KEY)

    assert second.json()["id"] != first.json()["id"]


async def test_a_key_belongs_to_one_api_key(
    client: httpx.AsyncClient, connect: Callable[[str], httpx.AsyncClient], parts: Parts
) -> None:
    async with parts.database.transaction() as conn:
        await an_api_key(conn, OrganizationId("org_own"), "cd_second")
    await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)

    async with connect("cd_second") as second:
        answer = await second.post("/v1/workflows", json={"name": "A"}, headers=KEY)

    assert answer.status_code == 422
    assert "with another API key" in answer.json()["detail"][0]["msg"]
    assert await total(client, "workflows") == 1


async def test_what_is_refused_before_the_write_begins_leaves_the_key_free(
    client: httpx.AsyncClient, connect: Callable[[str | None], httpx.AsyncClient]
) -> None:
    async with connect(None) as nobody:
        without_key = await nobody.post("/v1/workflows", json={"name": "A"}, headers=KEY)
    malformed = await client.post("/v1/workflows", json={"name": 7}, headers=KEY)
    made = await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)

    assert [without_key.status_code, malformed.status_code, made.status_code] == [401, 422, 201]


async def test_a_refusal_that_is_the_servers_own_is_not_remembered(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_here(*_: object, **__: object) -> None:
        raise LiveViewNotSetUp

    with monkeypatch.context() as patched:
        patched.setattr(workflows, "add", not_here)
        refused = await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)
    again = await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)

    assert [refused.status_code, again.status_code] == [501, 201]


async def test_a_bug_of_ours_is_not_remembered(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug of ours")

    with monkeypatch.context() as patched:
        patched.setattr(workflows, "add", broken)
        failed = await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)
    again = await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)

    assert [failed.status_code, again.status_code] == [500, 201]
    assert "idempotency-status" not in again.headers


async def test_a_refusal_is_answered_again_as_well(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])
    path = f"/v1/workflows/{workflow['id']}"

    first = await client.delete(path, headers=KEY)
    await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})
    second = await client.delete(path, headers=KEY)
    anew = await client.delete(path, headers={"Idempotency-Key": "k-2"})

    assert [first.status_code, second.status_code, anew.status_code] == [409, 409, 204]


async def test_an_answer_without_a_body_is_answered_again(client: httpx.AsyncClient, make: Make) -> None:
    path = f"/v1/workflows/{(await make('workflows'))['id']}"

    first = await client.delete(path, headers=KEY)
    second = await client.delete(path, headers=KEY)

    assert [first.status_code, second.status_code] == [204, 204]
    assert second.content == b""


async def test_after_a_day_a_key_is_new_again(client: httpx.AsyncClient, clock: Any) -> None:
    await client.post("/v1/workflows", json={"name": "A"}, headers=KEY)
    clock.time += timedelta(hours=24)

    again = await client.post("/v1/workflows", json={"name": "B"}, headers=KEY)

    assert again.status_code == 201
    assert await total(client, "workflows") == 2


async def test_a_key_has_a_largest_length(client: httpx.AsyncClient) -> None:
    long = await client.post("/v1/workflows", json={}, headers={"Idempotency-Key": "k" * 256})
    empty = await client.post("/v1/workflows", json={}, headers={"Idempotency-Key": ""})

    assert [long.status_code, empty.status_code] == [422, 422]
    assert [answer.json()["detail"][0]["loc"] for answer in (long, empty)] == [
        ["header", "Idempotency-Key"]
    ] * 2


async def test_nothing_kept_for_a_key_tells_a_secret(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    """Invariant 6."""
    workflow = await make("workflows", main_prompt="Type {$pin}")
    body = {"workflow_id": workflow["id"], "sensitive_input_values": {"pin": "s3cr3t"}}

    await client.post("/v1/runs", json=body, headers=KEY)

    async with parts.database.read() as conn:
        kept = (await conn.execute(select(idempotency))).one()
    assert b"s3cr3t" not in kept.body
