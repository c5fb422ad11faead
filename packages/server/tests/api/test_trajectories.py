"""Trajectories over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.schemas.trajectories import TrajectoryResponse, TrajectoryResponseWithIncludes
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.ids import OrganizationId, WorkflowId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import StepState, ToolCall
from cyberdesk_server.ports import BlobMissing
from cyberdesk_server.store import leases, runs, steps
from cyberdesk_server.testing.ports import a_screenshot
from cyberdesk_server.testing.rows import HERE, NOON, a_machine, a_step, claim_next
from cyberdesk_server.usecases import trajectories

Make = Callable[..., Awaitable[dict[str, Any]]]

OWN = OrganizationId("org_own")
SCREENS = [a_screenshot("first", size=Size(1024, 768)), a_screenshot("second", size=Size(1024, 768))]
KEYS = [f"run-images/message-history/org_own/{screen.digest}.png" for screen in SCREENS]
CLICK = {"func_name": "click", "args": [850, 450]}


async def a_run_that_ended(
    client: httpx.AsyncClient, parts: Parts, make: Make, status: RunStatus = RunStatus.SUCCESS
) -> dict[str, Any]:
    """A run of two turns, a click and a typed text, each on a screen of its own."""
    workflow = await make("workflows", main_prompt="Type {x}")
    run = await make("runs", workflow_id=workflow["id"], input_values={"x": "Ada"})
    for key, screen in zip(KEYS, SCREENS, strict=True):
        await parts.blobs.put(key, screen.png, content_type="image/png")
    async with parts.database.transaction() as conn:
        await a_machine(conn, OWN)
        claim = await claim_next(conn, server_id=HERE, now=parts.clock.now(), lease_seconds=1000)
        assert claim is not None
        for number, call in enumerate((ToolCall("click", {"x": 1}), ToolCall("type", {"text": "{x}"})), 1):
            step = a_step(
                claim.run.id,
                number,
                call=call,
                screen=f"supabase://{KEYS[number - 1]}",
                state=StepState.DONE,
                result={"text": "done"},
                thought=f"thought {number}",
            )
            await steps.begin(conn, step, claim.attempt)
        await runs.end(conn, claim.run.id, status=status, changes={}, now=NOON)
        await leases.release(conn, claim.held, now=NOON)
    answer: dict[str, Any] = (await client.get(f"/v1/runs/{run['id']}")).json()
    return answer


async def generated(client: httpx.AsyncClient, parts: Parts, make: Make) -> dict[str, Any]:
    run = await a_run_that_ended(client, parts, make)
    answer = await client.post(f"/v1/runs/{run['id']}/generate-trajectory")
    assert answer.status_code == 200, answer.text
    trajectory: dict[str, Any] = answer.json()
    return trajectory


def screens_of(trajectory: dict[str, Any]) -> list[str]:
    return [step["pre_check_snapshot"]["screenshot"] for step in trajectory["trajectory_data"]]


def key_of(address: str) -> str:
    return address.removeprefix("supabase://")


async def test_a_trajectory_keeps_what_its_author_wrote(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"])
    written = {
        "workflow_id": workflow["id"],
        "run_id": run["id"],
        "trajectory_data": [CLICK | {"note": {"kept": True}}],
        "dimensions": {"width": 1920, "height": 1080},
        "name": "Way",
        "description": "The short one",
        "original_input_values": {"x": "Ada"},
        "is_approved": True,
    }

    created = await client.post(
        "/v1/trajectories", json=written | {"is_generated": True, "is_main": True, "has_been_approved": False}
    )

    assert created.status_code == 201
    trajectory = created.json()
    assert trajectory == written | {
        "id": trajectory["id"],
        "organization_id": "org_own",
        "user_id": None,
        "has_been_approved": True,
        "is_generated": False,
        "is_main": False,
        "is_on_trial": False,
        "trial": None,
        "created_at": "2030-01-01T12:00:03Z",
        "updated_at": "2030-01-01T12:00:03Z",
    }
    assert set(trajectory) == set(TrajectoryResponse.model_fields)
    got = (await client.get(f"/v1/trajectories/{trajectory['id']}")).json()
    assert got == trajectory | {"included": None}
    assert set(got) == set(TrajectoryResponseWithIncludes.model_fields)


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ({}, []),
        ({"steps": []}, []),
        ({"trajectory_data": []}, []),
        ({"steps": [CLICK]}, [CLICK]),
        (
            {"trajectory_data": [{"action": "click", "x": 100, "y": 200}]},
            [{"action": "click", "x": 100, "y": 200}],
        ),
    ],
)
async def test_the_blocks_of_the_guides_work(
    client: httpx.AsyncClient, make: Make, body: dict[str, Any], data: list[Any]
) -> None:
    workflow = await make("workflows")

    created = await client.post("/v1/trajectories", json=body | {"workflow_id": workflow["id"]})
    updated = await client.patch(f"/v1/trajectories/{created.json()['id']}", json={"steps": [CLICK]})

    assert created.status_code == 201
    assert created.json()["trajectory_data"] == data
    assert created.json()["dimensions"] == {"width": 1280, "height": 800}
    assert updated.json()["trajectory_data"] == [CLICK]


async def test_missing_dimensions_are_those_of_the_workflows_last_run(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    run = await a_run_that_ended(client, parts, make)

    trajectory = await make("trajectories", workflow_id=run["workflow_id"])
    await parts.blobs.delete(KEYS[1])
    without_its_picture = await make("trajectories", workflow_id=run["workflow_id"])

    assert trajectory["dimensions"] == {"width": 1024, "height": 768}
    assert without_its_picture["dimensions"] == {"width": 1280, "height": 800}


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"trajectory_data": [CLICK, {}]}, ["trajectory_data", 1, "func_name"]),
        ({"trajectory_data": [CLICK, 7]}, ["trajectory_data", 1]),
        ({"trajectory_data": None}, ["trajectory_data"]),
        (
            {"trajectory_data": [CLICK | {"pre_check_snapshot": {"screenshot": "supabase://run-images/x"}}]},
            ["trajectory_data", 0, "pre_check_snapshot", "screenshot"],
        ),
        ({"dimensions": {"width": 1920}}, ["dimensions"]),
        ({"dimensions": {"width": 0, "height": 1}}, ["dimensions"]),
        ({"dimensions": {"width": 100_001, "height": 1}}, ["dimensions"]),
        ({"dimensions": {"width": "wide", "height": 1}}, ["dimensions", "width"]),
        ({"name": "n" * 256}, ["name"]),
        ({"workflow_id": "x"}, ["workflow_id"]),
    ],
)
async def test_what_cannot_be_a_trajectory_names_the_field(
    client: httpx.AsyncClient, make: Make, change: dict[str, Any], location: list[Any]
) -> None:
    workflow = await make("workflows")

    answer = await client.post("/v1/trajectories", json={"workflow_id": workflow["id"]} | change)

    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [["body", *location]]


async def test_workflow_and_run_must_be_there_and_belong_together(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow, other = await make("workflows"), await make("workflows")
    run = await make("runs", workflow_id=other["id"])

    async def status(**body: Any) -> int:
        return (await client.post("/v1/trajectories", json=body)).status_code

    assert await status(workflow_id=str(uuid4())) == 404
    assert await status(workflow_id=workflow["id"], run_id=str(uuid4())) == 404
    assert await status(workflow_id=workflow["id"], run_id=run["id"]) == 422
    assert await status(workflow_id=other["id"], run_id=run["id"]) == 201


async def test_a_run_that_went_well_becomes_an_unapproved_trajectory(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    trajectory = await generated(client, parts, make)

    assert [(step["func_name"], step["kwargs"]) for step in trajectory["trajectory_data"]] == [
        ("click", {"x": 1}),
        ("type", {"text": "{x}"}),
    ]
    thoughts = [step["pre_check_snapshot"]["last_agent_thought"] for step in trajectory["trajectory_data"]]
    assert thoughts == ["thought 1", "thought 2"]
    assert trajectory["dimensions"] == {"width": 1024, "height": 768}
    assert trajectory["original_input_values"] == {"x": "Ada"}
    flags = ("is_approved", "has_been_approved", "is_generated", "is_main")
    assert {name: trajectory[name] for name in flags} == dict.fromkeys(flags, False) | {"is_generated": True}
    of_run = await client.get(f"/v1/runs/{trajectory['run_id']}/trajectory")
    assert of_run.json() == trajectory


@pytest.mark.parametrize("status", [RunStatus.TASK_FAILED, RunStatus.ERROR, RunStatus.CANCELLED])
async def test_a_run_that_did_not_succeed_becomes_none(
    client: httpx.AsyncClient, parts: Parts, make: Make, status: RunStatus
) -> None:
    run = await a_run_that_ended(client, parts, make, status)

    answer = await client.post(f"/v1/runs/{run['id']}/generate-trajectory")

    assert answer.status_code == 409
    assert answer.json()["detail"].endswith(
        f"is {status.value}; a trajectory is made of a run that ended with success"
    )
    assert (await client.get(f"/v1/runs/{run['id']}/trajectory")).status_code == 404


async def test_a_generated_trajectory_outlives_its_run(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    trajectory = await generated(client, parts, make)

    assert (await client.delete(f"/v1/runs/{trajectory['run_id']}")).status_code == 204

    got = (await client.get(f"/v1/trajectories/{trajectory['id']}")).json()
    assert (got["run_id"], got["trajectory_data"]) == (None, trajectory["trajectory_data"])
    contents = [await parts.blobs.get(key_of(address)) for address in screens_of(got)]
    assert contents == [screen.png for screen in SCREENS]
    with pytest.raises(BlobMissing):
        await parts.blobs.get(KEYS[0])


async def test_generating_again_under_the_same_key_answers_the_same_trajectory(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    run = await a_run_that_ended(client, parts, make)
    path, headers = f"/v1/runs/{run['id']}/generate-trajectory", {"Idempotency-Key": "once"}

    first, second = [await client.post(path, headers=headers) for _ in range(2)]

    assert first.json() == second.json()
    assert (await client.get("/v1/trajectories")).json()["total"] == 1


async def test_a_duplicate_has_pictures_of_its_own_and_no_approval(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    original = await generated(client, parts, make)
    path = f"/v1/trajectories/{original['id']}"
    await client.patch(path, json={"is_approved": True, "is_main": True, "name": "n" * 255})

    answer = await client.post(f"{path}/duplicate")

    assert answer.status_code == 201
    copy = answer.json()
    assert (copy["name"], copy["is_generated"]) == ("n" * 248 + " (copy)", True)
    assert (copy["is_approved"], copy["has_been_approved"], copy["is_main"]) == (False, False, False)
    assert not set(screens_of(copy)) & set(screens_of(original))
    assert (await client.delete(path)).status_code == 204
    contents = [await parts.blobs.get(key_of(address)) for address in screens_of(copy)]
    assert contents == [screen.png for screen in SCREENS]
    with pytest.raises(BlobMissing):
        await parts.blobs.get(key_of(screens_of(original)[0]))
    assert (await client.get(path)).status_code == 404


async def test_an_approval_is_remembered_when_it_is_taken_back(client: httpx.AsyncClient, make: Make) -> None:
    trajectory = await make("trajectories", workflow_id=(await make("workflows"))["id"])
    path = f"/v1/trajectories/{trajectory['id']}"

    approved = (await client.patch(path, json={"is_approved": True})).json()
    taken_back = (await client.patch(path, json={"is_approved": False, "is_main": None})).json()

    assert (approved["is_approved"], approved["has_been_approved"]) == (True, True)
    assert (taken_back["is_approved"], taken_back["has_been_approved"]) == (False, True)


async def test_a_trajectory_is_put_on_trial_and_its_copy_is_not(
    client: httpx.AsyncClient, make: Make
) -> None:
    trajectory = await make("trajectories", workflow_id=(await make("workflows"))["id"])
    path = f"/v1/trajectories/{trajectory['id']}"

    changed = (await client.patch(path, json={"is_on_trial": True})).json()
    refused = await client.patch(path, json={"is_on_trial": None})
    copy = (await client.post(f"{path}/duplicate")).json()

    assert (trajectory["is_on_trial"], trajectory["trial"]) == (False, None)
    assert (changed["is_on_trial"], changed["trial"], changed["is_approved"]) == (True, None, False)
    assert refused.json()["is_on_trial"]
    assert (copy["is_on_trial"], copy["trial"]) == (False, None)


async def test_a_generated_trajectory_begins_on_trial_when_its_author_asks(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    run = await a_run_that_ended(client, parts, make)
    path = f"/v1/runs/{run['id']}/generate-trajectory"

    plain = (await client.post(path)).json()
    tried = (await client.post(path, params={"is_on_trial": True})).json()
    refused = await client.post(path, params={"is_on_trial": "perhaps"})

    assert (plain["is_on_trial"], plain["trial"]) == (False, None)
    assert (tried["is_on_trial"], tried["trial"], tried["is_approved"]) == (True, None, False)
    assert (await client.get(f"/v1/trajectories/{tried['id']}")).json()["is_on_trial"]
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["query", "is_on_trial"])


async def test_a_new_main_trajectory_takes_the_place_of_the_old_one(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows")
    first, second, other_size = [
        await make("trajectories", workflow_id=workflow["id"], dimensions={"width": width, "height": 800})
        for width in (1280, 1280, 1024)
    ]

    for trajectory in (first, other_size, second):
        changed = await client.patch(f"/v1/trajectories/{trajectory['id']}", json={"is_main": True})
        assert changed.json()["is_main"]

    listed = (await client.get("/v1/trajectories", params={"is_generated": False})).json()["items"]
    assert {item["id"] for item in listed if item["is_main"]} == {second["id"], other_size["id"]}


async def test_a_picture_that_an_update_takes_out_goes(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    trajectory = await generated(client, parts, make)
    first, second = screens_of(trajectory)

    await client.patch(
        f"/v1/trajectories/{trajectory['id']}", json={"trajectory_data": trajectory["trajectory_data"][1:]}
    )

    assert await parts.blobs.get(key_of(second)) == SCREENS[1].png
    with pytest.raises(BlobMissing):
        await parts.blobs.get(key_of(first))


async def test_a_picture_of_a_trajectory_gets_a_link(
    client: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    connect: Callable[[str | None], httpx.AsyncClient],
    parts: Parts,
    make: Make,
) -> None:
    trajectory = await generated(client, parts, make)
    path = f"/v1/trajectories/{trajectory['id']}/image/signed-url"
    address = screens_of(trajectory)[0]

    link = await client.get(path, params={"image_url": address, "expires_in": 60})
    of_the_run = await client.get(path, params={"image_url": f"supabase://{KEYS[0]}"})
    of_a_stranger = await stranger.get(path, params={"image_url": address})

    assert link.json() == {
        "supabase_url": address,
        "signed_url": link.json()["signed_url"],
        "expires_in": 60,
    }
    assert [of_the_run.status_code, of_a_stranger.status_code] == [404, 404]
    async with connect(None) as anybody:
        assert (await anybody.get(link.json()["signed_url"])).content == SCREENS[0].png


async def test_lists_show_generated_trajectories_unless_others_are_asked_for(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    of_run = await generated(client, parts, make)
    by_hand = await make("trajectories", workflow_id=of_run["workflow_id"], name="By hand")

    async def found(**query: Any) -> list[str]:
        return [item["id"] for item in (await client.get("/v1/trajectories", params=query)).json()["items"]]

    assert await found() == [of_run["id"]]
    assert await found(is_generated=False) == [by_hand["id"]]
    assert await found(run_id=of_run["run_id"], workflow_id=of_run["workflow_id"]) == [of_run["id"]]
    assert await found(is_approved=True) == []
    assert await found(is_generated=False, search="HAND") == [by_hand["id"]]
    assert await found(created_at_from=by_hand["created_at"]) == []
    latest = await client.get(f"/v1/workflows/{of_run['workflow_id']}/latest-trajectory")
    assert latest.json() == by_hand


async def test_a_workflow_without_trajectories_has_no_latest(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")

    answer = await client.get(f"/v1/workflows/{workflow['id']}/latest-trajectory")

    assert answer.status_code == 404
    assert answer.json() == {"detail": f"trajectory of workflow {workflow['id']} not found"}


async def test_related_objects_come_along(client: httpx.AsyncClient, parts: Parts, make: Make) -> None:
    trajectory = await generated(client, parts, make)
    both = {"include": "workflow,run"}

    one = (await client.get(f"/v1/trajectories/{trajectory['id']}", params=both)).json()["included"]
    page = (await client.get("/v1/trajectories", params=both)).json()["included"]
    unknown = await client.get("/v1/trajectories", params={"include": "machine"})

    expected = [("workflow", trajectory["workflow_id"]), ("run", trajectory["run_id"])]
    assert [(item["type"], item["id"]) for item in one] == expected
    assert page == one
    assert "run_message_history" not in one[1]
    assert unknown.status_code == 422


async def test_generated_trajectories_are_copied_to_another_workflow(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    original = await generated(client, parts, make)
    await client.patch(
        f"/v1/trajectories/{original['id']}",
        json={
            "is_approved": True,
            "is_main": True,
            "trajectory_data": [
                *original["trajectory_data"],
                {"func_name": "look", "args": ["supabase://workflow-prompt-images/org_own/old.png"]},
            ],
        },
    )
    await make("trajectories", workflow_id=original["workflow_id"])
    target = await make("workflows")

    async def copies() -> tuple[trajectories.Trajectory, ...]:
        async with parts.database.transaction() as conn:
            return await trajectories.copy_generated(
                conn,
                OWN,
                source_id=WorkflowId(original["workflow_id"]),
                target_id=WorkflowId(target["id"]),
                blobs=parts.blobs,
                now=NOON,
                prompts=("Press tab", "Press tab twice"),
                prompt_images={"supabase://workflow-prompt-images/org_own/old.png": "supabase://new"},
            )

    [first], [second] = await copies(), await copies()

    assert (first.is_generated, first.is_approved, first.is_main, first.run_id) == (True, True, True, None)
    assert (second.is_approved, second.is_main) == (True, False)
    assert first.trajectory_data[2]["args"] == ["supabase://new"]
    latest = (await client.get(f"/v1/workflows/{target['id']}/latest-trajectory")).json()
    assert latest["trajectory_data"][:2] != original["trajectory_data"]
    addresses = [step["pre_check_snapshot"]["screenshot"] for step in latest["trajectory_data"][:2]]
    assert [await parts.blobs.get(key_of(address)) for address in addresses] == [
        screen.png for screen in SCREENS
    ]


async def test_with_a_workflow_go_its_trajectories(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    trajectory = await generated(client, parts, make)
    by_hand = await make("trajectories", workflow_id=trajectory["workflow_id"])

    assert (await client.delete(f"/v1/workflows/{trajectory['workflow_id']}")).status_code == 204

    for gone in (trajectory, by_hand):
        assert (await client.get(f"/v1/trajectories/{gone['id']}")).status_code == 404
    for address in screens_of(trajectory):
        with pytest.raises(BlobMissing):
            await parts.blobs.get(key_of(address))
    assert await parts.blobs.get(KEYS[0]) == SCREENS[0].png
