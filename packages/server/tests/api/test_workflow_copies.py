"""Duplicating and merging workflows over HTTP."""

from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.addresses import address_of, blob_key_of, history_image_key
from cyberdesk_server.domain.ids import OrganizationId, WorkflowId
from cyberdesk_server.store import trajectories as stored_trajectories
from cyberdesk_server.store import workflows as stored_workflows
from cyberdesk_server.testing.rows import a_trajectory

Make = Callable[..., Awaitable[dict[str, Any]]]

OWN = OrganizationId("org_own")
PNG = b"\x89PNG\r\n\x1a\n and the rest"
AUTHORED = {
    "description": "Reads charts",
    "input_schema": '{"type": "object"}',
    "output_schema": '{"dob": "string"}',
    "includes_file_exports": True,
    "is_webhooks_enabled": True,
    "terminal_command_allowlist": ["dir *"],
    "post_run_check_failure_cleanup_prompt": "Close everything",
}
CHECK = {"name": "Fits", "type": "output_data_passes_schema_validation"}


async def an_image(client: httpx.AsyncClient) -> str:
    answer = await client.post("/v1/workflows/prompt-image", files={"file": ("a.png", PNG)})
    return str(answer.json()["supabase_url"])


async def a_recorded_trajectory(parts: Parts, workflow_id: str, prompt_image: str | None = None) -> str:
    """A generated trajectory with a picture of its own and a step that shows an image of the prompt."""
    picture = address_of(history_image_key(OWN, f"{uuid4().hex}.png"))
    await parts.blobs.put(blob_key_of(picture), PNG, content_type="image/png")
    async with parts.database.transaction() as conn:
        workflow = await stored_workflows.get(conn, OWN, WorkflowId(UUID(workflow_id)))
        assert workflow is not None
        await a_trajectory(
            conn,
            workflow,
            is_generated=True,
            is_approved=True,
            trajectory_data=(
                {
                    "func_name": "click_image",
                    "args": [],
                    "kwargs": {"image": prompt_image},
                    "pre_check_snapshot": {"screenshot": picture},
                },
            ),
        )
    return picture


async def tagged(client: httpx.AsyncClient, make: Make, workflow_id: str, name: str) -> None:
    tag = await make("workflow-tags", name=name)
    answer = await client.post(f"/v1/workflows/{workflow_id}/tags", json={"tag_ids": [tag["id"]]})
    assert answer.status_code == 200


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


def without(view: dict[str, Any], members: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in view.items() if name not in members}


def contents(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()}


async def test_a_duplicate_has_what_the_author_wrote(client: httpx.AsyncClient, make: Make) -> None:
    source = await make("workflows", name="Charts", post_run_checks=[CHECK], **AUTHORED)
    await tagged(client, make, source["id"], "Live")
    await client.patch(f"/v1/workflows/{source['id']}", json={"main_prompt": "Two {x}"})
    source = (await client.get(f"/v1/workflows/{source['id']}")).json()

    answer = await client.post(f"/v1/workflows/{source['id']}/duplicate")

    assert answer.status_code == 201
    copy = answer.json()
    own = {"id", "name", "created_at", "updated_at", "old_versions", "post_run_checks", "included"}
    assert without(copy, own) == without(source, own)
    assert (copy["name"], copy["old_versions"]) == ("Charts (copy)", [])
    (check,), (original) = copy["post_run_checks"], source["post_run_checks"][0]
    own_of_check = {"id", "created_at", "updated_at"}
    assert without(check, own_of_check) == without(original, own_of_check)
    assert check["id"] != original["id"]


@pytest.mark.parametrize(("name", "of_copy"), [(None, None), ("n" * 255, "n" * 248 + " (copy)")])
async def test_a_duplicates_name_fits(
    client: httpx.AsyncClient, make: Make, name: str | None, of_copy: str | None
) -> None:
    source = await make("workflows", name=name)

    copy = await client.post(f"/v1/workflows/{source['id']}/duplicate", json={})

    assert copy.json()["name"] == of_copy


