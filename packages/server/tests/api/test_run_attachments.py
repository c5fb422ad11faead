"""`/v1/run-attachments`."""

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.ports import BlobMissing
from cyberdesk_server.usecases import attachments

Make = Callable[..., Awaitable[dict[str, Any]]]
CONTENT = bytes(range(256)) * 1000
NOWHERE = "00000000-0000-4000-8000-000000000000"


def a_file(run_id: str, content: bytes = CONTENT, **fields: Any) -> dict[str, Any]:
    """A body of a request that creates one."""
    return {
        "run_id": run_id,
        "filename": "report.pdf",
        "content": base64.b64encode(content).decode(),
        "content_type": "application/pdf",
        "attachment_type": "input",
        **fields,
    }


@pytest.fixture
async def run_id(make: Make) -> str:
    workflow = await make("workflows")
    return str((await make("runs", workflow_id=workflow["id"]))["id"])


async def test_a_file_comes_back_as_it_was_sent(client: httpx.AsyncClient, make: Make, run_id: str) -> None:
    made = await make("run-attachments", **a_file(run_id, target_path="C:\\in\\"))

    got = (await client.get(f"/v1/run-attachments/{made['id']}")).json()
    run = (await client.get(f"/v1/runs/{run_id}")).json()
    answer = await client.get(f"/v1/run-attachments/{made['id']}/download")

    assert got == made
    assert made == {
        "id": made["id"],
        "run_id": run_id,
        "filename": "report.pdf",
        "content_type": "application/pdf",
        "attachment_type": "input",
        "size_bytes": len(CONTENT),
        "storage_path": made["storage_path"],
        "target_path": "C:\\in\\",
        "cleanup_imports_after_run": False,
        "user_id": None,
        "organization_id": "org_own",
        "created_at": made["created_at"],
        "expires_at": None,
    }
    assert made["storage_path"].endswith("/report.pdf")
    assert run["input_attachment_ids"] == [made["id"]]
    assert answer.content == CONTENT
    assert {
        name: answer.headers[name]
        for name in ("content-type", "content-length", "content-disposition", "x-content-type-options")
    } == {
        "content-type": "application/pdf",
        "content-length": str(len(CONTENT)),
        "content-disposition": "attachment; filename=\"report.pdf\"; filename*=UTF-8''report.pdf",
        "x-content-type-options": "nosniff",
    }


async def test_files_are_listed_by_run_and_type(client: httpx.AsyncClient, make: Make, run_id: str) -> None:
    first = await make("run-attachments", **a_file(run_id))
    second = await make("run-attachments", **a_file(run_id, attachment_type="output"))

    def ids(answer: httpx.Response) -> list[str]:
        return [one["id"] for one in answer.json()["items"]]

    assert ids(await client.get("/v1/run-attachments", params={"run_id": run_id})) == [
        first["id"],
        second["id"],
    ]
    outputs = await client.get("/v1/run-attachments", params={"attachment_type": "output"})
    assert (ids(outputs), outputs.json()["total"]) == ([second["id"]], 1)
    assert ids(await client.get("/v1/run-attachments", params={"run_id": NOWHERE})) == []
    assert ids(await client.get("/v1/run-attachments", params={"skip": 1, "limit": 1})) == [second["id"]]


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=10-10", 206, 10, 11),
        ("bytes=255990-", 206, 255990, 256000),
        ("bytes=255990-999999999", 206, 255990, 256000),
        ("bytes=-5", 206, 255995, 256000),
        ("bytes=-999999999", 206, 0, 256000),
        ("bytes=9-3", 200, 0, 256000),
        ("bytes=0-1,5-6", 200, 0, 256000),
        ("lines=1-2", 200, 0, 256000),
        ("bytes=-", 200, 0, 256000),
    ],
)
async def test_a_range_of_a_file(
    client: httpx.AsyncClient, make: Make, run_id: str, asked: str, status: int, start: int, end: int
) -> None:
    made = await make("run-attachments", **a_file(run_id))

    answer = await client.get(f"/v1/run-attachments/{made['id']}/download", headers={"Range": asked})

    assert (answer.status_code, answer.content) == (status, CONTENT[start:end])
    assert answer.headers["content-length"] == str(end - start)
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"


