"""Reading runs over HTTP: one, pages, filters, what comes along, pictures of the history."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.schemas.runs import RunResponse, RunResponseWithIncludes
from cyberdesk_server.domain.attachments import AttachmentType
from cyberdesk_server.domain.runs import RunField
from cyberdesk_server.store import attachments, steps
from cyberdesk_server.testing.rows import NOON, a_step

Make = Callable[..., Awaitable[dict[str, Any]]]
Read = Callable[[str], Awaitable[dict[str, Any]]]


async def test_every_answer_has_all_members_of_its_description(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")

    created = await make("runs", workflow_id=workflow["id"])
    got = (await client.get(f"/v1/runs/{created['id']}")).json()
    listed = (await client.get("/v1/runs")).json()["items"][0]
    updated = (await client.patch(f"/v1/runs/{created['id']}", json={"error": ["e"]})).json()

    assert set(created) == set(listed) == set(updated) == set(RunResponse.model_fields)
    assert set(got) == set(RunResponseWithIncludes.model_fields)
    for answer in (created, listed, updated):
        RunResponse.model_validate(answer)


async def test_the_history_of_a_run_is_a_view_of_its_journal(
    client: httpx.AsyncClient, parts: Parts, make: Make, worker: Any
) -> None:
    workflow = await make("workflows", main_prompt="Do it")
    run = await make("runs", workflow_id=workflow["id"])
    await worker.machine()
    claim = await worker.next()
    step = a_step(claim.run.id, screen="supabase://run-images/message-history/org_own/1.png")
    async with parts.database.transaction() as conn:
        await steps.begin(conn, step, claim.attempt)

    got = (await client.get(f"/v1/runs/{run['id']}")).json()
    listed = (await client.get("/v1/runs")).json()["items"][0]

    assert got["status"] == "running"
    assert got["run_message_history"] == listed["run_message_history"]
    assert [message["content"][0]["type"] for message in got["run_message_history"]] == [
        "text",
        "image",
        "tool_use",
    ]


async def test_attachments_are_listed_by_type(
    client: httpx.AsyncClient, parts: Parts, make: Make, worker: Any
) -> None:
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])
    await worker.machine()
    claim = await worker.next()
    async with parts.database.transaction() as conn:
        attachment_id = await attachments.add_output(
            conn,
            run_id=claim.run.id,
            attempt=claim.attempt,
            filename="a.png",
            content_type="image/png",
            size_bytes=1,
            blob_key="k",
            now=NOON,
        )
        found = await attachments.ids_of(conn, [claim.run.id])

    got = (await client.get(f"/v1/runs/{run['id']}")).json()

    assert found == {claim.run.id: {AttachmentType.OUTPUT: (attachment_id,)}}
    assert got["output_attachment_ids"] == [str(attachment_id)]
    assert got["input_attachment_ids"] == []


async def test_a_list_with_fields_holds_the_base_members_and_those(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows")
    await make("runs", workflow_id=workflow["id"])
    base = {"id", "workflow_id", "machine_id", "status", "created_at"}

    for field in RunField:
        response = await client.get("/v1/runs", params={"fields": field.value})
        assert set(response.json()["items"][0]) == base | {field.value}
    several = await client.get("/v1/runs", params={"fields": ["error", "input_values"]})

    assert set(several.json()["items"][0]) == base | {"error", "input_values"}


async def test_lists_are_paged_newest_first(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")
    ids = [(await make("runs", workflow_id=workflow["id"]))["id"] for _ in range(3)]
    await client.patch(f"/v1/runs/{ids[0]}", json={"status": "cancelled"})

    async def page(**query: Any) -> dict[str, Any]:
        answer: dict[str, Any] = (await client.get("/v1/runs", params=query)).json()
        return answer | {"items": [item["id"] for item in answer["items"]]}

    by_activity = await page()
    by_creation = await page(sort_mode="created_at_desc", skip=1, limit=1)

    assert by_activity == {
        "items": [ids[0], ids[2], ids[1]],
        "total": 3,
        "skip": 0,
        "limit": 100,
        "included": None,
    }
    assert by_creation == {"items": [ids[1]], "total": 3, "skip": 1, "limit": 1, "included": None}


@pytest.mark.parametrize(
    "query",
    [
        {"skip": -1},
        {"limit": 0},
        {"limit": 1001},
        {"skip": 2**70},
        {"status": "completed"},
        {"workflow_id": "x"},
        {"fields": "nothing"},
        {"sort_mode": "x"},
        {"created_at_from": "yesterday"},
        {"created_at_from": "0001-01-01T00:00:00+14:00"},
        {"include": "secrets"},
        {"search": "a\0b"},
        {"deep_search": "perhaps"},
    ],
)
async def test_a_malformed_query_names_its_parameter(
    client: httpx.AsyncClient, query: dict[str, Any]
) -> None:
    response = await client.get("/v1/runs", params=query)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][:2] == ["query", *query]


async def test_runs_are_filtered(client: httpx.AsyncClient, make: Make, worker: Any) -> None:
    billing = await make("workflows", name="Billing 100%", main_prompt="Type {x}")
    charts = await make("workflows", name="Charts")
    machine_id = await worker.machine(name="Front desk")
    paid = await make("runs", workflow_id=billing["id"], input_values={"x": "żółw"}, session_alias="pay")
    seen = await make("runs", workflow_id=charts["id"], machine_id=machine_id)
    await client.patch(f"/v1/runs/{seen['id']}", json={"status": "error", "error": ["it fell over"]})

    async def found(**query: Any) -> set[str]:
        answer = (await client.get("/v1/runs", params=query)).json()
        assert answer["total"] == len(answer["items"])
        return {{paid["id"]: "paid", seen["id"]: "seen"}[item["id"]] for item in answer["items"]}

    assert await found(workflow_id=billing["id"]) == {"paid"}
    assert await found(machine_id=machine_id) == {"seen"}
    assert await found(status="error") == {"seen"}
    assert await found(session_id=str(uuid4())) == set()
    assert await found(created_at_from=seen["created_at"]) == {"seen"}
    assert await found(created_at_to=paid["created_at"]) == {"paid"}
    assert await found(created_at_to="2030-01-01T12:00:00") == set()
    assert await found(search=paid["id"][5:15].upper()) == {"paid"}
    assert await found(search="billing") == {"paid"}
    assert await found(search="100%") == {"paid"}
    assert await found(search="1_0") == set()
    assert await found(search="front DESK") == {"seen"}
    assert await found(search="PAY") == {"paid"}
    assert await found(search="żółw") == set()
    assert await found(search="żółw", deep_search="true") == {"paid"}
    assert await found(search="fell over", deep_search="true") == {"seen"}
    assert await found(search="") == {"paid", "seen"}


async def test_related_objects_come_along(client: httpx.AsyncClient, make: Make, worker: Any) -> None:
    workflow = await make("workflows", name="W")
    machine_id = await worker.machine()
    run = await make("runs", workflow_id=workflow["id"], machine_id=machine_id)
    pool = await make("pools", name="P")
    await client.post(f"/v1/pools/{pool['id']}/machines", json={"machine_ids": [machine_id]})

    got = (await client.get(f"/v1/runs/{run['id']}", params={"include": "workflow,machine.pools"})).json()
    listed = (await client.get("/v1/runs", params={"include": "machine"})).json()

    assert [(one["type"], one["id"]) for one in got["included"]] == [
        ("workflow", workflow["id"]),
        ("machine", machine_id),
        ("pool", pool["id"]),
    ]
    assert [(one["type"], one["id"]) for one in listed["included"]] == [("machine", machine_id)]


async def test_a_picture_of_the_history_gets_a_link_that_works_until_it_expires(
    client: httpx.AsyncClient,
    connect: Callable[[str | None], httpx.AsyncClient],
    parts: Parts,
    make: Make,
    clock: Any,
    worker: Any,
) -> None:
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])
    await worker.machine()
    claim = await worker.next()
    key = "run-images/message-history/org_own/1.png"
    await parts.blobs.put(key, b"png", content_type="image/png")
    async with parts.database.transaction() as conn:
        await steps.begin(conn, a_step(claim.run.id, screen=f"supabase://{key}"), claim.attempt)
    path = f"/v1/runs/{run['id']}/image/signed-url"

    link = await client.get(path, params={"image_url": f"supabase://{key}", "expires_in": 60})
    other = await client.get(
        path, params={"image_url": "supabase://run-images/message-history/org_own/2.png"}
    )

    assert link.status_code == 200
    assert link.json() == {
        "supabase_url": f"supabase://{key}",
        "signed_url": link.json()["signed_url"],
        "expires_in": 60,
    }
    assert other.status_code == 404
    async with connect(None) as anybody:
        opened = await anybody.get(link.json()["signed_url"])
        assert (opened.status_code, opened.content) == (200, b"png")
        assert opened.headers["content-type"] == "image/png"
        clock.time += timedelta(seconds=61)
        assert (await anybody.get(link.json()["signed_url"])).status_code == 403


@pytest.mark.parametrize("expires_in", [9, 3601])
async def test_a_link_lives_between_ten_seconds_and_an_hour(
    client: httpx.AsyncClient, expires_in: int
) -> None:
    path = f"/v1/runs/{uuid4()}/image/signed-url"

    response = await client.get(path, params={"image_url": "supabase://x", "expires_in": expires_in})

    assert response.status_code == 422
