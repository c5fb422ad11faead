"""Members of a run that a caller writes."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx

Make = Callable[..., Awaitable[dict[str, Any]]]
Read = Callable[[str], Awaitable[dict[str, Any]]]


async def test_a_caller_may_write_history_times_and_checks(
    client: httpx.AsyncClient, make: Make, read_run: Read
) -> None:
    made = await make("runs", workflow_id=(await make("workflows"))["id"])
    image = "supabase://run-images/message-history/org_own/1.png"
    foreign = "supabase://run-images/message-history/org_foreign/1.png"
    content = [{"type": "image", "image_url": image}, {"type": "image", "image_url": foreign}]
    told = {
        "run_message_history": [{"role": "user", "content": content}],
        "started_at": "2030-01-01T10:00:00Z",
        "ended_at": "2030-01-01T11:00:00Z",
        "post_run_checks": [{"status": "success", "name": "looked at"}],
    }

    response = await client.patch(f"/v1/runs/{made['id']}", json=told)

    answer = await read_run(made["id"])
    assert response.status_code == 200, response.text
    assert {name: answer[name] for name in ("run_message_history", "started_at", "ended_at")} == {
        name: told[name] for name in ("run_message_history", "started_at", "ended_at")
    }
    assert answer["post_run_checks"][0]["name"] == "looked at"
    path = f"/v1/runs/{made['id']}/image/signed-url"
    assert (await client.get(path, params={"image_url": image})).status_code == 200
    assert (await client.get(path, params={"image_url": foreign})).status_code == 404

    await client.patch(f"/v1/runs/{made['id']}", json={"run_message_history": None})
    assert (await read_run(made["id"]))["run_message_history"] == []


async def test_output_attachments_a_caller_names_must_be_there(
    client: httpx.AsyncClient, make: Make, stranger: httpx.AsyncClient
) -> None:
    workflow = (await make("workflows"))["id"]
    files = [{"filename": "a.txt", "content": "YWJj"}]
    made = await make("runs", workflow_id=workflow, file_inputs=files)
    file_id = made["input_attachment_ids"][0]

    accepted = await client.patch(f"/v1/runs/{made['id']}", json={"output_attachment_ids": [file_id]})
    refused = await client.patch(
        f"/v1/runs/{made['id']}", json={"output_attachment_ids": [file_id, str(uuid4()), "x"]}
    )

    assert accepted.json()["output_attachment_ids"] == [file_id]
    assert [problem["loc"] for problem in refused.json()["detail"]] == [
        ["body", "output_attachment_ids", 1],
        ["body", "output_attachment_ids", 2],
    ]