@pytest.mark.parametrize("asked", ["bytes=256000-", "bytes=300000-300001", "bytes=-0"])
async def test_a_range_behind_the_end_cannot_be_had(
    client: httpx.AsyncClient, make: Make, run_id: str, asked: str
) -> None:
    made = await make("run-attachments", **a_file(run_id))

    answer = await client.get(f"/v1/run-attachments/{made['id']}/download", headers={"Range": asked})

    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */256000")


async def test_a_file_the_caller_has_is_not_sent_again(
    client: httpx.AsyncClient, make: Make, run_id: str
) -> None:
    made = await make("run-attachments", **a_file(run_id))
    other = await make("run-attachments", **a_file(run_id))
    address = f"/v1/run-attachments/{made['id']}/download"
    tag = (await client.get(address)).headers["etag"]
    other_tag = (await client.get(f"/v1/run-attachments/{other['id']}/download")).headers["etag"]

    unchanged = await client.get(address, headers={"If-None-Match": f"{other_tag}, W/{tag}"})
    resumed = await client.get(address, headers={"If-Range": tag, "Range": "bytes=5-6"})
    started_over = await client.get(address, headers={"If-Range": other_tag, "Range": "bytes=5-6"})

    assert tag != other_tag
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    assert (resumed.status_code, resumed.content) == (206, CONTENT[5:7])
    assert (started_over.status_code, started_over.content) == (200, CONTENT)


async def test_an_empty_file_is_a_file(client: httpx.AsyncClient, make: Make, run_id: str) -> None:
    made = await make("run-attachments", **a_file(run_id, b""))

    answer = await client.get(f"/v1/run-attachments/{made['id']}/download")

    assert (made["size_bytes"], answer.status_code, answer.content) == (0, 200, b"")


@pytest.mark.parametrize(
    ("filename", "told"),
    [
        ('a"b\r\nX-Evil: 1.txt', "a_b__X-Evil_ 1.txt"),
        ("../../etc/passwd", "passwd"),
        ("łóżko.txt", "łóżko.txt"),
        ("a;b%22.txt", "a;b%22.txt"),
        ("报告" * 100 + ".pdf", "报告" * 32 + "报.pdf"),
    ],
)
async def test_any_name_is_kept_as_sent_and_told_safely(
    client: httpx.AsyncClient, make: Make, run_id: str, filename: str, told: str
) -> None:
    made = await make("run-attachments", **a_file(run_id, filename=filename))

    answer = await client.get(f"/v1/run-attachments/{made['id']}/download")
    link = (await client.get(f"/v1/run-attachments/{made['id']}/download-url")).json()["url"]

    assert made["filename"] == filename
    for downloaded in (answer, await client.get(link)):
        assert downloaded.content == CONTENT
        head, full = downloaded.headers["content-disposition"].split("; filename*=UTF-8''")
        assert unquote(full) == told
        assert head.isascii()
        assert head.count('"') == 2


@pytest.mark.parametrize("content_type", ["text/html\r\nX-Evil: 1", "no type", "ż/ż"])
async def test_what_is_no_media_type_is_not_told_as_one(
    client: httpx.AsyncClient, make: Make, run_id: str, content_type: str
) -> None:
    made = await make("run-attachments", **a_file(run_id, content_type=content_type))

    answer = await client.get(f"/v1/run-attachments/{made['id']}/download")

    assert made["content_type"] == content_type
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "x-evil" not in answer.headers