async def test_a_duplicate_has_images_of_its_own(client: httpx.AsyncClient, make: Make, parts: Parts) -> None:
    in_prompt, in_cleanup, in_check = [await an_image(client) for _ in range(3)]
    gone = in_prompt.replace("a.png", "gone.png")
    check = {"name": "c", "type": "output_data_agentic_check", "check_prompt": f"Like {in_check}?"}
    source = await make(
        "workflows",
        main_prompt=f'<p>Click <img src="{in_prompt}"> {in_prompt} <img src="{gone}"></p>',
        post_run_check_failure_cleanup_prompt=f'<img src="{in_cleanup}">',
        post_run_checks=[check],
    )

    copy = (await client.post(f"/v1/workflows/{source['id']}/duplicate")).json()

    listed = (await client.get("/v1/workflows/prompt-images")).json()
    new = {item["supabase_url"] for item in listed} - {in_prompt, in_cleanup, in_check}
    assert len(new) == 3
    [prompt_image] = [address for address in new if copy["main_prompt"].count(address) == 2]
    assert copy["main_prompt"] == source["main_prompt"].replace(in_prompt, prompt_image)
    cleanup_image = copy["post_run_check_failure_cleanup_prompt"].split('"')[1]
    check_image = copy["post_run_checks"][0]["check_prompt"].removeprefix("Like ").removesuffix("?")
    assert {prompt_image, cleanup_image, check_image} == new
    assert [await parts.blobs.get(blob_key_of(address)) for address in new] == [PNG] * 3
    await client.delete("/v1/workflows/prompt-image", params={"path": in_prompt})
    assert await parts.blobs.get(blob_key_of(prompt_image)) == PNG


async def test_a_duplicate_takes_generated_trajectories_along_when_asked(
    client: httpx.AsyncClient, make: Make, parts: Parts
) -> None:
    image = await an_image(client)
    source = await make("workflows", main_prompt=f'<p>Click <img src="{image}"></p>')
    picture = await a_recorded_trajectory(parts, source["id"], image)
    await make("trajectories", workflow_id=source["id"])

    bare = (await client.post(f"/v1/workflows/{source['id']}/duplicate")).json()
    full = (
        await client.post(f"/v1/workflows/{source['id']}/duplicate", json={"include_trajectories": True})
    ).json()

    async def of(workflow: dict[str, Any]) -> list[dict[str, Any]]:
        found = await client.get("/v1/trajectories", params={"workflow_id": workflow["id"]})
        items: list[dict[str, Any]] = found.json()["items"]
        return items

    assert await of(bare) == []
    (copied,) = await of(full)
    (step,) = (await client.get(f"/v1/trajectories/{copied['id']}")).json()["trajectory_data"]
    assert copied["is_approved"] is True
    assert step["kwargs"]["image"] in full["main_prompt"]
    assert step["kwargs"]["image"] != image
    shown = step["pre_check_snapshot"]["screenshot"]
    assert shown != picture
    assert await parts.blobs.get(blob_key_of(shown)) == PNG


async def test_a_duplicate_is_made_once(client: httpx.AsyncClient, make: Make, tmp_path: Path) -> None:
    """Invariant 7, also when the source is gone meanwhile."""
    image = await an_image(client)
    source = await make("workflows", main_prompt=f'<img src="{image}">')
    path, key = f"/v1/workflows/{source['id']}/duplicate", {"Idempotency-Key": "k-1"}

    first = await client.post(path, headers=key)
    again = await client.post(path, headers=key)
    kept = contents(tmp_path)
    await client.delete(f"/v1/workflows/{source['id']}")
    much_later = await client.post(path, headers=key)

    assert first.status_code == 201
    assert first.content == again.content == much_later.content
    assert contents(tmp_path) == kept
    assert len(kept) == 2


