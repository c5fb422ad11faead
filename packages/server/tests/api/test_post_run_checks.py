"""Post-run checks of workflows, and of the runs made of them, over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.schemas.checks import WorkflowPostRunCheckResponse
from cyberdesk_server.store import leases

Make = Callable[..., Awaitable[dict[str, Any]]]
Read = Callable[[str], Awaitable[dict[str, Any]]]

FILE = {"name": "Report", "type": "run_attachment_exists", "file_names": ["report.pdf"]}
JUDGED = {"name": "Plausible", "type": "output_data_agentic_check", "check_prompt": "Is it?"}
SCHEMA = {"name": "Fits", "type": "output_data_passes_schema_validation"}


async def test_a_workflow_keeps_its_checks_in_order(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", post_run_checks=[FILE, JUDGED])

    checks = workflow["post_run_checks"]
    assert [check["name"] for check in checks] == ["Report", "Plausible"]
    assert checks[0] == FILE | {
        "id": checks[0]["id"],
        "organization_id": "org_own",
        "user_id": None,
        "order": 0,
        "description": None,
        "file_target_mode": None,
        "file_name_regex": None,
        "expected_match_count": None,
        "expected_match_count_ref": None,
        "loop_input": None,
        "loop_item_filename_template": None,
        "allow_missing_attachments": False,
        "check_prompt": None,
        "model": None,
        "created_at": workflow["created_at"],
        "updated_at": workflow["created_at"],
    }
    assert set(checks[0]) == set(WorkflowPostRunCheckResponse.model_fields)
    assert (await client.get(f"/v1/workflows/{workflow['id']}")).json()["post_run_checks"] == checks


async def test_an_update_changes_the_named_checks_and_removes_the_absent_ones(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows", post_run_checks=[FILE, JUDGED])
    path = f"/v1/workflows/{workflow['id']}"
    report, plausible = workflow["post_run_checks"]

    rewritten = [JUDGED | {"id": plausible["id"], "name": "Sound"}, SCHEMA]
    after = (await client.patch(path, json={"output_schema": "{}", "post_run_checks": rewritten})).json()

    sound, fits = after["post_run_checks"]
    assert (sound["id"], sound["name"], sound["order"]) == (plausible["id"], "Sound", 0)
    assert (sound["created_at"], sound["updated_at"]) == (workflow["created_at"], after["updated_at"])
    assert fits["id"] not in (report["id"], plausible["id"])


@pytest.mark.parametrize("untouched", [{}, {"post_run_checks": None}])
async def test_checks_that_are_not_sent_are_left_alone(
    client: httpx.AsyncClient, make: Make, untouched: dict[str, Any]
) -> None:
    workflow = await make("workflows", post_run_checks=[FILE])

    after = await client.patch(f"/v1/workflows/{workflow['id']}", json={"name": "New", **untouched})

    assert after.json()["post_run_checks"] == workflow["post_run_checks"]


async def test_changed_checks_make_a_version_that_keeps_the_old_ones(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows", post_run_checks=[FILE])
    path = f"/v1/workflows/{workflow['id']}"
    (check,) = workflow["post_run_checks"]

    same = await client.patch(path, json={"post_run_checks": [FILE | {"id": check["id"]}]})
    gone = await client.patch(path, json={"post_run_checks": []})

    assert same.json()["old_versions"] == []
    assert gone.json()["post_run_checks"] == []
    (version,) = (await client.get(f"{path}/versions")).json()
    assert [kept | check for kept in version["post_run_checks"]] == [check]


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"post_run_checks": [SCHEMA]}, [0, "type"]),
        ({"post_run_checks": [FILE, FILE | {"file_names": None}]}, [1, "file_names"]),
        ({"post_run_checks": [FILE | {"name": " "}]}, [0, "name"]),
        ({"post_run_checks": [FILE | {"name": "n" * 256}]}, [0, "name"]),
        ({"post_run_checks": [FILE | {"type": "other"}]}, [0, "type"]),
        ({"post_run_checks": [FILE | {"expected_match_count": -1}]}, [0, "expected_match_count"]),
        (
            {"post_run_checks": [FILE | {"file_target_mode": "regex", "file_name_regex": "("}]},
            [0, "file_name_regex"],
        ),
    ],
)
async def test_a_check_that_could_never_pass_is_refused(
    client: httpx.AsyncClient, body: dict[str, Any], member: list[Any]
) -> None:
    response = await client.post("/v1/workflows", json=body)

    assert response.status_code == 422
    locations = [problem["loc"] for problem in response.json()["detail"]]
    assert locations == [["body", "post_run_checks", *member]]


async def test_a_check_names_a_model_that_is_there(client: httpx.AsyncClient, make: Make) -> None:
    model = (await make("model-configurations", name="n", provider="openai", model="gpt"))["id"]

    known = await client.post("/v1/workflows", json={"post_run_checks": [FILE, JUDGED | {"model": model}]})
    unknown = await client.post(
        "/v1/workflows", json={"post_run_checks": [FILE, JUDGED | {"model": str(uuid4())}]}
    )

    assert [known.status_code, unknown.status_code] == [201, 422]
    assert [problem["loc"] for problem in unknown.json()["detail"]] == [
        ["body", "post_run_checks", 1, "model"]
    ]


async def test_a_schema_that_a_check_needs_cannot_be_taken_away(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows", output_schema="{}", post_run_checks=[SCHEMA])

    response = await client.patch(f"/v1/workflows/{workflow['id']}", json={"output_schema": None})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "post_run_checks", 0, "type"]


async def test_a_check_of_another_workflow_is_not_found(client: httpx.AsyncClient, make: Make) -> None:
    other = await make("workflows", post_run_checks=[FILE])
    workflow = await make("workflows")
    named = FILE | {"id": other["post_run_checks"][0]["id"]}

    of_other = await client.patch(f"/v1/workflows/{workflow['id']}", json={"post_run_checks": [named]})
    of_nobody = await client.post("/v1/workflows", json={"post_run_checks": [FILE | {"id": str(uuid4())}]})

    assert [of_other.status_code, of_nobody.status_code] == [404, 404]


async def test_a_check_is_named_once(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", post_run_checks=[FILE])
    named = FILE | {"id": workflow["post_run_checks"][0]["id"]}

    twice = await client.patch(f"/v1/workflows/{workflow['id']}", json={"post_run_checks": [named, named]})

    assert twice.status_code == 422
    assert twice.json()["detail"][0]["loc"] == ["body", "post_run_checks", 1, "id"]


async def test_a_run_keeps_the_checks_its_workflow_had_when_it_was_made(
    client: httpx.AsyncClient, make: Make, read_run: Read
) -> None:
    check = {"name": "exported", "type": "run_attachment_exists", "file_names": ["a.pdf"]}
    workflow = await make("workflows", post_run_checks=[check])
    made = await make("runs", workflow_id=workflow["id"])

    await client.patch(f"/v1/workflows/{workflow['id']}", json={"post_run_checks": []})
    later = await make("runs", workflow_id=workflow["id"])

    [kept] = (await read_run(made["id"]))["post_run_checks"]
    assert {name: kept[name] for name in ("name", "status", "file_names", "post_run_check_id")} == {
        "name": "exported",
        "status": "pending",
        "file_names": ["a.pdf"],
        "post_run_check_id": workflow["post_run_checks"][0]["id"],
    }
    assert later["post_run_checks"] is None


async def test_checks_of_a_run_that_ended_without_them_are_shown_as_cancelled(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows", post_run_checks=[FILE])
    run = await make("runs", workflow_id=workflow["id"])

    await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})
    listed = (await client.get("/v1/runs", params={"fields": "post_run_checks"})).json()["items"]
    retried = (await client.post(f"/v1/runs/{run['id']}/retry", json={})).json()

    shown = (listed[0], retried)
    assert [view["post_run_checks"][0]["status"] for view in shown] == ["cancelled", "pending"]


async def test_a_run_in_its_checks_is_not_ended_and_shows_its_outputs(
    client: httpx.AsyncClient, make: Make, read_run: Read, worker: Any, parts: Parts
) -> None:
    await worker.machine()
    workflow = await make("workflows", post_run_checks=[FILE])
    run = await make("runs", workflow_id=workflow["id"])
    claim = await worker.next()
    async with parts.database.transaction() as conn:
        await leases.begin_checks(conn, claim.held, output_data={"a": 1}, now=parts.clock.now())

    checked = await read_run(run["id"])
    retry = await client.post(f"/v1/runs/{run['id']}/retry", json={})
    deleted = await client.delete(f"/v1/runs/{run['id']}")
    cancelled = await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})

    assert (checked["status"], checked["output_data"], checked["ended_at"]) == (
        "running_checks",
        {"a": 1},
        None,
    )
    assert checked["waiting_reason"] is None
    assert (retry.status_code, deleted.status_code, cancelled.status_code) == (409, 409, 200)
    assert cancelled.json()["output_data"] == {"a": 1}