async def test_a_link_opens_without_a_key_and_in_ranges(
    client: httpx.AsyncClient, connect: Callable[[str | None], httpx.AsyncClient], make: Make, run_id: str
) -> None:
    made = await make("run-attachments", **a_file(run_id))
    told = (await client.get(f"/v1/run-attachments/{made['id']}/download-url")).json()

    async with connect(None) as anybody:
        whole = await anybody.get(told["url"])
        part = await anybody.get(told["url"], headers={"Range": "bytes=1-2"})

    assert told["expires_in"] == 300
    assert (whole.status_code, whole.content) == (200, CONTENT)
    assert whole.headers["content-disposition"].startswith('attachment; filename="report.pdf"')
    assert (part.status_code, part.content) == (206, CONTENT[1:3])


@pytest.mark.parametrize(("seconds", "status"), [(9, 422), (10, 200), (3600, 200), (3601, 422)])
async def test_a_link_lasts_between_ten_seconds_and_an_hour(
    client: httpx.AsyncClient, make: Make, run_id: str, seconds: int, status: int
) -> None:
    made = await make("run-attachments", **a_file(run_id))

    answer = await client.get(
        f"/v1/run-attachments/{made['id']}/download-url", params={"expires_in": seconds}
    )

    assert answer.status_code == status


async def test_an_expired_file_is_gone_for_readers(
    client: httpx.AsyncClient, make: Make, run_id: str, parts: Parts
) -> None:
    made = await make("run-attachments", **a_file(run_id, expires_at="2030-01-01T12:10:00Z"))
    address = f"/v1/run-attachments/{made['id']}"
    link = (await client.get(f"{address}/download-url", params={"expires_in": 3600})).json()
    await parts.clock.sleep(600)

    answers = [
        await client.get(address),
        await client.get(f"{address}/download"),
        await client.get(f"{address}/download-url"),
        await client.put(address, json={"expires_at": None}),
        await client.delete(address),
    ]
    listed = await client.get("/v1/run-attachments")

    assert made["expires_at"] == "2030-01-01T12:10:00Z"
    assert 500 < link["expires_in"] < 600
    assert (await client.get(link["url"])).status_code == 403
    assert [answer.status_code for answer in answers] == [404] * 5
    assert listed.json()["total"] == 0
    await attachments.remove_expired(parts.database, parts.blobs, now=parts.clock.now())
    with pytest.raises(BlobMissing):
        await parts.blobs.size(made["storage_path"])


async def test_how_long_a_file_is_kept_can_change(client: httpx.AsyncClient, make: Make, run_id: str) -> None:
    made = await make("run-attachments", **a_file(run_id, expires_at="2030-01-01T13:00:00Z"))
    address = f"/v1/run-attachments/{made['id']}"

    left_alone = await client.put(address, json={})
    later = await client.put(address, json={"expires_at": "2031-01-01T12:00:00"})
    for_ever = await client.put(address, json={"expires_at": None})

    assert left_alone.json() == made
    assert later.json() == {**made, "expires_at": "2031-01-01T12:00:00Z"}
    assert for_ever.json() == (await client.get(address)).json() == {**made, "expires_at": None}


async def test_a_deleted_file_is_gone_with_its_content(
    client: httpx.AsyncClient, make: Make, run_id: str, parts: Parts
) -> None:
    made = await make("run-attachments", **a_file(run_id))

    answer = await client.delete(f"/v1/run-attachments/{made['id']}")

    assert answer.status_code == 204
    assert (await client.get(f"/v1/run-attachments/{made['id']}")).status_code == 404
    with pytest.raises(BlobMissing):
        await parts.blobs.size(made["storage_path"])


async def test_a_deleted_run_takes_its_files_along(
    client: httpx.AsyncClient, make: Make, run_id: str, parts: Parts
) -> None:
    made = await make("run-attachments", **a_file(run_id))
    await client.patch(f"/v1/runs/{run_id}", json={"status": "cancelled"})

    assert (await client.delete(f"/v1/runs/{run_id}")).status_code == 204
    assert (await client.get(f"/v1/run-attachments/{made['id']}")).status_code == 404
    with pytest.raises(BlobMissing):
        await parts.blobs.size(made["storage_path"])