async def test_a_copy_that_fails_leaves_nothing_behind(
    client: httpx.AsyncClient,
    make: Make,
    parts: Parts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = await an_image(client)
    source = await make("workflows", main_prompt=f'<img src="{image}">')
    target = await make("workflows")
    await a_recorded_trajectory(parts, source["id"], image)
    before = contents(tmp_path)
    add, written = stored_trajectories.add, []

    async def full_disk(*arguments: Any) -> None:
        await add(*arguments)
        written.append(contents(tmp_path) - before)
        raise OSError("no space left on device")

    monkeypatch.setattr(stored_trajectories, "add", full_disk)
    duplicated = await client.post(
        f"/v1/workflows/{source['id']}/duplicate", json={"include_trajectories": True}
    )
    merged = await client.post(
        f"/v1/workflows/{source['id']}/merge",
        json={"target_workflow_id": target["id"], "copy_trajectories": True},
    )

    assert [duplicated.status_code, merged.status_code] == [500, 500]
    assert [len(new) for new in written] == [2, 1]
    assert contents(tmp_path) == before
    assert (await client.get("/v1/workflows")).json()["total"] == 2
    assert len((await client.get("/v1/workflows/prompt-images")).json()) == 1
    assert (await client.get(f"/v1/workflows/{target['id']}")).json()["old_versions"] == []


async def test_a_merge_makes_the_target_equal_in_all_but_its_name(
    client: httpx.AsyncClient, make: Make
) -> None:
    vanishing = {"name": "Old", "type": "run_attachment_exists", "file_names": ["f"]}
    target = await make("workflows", name="Charts", main_prompt="One", post_run_checks=[vanishing])
    source = await make("workflows", name="Draft", main_prompt="{x}", post_run_checks=[CHECK], **AUTHORED)
    await tagged(client, make, target["id"], "Of the target")
    await tagged(client, make, source["id"], "Of the source")
    source = (await client.get(f"/v1/workflows/{source['id']}")).json()

    answer = await client.post(
        f"/v1/workflows/{source['id']}/merge", json={"target_workflow_id": target["id"]}
    )

    assert answer.status_code == 200
    merged = answer.json()
    own = {"id", "name", "created_at", "updated_at", "old_versions", "post_run_checks", "included"}
    assert without(merged, own) == without(source, own)
    assert (merged["id"], merged["name"], merged["created_at"]) == (
        target["id"],
        "Charts",
        target["created_at"],
    )
    assert names(merged["post_run_checks"]) == ["Fits"]
    assert names(merged["tags"]) == ["Of the source"]
    (version,) = merged["old_versions"]
    assert (version["name"], version["main_prompt"]) == ("Charts", "One")
    assert names(version["post_run_checks"]) == ["Old"]
    assert names(version["tags"]) == ["Of the target"]
    assert (await client.get(f"/v1/workflows/{source['id']}")).status_code == 404
    assert (await client.get("/v1/workflows")).json()["total"] == 1


async def test_a_merge_brings_generated_trajectories_when_asked(
    client: httpx.AsyncClient, make: Make, parts: Parts, tmp_path: Path
) -> None:
    image = await an_image(client)
    kept, source = await make("workflows"), await make("workflows", main_prompt=f'<img src="{image}">')
    picture = await a_recorded_trajectory(parts, source["id"], image)

    await client.post(
        f"/v1/workflows/{source['id']}/merge",
        json={"target_workflow_id": kept["id"], "copy_trajectories": True},
    )

    (found,) = (await client.get("/v1/trajectories", params={"workflow_id": kept["id"]})).json()["items"]
    (step,) = (await client.get(f"/v1/trajectories/{found['id']}")).json()["trajectory_data"]
    # The prompt moved with its images, so they keep their addresses; the trajectory's picture is a copy.
    assert step["kwargs"]["image"] == image
    shown = step["pre_check_snapshot"]["screenshot"]
    assert contents(tmp_path) == {Path(image).name, Path(shown).name}
    assert shown != picture


async def test_a_workflow_with_unfinished_runs_is_not_merged(client: httpx.AsyncClient, make: Make) -> None:
    source, target = await make("workflows", main_prompt="New"), await make("workflows", main_prompt="Old")
    run = await make("runs", workflow_id=source["id"])
    path, body = f"/v1/workflows/{source['id']}/merge", {"target_workflow_id": target["id"]}

    refused = await client.post(path, json=body)
    untouched = (await client.get(f"/v1/workflows/{target['id']}")).json()
    await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})
    merged = await client.post(path, json=body)

    assert [refused.status_code, merged.status_code] == [409, 200]
    assert (untouched["main_prompt"], untouched["old_versions"]) == ("Old", [])


async def test_a_merge_needs_two_workflows(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")
    path = f"/v1/workflows/{workflow['id']}/merge"

    itself = await client.post(path, json={"target_workflow_id": workflow["id"]})
    nobody = await client.post(path, json={"target_workflow_id": str(uuid4())})
    unnamed = await client.post(path, json={})

    assert [itself.status_code, nobody.status_code, unnamed.status_code] == [422, 404, 422]
    assert itself.json()["detail"][0]["loc"] == ["body", "target_workflow_id"]
