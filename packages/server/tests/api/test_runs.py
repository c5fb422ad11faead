"""Runs over HTTP."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.schemas.runs import RunField, RunResponse, RunResponseWithIncludes
from cyberdesk_server.domain.attachments import AttachmentType
from cyberdesk_server.domain.ids import RunId, WorkerId
from cyberdesk_server.domain.model_configurations import STEPS
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import StepState
from cyberdesk_server.ports import SecretContext
from cyberdesk_server.store import attachments, machines, runs, secrets, steps
from cyberdesk_server.store.runs import Claim
from cyberdesk_server.testing.rows import NOON, a_machine, a_step

Make = Callable[..., Awaitable[dict[str, Any]]]


async def claimed(parts: Parts) -> Claim:
    async with parts.database.transaction() as conn:
        claim = await runs.claim_next(
            conn, worker_id=WorkerId("w"), now=parts.clock.now(), lease_seconds=1000
        )
    assert claim is not None
    return claim


async def own_machine(parts: Parts, **fields: Any) -> str:
    async with parts.database.transaction() as conn:
        machine = await a_machine(conn, "org_own", **fields)  # type: ignore[arg-type]  # as stored
    return str(machine.id)


async def test_a_created_run_waits_and_is_answered_in_full(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", main_prompt="Type {x}")

    response = await client.post(
        "/v1/runs",
        json={
            "workflow_id": workflow["id"],
            "input_values": {"x": "1", "spare": [None, {"a": 1.5}]},
            "is_priority": True,
            "session_alias": "first",
            "release_session_after": True,
            "main_agent_model_id": str(STEPS.id),
            "something_new": 1,
        },
    )

    assert response.status_code == 201
    assert response.json() == {
        "id": response.json()["id"],
        "workflow_id": workflow["id"],
        "machine_id": None,
        "status": "scheduling",
        "created_at": "2030-01-01T12:00:02Z",
        "user_id": None,
        "organization_id": "org_own",
        "is_priority": True,
        "error": None,
        "output_data": None,
        "input_attachment_ids": [],
        "output_attachment_ids": [],
        "run_message_history": [],
        "input_values": {"x": "1", "spare": [None, {"a": 1.5}]},
        "main_prompt": None,
        "model_metadata": {
            "main_agent_model_id": str(STEPS.id),
            "cache_detection_model_id": None,
            "fallback_model_1_id": None,
            "fallback_model_2_id": None,
        },
        "pool_ids": None,
        "sensitive_input_aliases": None,
        "usage_metadata": None,
        "post_run_checks": None,
        "session_id": None,
        "session_alias": "first",
        "release_session_after": True,
        "started_at": None,
        "ended_at": None,
    }


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


async def test_a_created_run_wakes_the_workers(client: httpx.AsyncClient, parts: Parts, make: Make) -> None:
    workflow = await make("workflows")

    async with parts.bus.listen("runs.waiting") as heard:
        await make("runs", workflow_id=workflow["id"])

        assert (await anext(heard))[0] == "runs.waiting"


async def test_a_run_of_an_unknown_workflow_or_machine_is_404(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")
    nobody = str(uuid4())

    no_workflow = await client.post("/v1/runs", json={"workflow_id": nobody})
    no_machine = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "machine_id": nobody})

    assert (no_workflow.status_code, no_workflow.json()) == (
        404,
        {"detail": f"workflow {nobody} not found"},
    )
    assert (no_machine.status_code, no_machine.json()) == (404, {"detail": f"machine {nobody} not found"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"workflow_id": "no-id"}, ["body", "workflow_id"]),
        ({}, ["body", "workflow_id"]),
        ({"pool_ids": ["no-id"]}, ["body", "pool_ids", 0]),
        ({"session_id": str(uuid4()), "start_session": True}, ["body", "start_session"]),
        ({"file_inputs": [{"filename": "f", "content": "?"}]}, ["body", "file_inputs", 0, "content"]),
        ({"main_agent_model_id": str(uuid4())}, ["body", "model_metadata", "main_agent_model_id"]),
        ({"input_values": ["no", "object"]}, ["body", "input_values"]),
    ],
)
async def test_a_request_that_cannot_be_fulfilled_names_the_field(
    client: httpx.AsyncClient, make: Make, body: dict[str, Any], field: list[str | int]
) -> None:
    workflow = await make("workflows")
    complete = body if "workflow_id" in body or not body else {"workflow_id": workflow["id"], **body}

    response = await client.post("/v1/runs", json=complete)

    assert response.status_code == 422
    [problem] = response.json()["detail"]
    assert problem["loc"] == field
    assert set(problem) == {"loc", "msg", "type"}


async def test_pools_do_not_matter_when_the_machine_is_chosen(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    workflow, machine_id = await make("workflows"), await own_machine(parts)

    run = await make("runs", workflow_id=workflow["id"], machine_id=machine_id, pool_ids=[str(uuid4())])

    assert run["machine_id"] == machine_id


async def test_missing_variables_of_the_prompt_are_named(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", main_prompt="<p>Type {a.b[0]}, {c} and {{later}} with {$pin.x}</p>")

    response = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "input_values": {"c": ""}})

    assert response.status_code == 422
    assert response.json()["detail"] == [
        {
            "loc": ["body", "input_values", "a"],
            "msg": "the prompt uses {a}, which has no value",
            "type": "missing",
        },
        {
            "loc": ["body", "sensitive_input_values", "pin"],
            "msg": "the prompt uses {$pin}, which has no value",
            "type": "missing",
        },
    ]


async def test_the_prompt_of_the_run_counts_when_it_has_one(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", main_prompt="Type {x}")

    run = await make("runs", workflow_id=workflow["id"], main_prompt='Click "OK"')

    assert run["main_prompt"] == 'Click "OK"'


async def test_a_workflow_without_a_prompt_cannot_run(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", main_prompt="")

    response = await client.post("/v1/runs", json={"workflow_id": workflow["id"]})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "workflow_id"]


async def test_variables_may_come_from_the_machine(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    workflow = await make("workflows", main_prompt="Type {site} and {$pin}")
    equipped = await own_machine(parts)
    await client.patch(
        f"/v1/machines/{equipped}",
        json={"machine_parameters": {"site": "A"}, "machine_sensitive_parameters": {"pin": "1234"}},
    )
    bare = await own_machine(parts)

    on_equipped = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "machine_id": equipped})
    on_bare = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "machine_id": bare})
    on_any = await client.post("/v1/runs", json={"workflow_id": workflow["id"]})

    assert [on_equipped.status_code, on_bare.status_code, on_any.status_code] == [201, 422, 201]


async def test_inputs_are_checked_against_the_schema_of_the_workflow(
    client: httpx.AsyncClient, make: Make
) -> None:
    schema = (
        '{"type": "object", "properties": {"age": {"type": "integer"}, "note": {"type": "string"}},'
        ' "required": ["age"]}'
    )
    workflow = await make("workflows", main_prompt="Type {age} and {note}", input_schema=schema)

    fits = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "input_values": {"age": 7}})
    wrong = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "input_values": {"age": "x"}})
    blank = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "input_values": {"age": None}})

    assert fits.status_code == 201
    assert [wrong.json()["detail"][0]["loc"], blank.json()["detail"][0]["loc"]] == [
        ["body", "input_values", "age"],
        ["body", "input_values", "age"],
    ]


async def test_a_secret_is_sealed_and_shown_by_its_alias_only(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    """Invariant 6."""
    workflow = await make("workflows", main_prompt="Type {$pin.code}")

    run = await make("runs", workflow_id=workflow["id"], sensitive_input_values={"pin": {"code": "s3cr3t"}})

    async with parts.database.read() as conn:
        [(name, (secret_id, sealed))] = (await secrets.for_run(conn, RunId(run["id"]))).items()
    everything = (await client.get(f"/v1/runs/{run['id']}")).text + (await client.get("/v1/runs")).text
    assert name == "pin"
    assert run["sensitive_input_aliases"] == {"pin": f"secret_{secret_id}"}
    assert "s3cr3t" not in everything
    assert b"s3cr3t" not in sealed
    assert await parts.vault.open(sealed, SecretContext("org_own", secret_id)) == '{"code": "s3cr3t"}'  # type: ignore[arg-type]


async def test_a_refusal_never_quotes_a_secret(client: httpx.AsyncClient, make: Make) -> None:
    """Invariant 6."""
    schema = '{"type": "object", "properties": {"$pin": {"type": "integer"}}, "maxProperties": 1}'
    workflow = await make("workflows", main_prompt="Type {x} {$pin}", input_schema=schema)

    unfit = await client.post(
        "/v1/runs",
        json={
            "workflow_id": workflow["id"],
            "input_values": {"x": 1},
            "sensitive_input_values": {"pin": "s3cr3t"},
        },
    )
    malformed = await client.post(
        "/v1/runs", json={"workflow_id": workflow["id"], "sensitive_input_values": "s3cr3t"}
    )

    assert [unfit.status_code, malformed.status_code] == [422, 422]
    assert "s3cr3t" not in unfit.text + malformed.text


async def test_the_history_of_a_run_is_a_view_of_its_journal(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    workflow = await make("workflows", main_prompt="Do it")
    run = await make("runs", workflow_id=workflow["id"])
    await own_machine(parts)
    claim = await claimed(parts)
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


async def test_attachments_are_listed_by_type(client: httpx.AsyncClient, parts: Parts, make: Make) -> None:
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])
    await own_machine(parts)
    claim = await claimed(parts)
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


async def test_runs_are_filtered(client: httpx.AsyncClient, parts: Parts, make: Make) -> None:
    billing = await make("workflows", name="Billing 100%", main_prompt="Type {x}")
    charts = await make("workflows", name="Charts")
    machine_id = await own_machine(parts, name="Front desk")
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


async def test_related_objects_come_along(client: httpx.AsyncClient, parts: Parts, make: Make) -> None:
    workflow = await make("workflows", name="W")
    machine_id = await own_machine(parts)
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


async def test_cancelling_ends_a_run_at_once(client: httpx.AsyncClient, parts: Parts, make: Make) -> None:
    workflow = await make("workflows", main_prompt="Type {$pin}")
    run = await make("runs", workflow_id=workflow["id"], sensitive_input_values={"pin": "1"})

    async with parts.bus.listen(f"run.{run['id']}") as heard:
        response = await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})

        assert (await anext(heard))[0] == f"run.{run['id']}"
    assert response.status_code == 200
    assert response.json()["status"] == "cancelled"
    assert response.json()["ended_at"] is not None
    async with parts.database.read() as conn:
        assert await secrets.for_run(conn, RunId(run["id"])) == {}


@pytest.mark.parametrize("status", ["success", "task_failed", "error", "cancelled"])
async def test_any_terminal_status_ends_a_run_and_then_it_stays_as_it_is(
    client: httpx.AsyncClient, make: Make, status: str
) -> None:
    """Invariant 1."""
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])

    ended = await client.patch(
        f"/v1/runs/{run['id']}", json={"status": status, "output_data": {"a": 1}, "error": ["why"]}
    )
    again = await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})

    assert (ended.status_code, ended.json()["status"], ended.json()["output_data"]) == (200, status, {"a": 1})
    assert again.status_code == 409
    assert again.json() == {"detail": f"run {run['id']} has already ended: {status}"}


async def test_a_caller_cannot_start_a_run(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])

    response = await client.patch(f"/v1/runs/{run['id']}", json={"status": "running"})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "status"]


async def test_inputs_change_only_while_a_run_waits(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    workflow = await make("workflows", main_prompt="Type {x}")
    run = await make("runs", workflow_id=workflow["id"], input_values={"x": 1})
    path = f"/v1/runs/{run['id']}"

    changed = await client.patch(path, json={"input_values": {"x": 2}})
    unfit = await client.patch(path, json={"input_values": {"y": 2}})
    await own_machine(parts)
    await claimed(parts)
    too_late = await client.patch(path, json={"input_values": {"x": 3}})

    assert changed.json()["input_values"] == {"x": 2}
    assert unfit.status_code == 422
    assert too_late.status_code == 409


async def test_only_an_ended_run_that_let_go_of_its_machine_is_deleted(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])
    path = f"/v1/runs/{run['id']}"
    await own_machine(parts)
    claim = await claimed(parts)

    running = await client.delete(path)
    await client.patch(path, json={"status": "cancelled"})
    stopping = await client.delete(path)
    async with parts.database.transaction() as conn:
        await runs.release(conn, claim.run.id, claim.attempt, now=NOON)
    stopped = await client.delete(path)

    assert [running.status_code, stopping.status_code, stopped.status_code] == [409, 409, 204]
    assert stopped.content == b""
    assert (await client.get(path)).status_code == 404


async def test_with_a_run_goes_what_nobody_else_shows(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    workflow = await make("workflows")
    await own_machine(parts)
    folder = "run-images/message-history/org_own"
    for name in ("own", "shared"):
        await parts.blobs.put(f"{folder}/{name}.png", b"png", content_type="image/png")
    for screen, image in (("own", "shared"), ("shared", None)):
        await make("runs", workflow_id=workflow["id"])
        claim = await claimed(parts)
        step = a_step(
            claim.run.id,
            screen=f"supabase://{folder}/{screen}.png",
            images=(f"supabase://{folder}/{image}.png",) if image else (),
            state=StepState.DONE,
        )
        async with parts.database.transaction() as conn:
            await steps.begin(conn, step, claim.attempt)
            await runs.end(conn, claim.run.id, status=RunStatus.SUCCESS, changes={}, now=NOON)
            await runs.release(conn, claim.run.id, claim.attempt, now=NOON)
    oldest = (await client.get("/v1/runs", params={"sort_mode": "created_at_desc"})).json()["items"][-1]

    await client.delete(f"/v1/runs/{oldest['id']}")

    assert await parts.blobs.get(f"{folder}/shared.png") == b"png"
    with pytest.raises(Exception, match="no blob"):
        await parts.blobs.get(f"{folder}/own.png")


async def test_a_picture_of_the_history_gets_a_link_that_works_until_it_expires(
    client: httpx.AsyncClient,
    connect: Callable[[str | None], httpx.AsyncClient],
    parts: Parts,
    make: Make,
    clock: Any,
) -> None:
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])
    await own_machine(parts)
    claim = await claimed(parts)
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


async def test_a_deleted_machine_leaves_its_ended_runs_and_ends_those_that_wait(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    """Invariant 1."""
    workflow = await make("workflows")
    machine_id = await own_machine(parts)
    waiting = await make("runs", workflow_id=workflow["id"], machine_id=machine_id)

    deleted = await client.delete(f"/v1/machines/{machine_id}")

    run = (await client.get(f"/v1/runs/{waiting['id']}")).json()
    assert deleted.status_code == 204
    assert (run["machine_id"], run["status"]) == (None, "error")
    assert run["error"] == ["the machine this run waited for was deleted"]
    async with parts.database.read() as conn:
        assert await machines.find(conn, "org_own") == ((), 0)  # type: ignore[arg-type]