@pytest.mark.parametrize("count", [1, 20_000])
@pytest.mark.parametrize("broken", ["?", "QQ", "Q\n==", "QQ==QQ==", "żżżż", "\\"])
async def test_what_is_no_base64_is_refused_naming_the_content(
    client: httpx.AsyncClient, run_id: str, parts: Parts, broken: str, count: int
) -> None:
    body = a_file(run_id, content=b"") | {"content": "QUJD" * count + broken}

    answer = await client.post("/v1/run-attachments", json=body)

    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [["body", "content"]]
    assert (await client.get("/v1/run-attachments")).json()["total"] == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"filename": ""}, "filename"),
        ({"filename": "x" * 256}, "filename"),
        ({"content": None}, "content"),
        ({"content": 5}, "content"),
        ({"content": {}}, "content"),
        ({"content_type": ""}, "content_type"),
        ({"attachment_type": "other"}, "attachment_type"),
        ({"run_id": "x"}, "run_id"),
        ({"expires_at": "2029-01-01T00:00:00Z"}, "expires_at"),
    ],
)
async def test_a_malformed_file_is_refused_naming_the_field(
    client: httpx.AsyncClient, run_id: str, changes: dict[str, Any], field: str
) -> None:
    answer = await client.post("/v1/run-attachments", json=a_file(run_id, b"") | changes)

    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [["body", field]]


async def test_a_file_that_is_too_large_is_refused(
    client: httpx.AsyncClient, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MAX_FILE_BYTES", 10)

    named = await client.post("/v1/run-attachments", json=a_file(run_id))
    far_too_large = await client.post("/v1/run-attachments", json=a_file(run_id, CONTENT * 5))

    assert named.status_code == 422
    assert named.json()["detail"][0]["loc"] == ["body", "content"]
    assert far_too_large.status_code == 413


async def test_a_file_of_a_run_that_is_not_there_leaves_no_content_behind(
    client: httpx.AsyncClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted: list[str] = []
    delete = parts.blobs.delete

    async def watched(key: str) -> None:
        deleted.append(key)
        await delete(key)

    monkeypatch.setattr(parts.blobs, "delete", watched)

    answer = await client.post("/v1/run-attachments", json=a_file(NOWHERE))

    [key] = deleted
    assert answer.status_code == 404
    with pytest.raises(BlobMissing):
        await parts.blobs.size(key)


async def test_a_file_sent_twice_under_one_key_is_one_file(
    client: httpx.AsyncClient, run_id: str, parts: Parts
) -> None:
    once = {"Idempotency-Key": "1"}

    first = await client.post("/v1/run-attachments", json=a_file(run_id), headers=once)
    again = await client.post("/v1/run-attachments", json=a_file(run_id), headers=once)
    other = await client.post("/v1/run-attachments", json=a_file(run_id, CONTENT[1:]), headers=once)

    listed = (await client.get("/v1/run-attachments")).json()
    assert again.json() == first.json()
    assert again.headers["idempotency-status"] == "replayed"
    assert other.status_code == 422
    assert [one["id"] for one in listed["items"]] == [first.json()["id"]]
    assert await parts.blobs.get(first.json()["storage_path"]) == CONTENT


async def test_base64_with_escaped_slashes_is_read_too(client: httpx.AsyncClient, run_id: str) -> None:
    content = bytes([255]) * 90_000
    body = json.dumps(a_file(run_id, content)).replace("/", "\\/")

    made = await client.post(
        "/v1/run-attachments", content=body, headers={"Content-Type": "application/json"}
    )

    answer = await client.get(f"/v1/run-attachments/{made.json()['id']}/download")
    assert answer.content == content
