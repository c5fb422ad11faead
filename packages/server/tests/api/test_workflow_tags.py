"""Tags and tag groups over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.schemas.tags import WorkflowTagGroupResponse, WorkflowTagResponse

Make = Callable[..., Awaitable[dict[str, Any]]]


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()]


async def test_a_tag_keeps_what_was_written_and_shows_its_group(
    client: httpx.AsyncClient, make: Make
) -> None:
    group = await make("workflow-tag-groups", name="Status", description="d", emoji="🚦", color="#fff")
    written = {"name": "Live", "description": "d", "emoji": "✨", "color": "red", "group_id": group["id"]}

    tag = await make("workflow-tags", **written)

    assert tag == written | {
        "id": tag["id"],
        "organization_id": "org_own",
        "order": 0,
        "is_archived": False,
        "workflow_count": 0,
        "group": group,
        "created_at": tag["created_at"],
        "updated_at": tag["created_at"],
    }
    assert set(tag) == set(WorkflowTagResponse.model_fields)
    assert set(group) == set(WorkflowTagGroupResponse.model_fields)
    assert (await client.get(f"/v1/workflow-tags/{tag['id']}")).json() == tag
    assert (await client.get(f"/v1/workflow-tag-groups/{group['id']}")).json() == group


@pytest.mark.parametrize("noun", ["workflow-tags", "workflow-tag-groups"])
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", ""),
        ("name", "n" * 101),
        ("description", "d" * 501),
        ("emoji", "e" * 11),
        ("color", "c" * 21),
    ],
)
async def test_what_is_too_long_names_the_member(
    client: httpx.AsyncClient, make: Make, noun: str, member: str, value: str
) -> None:
    there = await make(noun, name="n")

    new = await client.post(f"/v1/{noun}", json={"name": "n", member: value})
    changed = await client.patch(f"/v1/{noun}/{there['id']}", json={member: value})

    for response in (new, changed):
        assert response.status_code == 422
        assert [problem["loc"] for problem in response.json()["detail"]] == [["body", member]]


@pytest.mark.parametrize("noun", ["workflow-tags", "workflow-tag-groups"])
async def test_null_clears_a_member_and_leaves_the_name(
    client: httpx.AsyncClient, make: Make, noun: str
) -> None:
    written = await make(noun, name="n", description="d", emoji="e", color="c")
    cleared = {"description": None, "emoji": None, "color": None}

    after = await client.patch(f"/v1/{noun}/{written['id']}", json={"name": None, **cleared})

    assert after.json() == written | cleared | {"updated_at": after.json()["updated_at"]}


@pytest.mark.parametrize("no_group", [None, ""])
async def test_no_group_id_takes_a_tag_out_of_its_group(
    client: httpx.AsyncClient, make: Make, no_group: str | None
) -> None:
    group = await make("workflow-tag-groups", name="Status")
    tag = await make("workflow-tags", name="Live", group_id=group["id"])

    renamed = await client.patch(f"/v1/workflow-tags/{tag['id']}", json={"name": "Running"})
    ungrouped = await client.patch(f"/v1/workflow-tags/{tag['id']}", json={"group_id": no_group})

    assert renamed.json()["group"] == group
    assert (ungrouped.json()["group_id"], ungrouped.json()["group"]) == (None, None)


async def test_a_deleted_group_leaves_its_tags(client: httpx.AsyncClient, make: Make) -> None:
    group = await make("workflow-tag-groups", name="Status")
    tag = await make("workflow-tags", name="Live", group_id=group["id"])

    deleted = await client.delete(f"/v1/workflow-tag-groups/{group['id']}")

    assert deleted.status_code == 204
    assert (await client.get(f"/v1/workflow-tags/{tag['id']}")).json()["group"] is None
    assert (await client.get(f"/v1/workflow-tag-groups/{group['id']}")).status_code == 404


async def test_an_archived_tag_stays_on_its_workflows(client: httpx.AsyncClient, make: Make) -> None:
    tag, workflow = await make("workflow-tags", name="Old"), await make("workflows")
    await client.post(f"/v1/workflows/{workflow['id']}/tags", json={"tag_ids": [tag["id"]]})

    archived = await client.post(f"/v1/workflow-tags/{tag['id']}/archive")

    assert archived.json()["is_archived"] is True
    assert names(await client.get("/v1/workflow-tags")) == []
    assert names(await client.get("/v1/workflow-tags?include_archived=true")) == ["Old"]
    assert names(await client.get(f"/v1/workflows/{workflow['id']}/tags")) == ["Old"]
    assert (await client.post(f"/v1/workflow-tags/{tag['id']}/unarchive")).json()["is_archived"] is False
    assert names(await client.get("/v1/workflow-tags")) == ["Old"]


async def test_a_deleted_tag_is_gone_from_its_workflows(client: httpx.AsyncClient, make: Make) -> None:
    tag, workflow = await make("workflow-tags", name="Old"), await make("workflows")
    await client.post(f"/v1/workflows/{workflow['id']}/tags", json={"tag_ids": [tag["id"]]})

    deleted = await client.delete(f"/v1/workflow-tags/{tag['id']}")

    assert deleted.status_code == 204
    assert names(await client.get(f"/v1/workflows/{workflow['id']}/tags")) == []


@pytest.mark.parametrize("noun", ["workflow-tags", "workflow-tag-groups"])
async def test_a_few_are_sorted_on_the_places_they_hold(
    client: httpx.AsyncClient, make: Make, noun: str
) -> None:
    made = {name: (await make(noun, name=name))["id"] for name in "ABCD"}

    sorted_ = await client.put(f"/v1/{noun}/reorder", json={"ids": [made["D"], made["A"], made["C"]]})

    assert sorted_.status_code == 204
    assert names(await client.get(f"/v1/{noun}")) == ["D", "B", "A", "C"]
    await make(noun, name="E")
    assert names(await client.get(f"/v1/{noun}")) == ["D", "B", "A", "C", "E"]


@pytest.mark.parametrize("noun", ["workflow-tags", "workflow-tag-groups"])
async def test_sorting_what_is_not_there_names_it_and_sorts_nothing(
    client: httpx.AsyncClient, make: Make, noun: str
) -> None:
    first, second = (await make(noun, name="A"))["id"], (await make(noun, name="B"))["id"]
    unknown = [str(uuid4()), str(uuid4())]

    missing = await client.put(f"/v1/{noun}/reorder", json={"ids": [second, first, *unknown]})
    twice = await client.put(f"/v1/{noun}/reorder", json={"ids": [second, first, second]})

    assert missing.status_code == 404
    assert all(id_ in missing.json()["detail"] for id_ in unknown)
    assert (twice.status_code, twice.json()["detail"][0]["loc"]) == (422, ["body", "ids"])
    assert names(await client.get(f"/v1/{noun}")) == ["A", "B"]


async def test_a_tag_takes_the_place_of_another_of_its_group(client: httpx.AsyncClient, make: Make) -> None:
    group = (await make("workflow-tag-groups", name="Status"))["id"]
    draft = (await make("workflow-tags", name="Draft", group_id=group))["id"]
    live = (await make("workflow-tags", name="Live", group_id=group))["id"]
    free = (await make("workflow-tags", name="Free"))["id"]
    path = f"/v1/workflows/{(await make('workflows'))['id']}/tags"

    assert names(await client.post(path, json={"tag_ids": [draft, free]})) == ["Draft", "Free"]
    assert names(await client.post(path, json={"tag_ids": [live]})) == ["Live", "Free"]
    assert names(await client.post(path, json={"tag_ids": [live, draft]})) == ["Draft", "Free"]
    assert names(await client.post(path, json={"tag_ids": [draft]})) == ["Draft", "Free"]


async def test_tags_are_put_on_all_of_the_workflows_or_on_none(client: httpx.AsyncClient, make: Make) -> None:
    group = (await make("workflow-tag-groups", name="Status"))["id"]
    draft, live = [
        (await make("workflow-tags", name=name, group_id=group))["id"] for name in ("Draft", "Live")
    ]
    one, two = (await make("workflows"))["id"], (await make("workflows"))["id"]
    await client.post(f"/v1/workflows/{one}/tags", json={"tag_ids": [draft]})

    async def bulk(workflow_ids: list[str], tag_ids: list[str]) -> int:
        body = {"workflow_ids": workflow_ids, "tag_ids": tag_ids}
        return (await client.post("/v1/workflows/bulk/tags", json=body)).status_code

    async def tags_of(workflow: str) -> list[str]:
        return names(await client.get(f"/v1/workflows/{workflow}/tags"))

    assert await bulk([two, str(uuid4())], [live]) == 404
    assert await bulk([two], [live, str(uuid4())]) == 404
    assert await tags_of(two) == []
    assert await bulk([one, two, two], [draft, live]) == 204
    assert [await tags_of(one), await tags_of(two)] == [["Live"], ["Live"]]
    assert (await client.get("/v1/workflow-tags")).json()[1]["workflow_count"] == 2


@pytest.mark.parametrize("body", [{"tag_ids": []}, {}, {"tag_ids": ["x"]}, {"tag_ids": None}])
async def test_tags_to_add_must_be_named(client: httpx.AsyncClient, make: Make, body: dict[str, Any]) -> None:
    workflow = (await make("workflows"))["id"]

    one = await client.post(f"/v1/workflows/{workflow}/tags", json=body)
    many = await client.post("/v1/workflows/bulk/tags", json={"workflow_ids": [workflow], **body})

    for response in (one, many):
        assert response.status_code == 422
        assert response.json()["detail"][0]["loc"][:2] == ["body", "tag_ids"]


async def test_taking_a_tag_off_twice_is_taking_it_off(client: httpx.AsyncClient, make: Make) -> None:
    tag, workflow = (await make("workflow-tags", name="Old"))["id"], (await make("workflows"))["id"]
    await client.post(f"/v1/workflows/{workflow}/tags", json={"tag_ids": [tag]})

    answers = [await client.delete(f"/v1/workflows/{workflow}/tags/{tag}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert names(await client.get(f"/v1/workflows/{workflow}/tags")) == []
    assert (await client.delete(f"/v1/workflows/{workflow}/tags/{uuid4()}")).status_code == 404


async def test_a_tag_does_not_move_to_a_group_where_a_workflow_has_another(
    client: httpx.AsyncClient, make: Make
) -> None:
    group = (await make("workflow-tag-groups", name="Status"))["id"]
    draft = (await make("workflow-tags", name="Draft", group_id=group))["id"]
    free = (await make("workflow-tags", name="Free"))["id"]
    path = f"/v1/workflows/{(await make('workflows'))['id']}/tags"
    await client.post(path, json={"tag_ids": [draft, free]})

    clash = await client.patch(f"/v1/workflow-tags/{free}", json={"group_id": group})
    await client.delete(f"{path}/{draft}")
    moved = await client.patch(f"/v1/workflow-tags/{free}", json={"group_id": group})

    assert [clash.status_code, moved.status_code] == [409, 200]
    assert moved.json()["group_id"] == group


async def test_a_group_that_is_not_there_is_not_found(client: httpx.AsyncClient, make: Make) -> None:
    tag = await make("workflow-tags", name="Live")

    new = await client.post("/v1/workflow-tags", json={"name": "n", "group_id": str(uuid4())})
    moved = await client.patch(f"/v1/workflow-tags/{tag['id']}", json={"group_id": str(uuid4())})

    assert [new.status_code, moved.status_code] == [404, 404]


async def test_workflows_show_and_include_their_tags(client: httpx.AsyncClient, make: Make) -> None:
    tag, workflow = await make("workflow-tags", name="Live"), await make("workflows")
    await client.post(f"/v1/workflows/{workflow['id']}/tags", json={"tag_ids": [tag["id"]]})
    as_shown = tag | {"workflow_count": None}

    async def answer(path: str, **query: str) -> Any:
        return (await client.get(path, params=query)).json()

    one = await answer(f"/v1/workflows/{workflow['id']}")
    bare = await answer(f"/v1/workflows/{workflow['id']}", include="")
    listed = await answer("/v1/workflows")

    assert one["tags"] == bare["tags"] == listed["items"][0]["tags"] == [as_shown]
    assert one["included"] == [{**as_shown, "type": "tag"}]
    assert (bare["included"], listed["included"]) == (None, None)
    assert (await answer("/v1/workflows", include_tags="true"))["included"] == one["included"]
    assert (await answer("/v1/workflows", include_tags="true", include="post_run_checks"))["included"] == []


async def test_included_checks_tell_their_own_type_apart(client: httpx.AsyncClient, make: Make) -> None:
    check = {"name": "Plausible", "type": "output_data_agentic_check", "check_prompt": "Is it?"}
    workflow = await make("workflows", post_run_checks=[check])

    (included,) = (await client.get(f"/v1/workflows/{workflow['id']}")).json()["included"]

    (shown,) = workflow["post_run_checks"]
    assert included == shown | {"type": "post_run_check", "check_type": "output_data_agentic_check"}


async def test_workflows_are_found_by_all_of_their_tags(client: httpx.AsyncClient, make: Make) -> None:
    first, second = [(await make("workflow-tags", name=name))["id"] for name in "AB"]
    both, one = (await make("workflows", name="both"))["id"], (await make("workflows", name="one"))["id"]
    await client.post(f"/v1/workflows/{both}/tags", json={"tag_ids": [first, second]})
    await client.post(f"/v1/workflows/{one}/tags", json={"tag_ids": [first]})

    async def found(tag_ids: str | list[str]) -> set[str]:
        answer = await client.get("/v1/workflows", params={"tag_ids": tag_ids})
        return {item["name"] for item in answer.json()["items"]}

    assert await found(first) == {"both", "one"}
    assert await found(f"{first}, {second}") == await found([first, second]) == {"both"}
    assert await found([first, str(uuid4())]) == set()
    assert await found("") == {"both", "one"}


async def test_a_version_keeps_the_tags_of_its_time(client: httpx.AsyncClient, make: Make) -> None:
    tag, workflow = await make("workflow-tags", name="Live"), await make("workflows", main_prompt="One")
    path = f"/v1/workflows/{workflow['id']}"
    await client.post(f"{path}/tags", json={"tag_ids": [tag["id"]]})

    await client.patch(path, json={"main_prompt": "Two"})

    (version,) = (await client.get(f"{path}/versions")).json()
    assert version["tags"] == [{"id": tag["id"], "name": "Live"}]
