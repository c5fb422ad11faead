"""Every write is noted with its key, its targets and its outcome, and never with what was in it."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cyberdesk_server.api.named_ids import MAX_NAMED_IDS
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.rates import Rates
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.organizations import KeyScope
from cyberdesk_server.store import audit_log
from cyberdesk_server.testing.api import an_api, the_description
from cyberdesk_server.testing.description import Description, last_name
from cyberdesk_server.testing.rows import an_api_key
from cyberdesk_server.usecases.audit_log import Trail

OWN = OrganizationId("org_own")
NOBODYS = "5a6b7c8d-0000-4000-8000-000000000000"
Entries = list[dict[str, Any]]


@pytest.fixture
def parts(parts: Parts) -> Parts:
    return replace(parts, audit=Trail(parts.database))


@pytest.fixture
def entries(parts: Parts, client: httpx.AsyncClient) -> Callable[..., Any]:
    """All entries that were noted, oldest first, or those that match a filter."""

    async def entries(**query: Any) -> Entries:
        assert parts.audit is not None
        await parts.audit.write()
        page = (await client.get("/v1/audit-log", params={"limit": 1000, **query})).json()
        assert page["total"] == len(page["items"])
        found: Entries = page["items"]
        return found[::-1]

    return entries


async def test_a_write_is_an_entry(client: httpx.AsyncClient, entries: Any, make: Any, parts: Parts) -> None:
    workflow = await make("workflows", name="secret name")
    changed = await client.patch(f"/v1/workflows/{workflow['id']}", json={"name": "secret name"})

    made, patched = await entries()

    assert made["operation"] == "POST /v1/workflows"
    assert (made["target_ids"], made["status_code"]) == ([workflow["id"]], 201)
    assert {**patched, "at": "", "hash": "", "api_key_id": ""} == {
        "number": 2,
        "at": "",
        "api_key_id": "",
        "actor": "test",
        "operation": "PATCH /v1/workflows/{workflow_id}",
        "target_ids": [workflow["id"]],
        "status_code": 200,
        "request_id": changed.headers["x-request-id"],
        "hash": "",
    }
    assert "secret name" not in str((made, patched))


async def test_runs_that_were_made_together_are_all_named(
    client: httpx.AsyncClient, entries: Any, make: Any
) -> None:
    workflow = await make("workflows")
    bulk = await client.post("/v1/runs/bulk", json={"workflow_id": workflow["id"], "count": 3})
    step = {"workflow_id": workflow["id"], "session_alias": "a"}
    chain = await client.post("/v1/runs/chain", json={"steps": [step, {**step, "session_alias": "b"}]})

    _, of_bulk, of_chain = await entries()

    assert of_bulk["target_ids"] == [workflow["id"], *(run["id"] for run in bulk.json()["created_runs"])]
    assert of_chain["target_ids"] == [workflow["id"], *chain.json()["run_ids"]]


async def test_what_a_body_names_is_found_by_it(entries: Any, make: Any) -> None:
    workflow, machine = await make("workflows"), await make("machines", name="m")
    inputs = {"patient_id": NOBODYS}
    run = await make("runs", workflow_id=workflow["id"], machine_id=machine["id"], input_values=inputs)

    [entry] = await entries(operation="POST /v1/runs")

    assert entry["target_ids"] == [workflow["id"], machine["id"], run["id"]]
    assert await entries(target_id=machine["id"], operation="POST /v1/runs") == [entry]


async def test_an_id_is_noted_in_one_spelling(client: httpx.AsyncClient, entries: Any, make: Any) -> None:
    pool, machine = await make("pools", name="p"), await make("machines", name="m")
    named = {"machine_ids": [machine["id"].replace("-", ""), machine["id"].upper()]}
    answer = await client.post(f"/v1/pools/{pool['id'].upper()}/machines", json=named)

    *_, entry = await entries()

    assert (answer.status_code, entry["status_code"]) == (200, 200)
    assert entry["target_ids"] == [pool["id"], machine["id"]]


async def test_what_is_no_id_is_not_noted(client: httpx.AsyncClient, entries: Any) -> None:
    body = {"workflow_id": "secret name", "machine_id": ["secret name"], "pool_ids": {"a": "secret name"}}
    await client.post("/v1/runs", json=body)

    [entry] = await entries()

    assert (entry["status_code"], entry["target_ids"]) == (422, [])


async def test_every_member_that_is_called_an_id_is_noted(
    client: httpx.AsyncClient, entries: Any, own: dict[str, str]
) -> None:
    described = Description(the_description())
    places = [
        (name, place)
        for name in described.operations
        if (body := described.body(name))
        for place, schema in described.fields(body)
        if re.fullmatch(r"ids|.*_ids?", last_name(place)) and schema.get("type") == "string"
    ]

    for name, place in places:
        method, path = name.split(" ")
        asked = described.body(name)
        assert asked is not None
        body = described.filled(asked, place, NOBODYS, lambda _: str(uuid4()))
        await client.request(method, path.format(**own), json=body)

    noted = await entries(target_id=NOBODYS)
    assert [entry["operation"] for entry in noted] == [name for name, _ in places]
    assert len(noted) > 20


async def test_a_body_may_name_many_but_only_so_many_are_noted(
    client: httpx.AsyncClient, entries: Any, own: dict[str, str]
) -> None:
    ids = [str(UUID(int=number)) for number in range(MAX_NAMED_IDS + 1)]
    await client.post(f"/v1/pools/{own['pool_id']}/machines", json={"machine_ids": ids})

    *_, entry = await entries()

    assert entry["target_ids"] == [own["pool_id"], *ids[:MAX_NAMED_IDS]]


async def test_every_write_is_noted_and_no_reading_is(
    client: httpx.AsyncClient, entries: Any, own: dict[str, str]
) -> None:
    operations = [
        (method.upper(), path)
        for path, found in the_description()["paths"].items()
        for method in found
        if path != "/v1/audit-log"
    ]
    before = len(await entries())

    answers = [
        (f"{method} {path}", await client.request(method, path.format(**own), content=b"{"))
        for method, path in operations
    ]

    noted = (await entries())[before:]
    assert [(entry["operation"], entry["status_code"], entry["request_id"]) for entry in noted] == [
        (name, answer.status_code, answer.headers["x-request-id"])
        for name, answer in answers
        if not name.startswith("GET ")
    ]


async def test_what_a_key_may_not_do_is_noted_too(
    parts: Parts, connect: Callable[[str | None], httpx.AsyncClient], entries: Any
) -> None:
    async with parts.database.transaction() as conn:
        key = await an_api_key(conn, OWN, "cd_read", scope=KeyScope.READ)
    async with connect("cd_read") as reader, connect(None) as nobody:
        await reader.post("/v1/runs", json={})
        await nobody.post("/v1/runs", json={})

    [entry] = await entries()

    assert (entry["api_key_id"], entry["status_code"]) == (str(key.id), 403)
    assert await entries(api_key_id=str(key.id), status_code=403) == [entry]
    assert await entries(status_code=201) == []


async def test_a_key_that_asks_too_often_does_not_fill_the_log(parts: Parts) -> None:
    api = an_api(replace(parts, rates=Rates(1, 3600)))
    headers = {"Authorization": "Bearer cd_own"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api), base_url="http://server", headers=headers
    ) as client:
        answers = [await client.post("/v1/pools", json={"name": "p"}) for _ in range(3)]

    assert parts.audit is not None
    await parts.audit.write()
    async with parts.database.read() as conn:
        assert (await audit_log.head(conn, OWN)).number == 1
    assert [answer.status_code for answer in answers] == [201, 429, 429]


async def test_a_bug_of_ours_is_noted(
    parts: Parts, client: httpx.AsyncClient, entries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("cyberdesk_server.usecases.pools.create", broken)
    answer = await client.post("/v1/pools", json={"name": "p"})

    [entry] = await entries()

    assert answer.status_code == entry["status_code"] == 500


async def test_filters_find_by_operation_target_and_time(
    client: httpx.AsyncClient, entries: Any, make: Any
) -> None:
    one, two = await make("pools", name="one"), await make("pools", name="two")
    await client.delete(f"/v1/pools/{one['id']}")
    first, second, third = await entries()

    assert await entries(target_id=one["id"]) == [first, third]
    assert await entries(operation="DELETE /v1/pools/{pool_id}") == [third]
    assert await entries(created_at_from=second["at"], created_at_to=second["at"]) == [second]
    assert await entries(target_id=two["id"], operation="POST /v1/pools") == [second]


async def test_the_log_of_another_organization_is_not_told(
    stranger: httpx.AsyncClient, entries: Any, make: Any
) -> None:
    made = await make("pools", name="one")
    await entries()

    for query in ({}, {"target_id": made["id"]}):
        page = (await stranger.get("/v1/audit-log", params=query)).json()
        assert (page["items"], page["total"]) == ([], 0)


async def test_without_a_trail_writes_are_answered_all_the_same(parts: Parts) -> None:
    transport = httpx.ASGITransport(an_api(replace(parts, audit=None)))
    headers = {"Authorization": "Bearer cd_own"}
    async with httpx.AsyncClient(transport=transport, base_url="http://server", headers=headers) as client:
        assert (await client.post("/v1/pools", json={"name": "p"})).status_code == 201


@pytest.fixture
async def client(connect: Callable[[str | None], httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    async with connect("cd_own") as client:
        yield client
