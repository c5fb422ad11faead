"""Invariant 7: what a write answered under an idempotency key it answers again."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.store.tables import idempotency
from sqlalchemy import select

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


async def test_two_at_the_same_time_run_once(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(client.post("/v1/workflows", json={"name": "A"}, headers=KEY) for _ in range(5))
    )

    assert len({answer.content for answer in answers}) == 1
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
