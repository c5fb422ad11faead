"""Images of prompts over HTTP."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from cyberdesk_server.api import bodies
from cyberdesk_server.api.schemas.prompt_images import (
    WorkflowPromptImageListItem,
    WorkflowPromptImageResponse,
    WorkflowPromptImageSignedUrlResponse,
)
from cyberdesk_server.domain import prompt_images
from cyberdesk_server.usecases import prompt_images as usecases

PNG = b"\x89PNG\r\n\x1a\n and the rest"
UPLOAD = "/v1/workflows/prompt-image"


async def upload(client: httpx.AsyncClient, content: bytes = PNG, name: str = "Save button.png") -> Any:
    response = await client.post(UPLOAD, files={"file": (name, content, "application/octet-stream")})
    assert response.status_code == 201, response.text
    return response.json()


def contents(tmp_path: Path) -> int:
    return sum(1 for path in (tmp_path / "blobs").rglob("*") if path.is_file())


async def test_an_uploaded_image_is_told_by_its_content(client: httpx.AsyncClient) -> None:
    image = await upload(client, name="../Save button.exe")

    address = image["supabase_url"]
    assert address.startswith("supabase://workflow-prompt-images/org_own/prompt-assets/")
    assert address.endswith("-Save-button.png")
    assert image == {
        "supabase_url": address,
        "signed_url": image["signed_url"],
        "filename": "Save-button.png",
        "content_type": "image/png",
        "size_bytes": len(PNG),
    }
    assert set(image) == set(WorkflowPromptImageResponse.model_fields)
    shown = await client.get(image["signed_url"], headers={"Authorization": ""})
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")


async def test_images_of_the_same_name_are_two(client: httpx.AsyncClient) -> None:
    first, second = await upload(client, PNG + b"1"), await upload(client, PNG + b"2")

    assert first["supabase_url"] != second["supabase_url"]
    listed = (await client.get("/v1/workflows/prompt-images")).json()
    assert [item["supabase_url"] for item in listed] == [second["supabase_url"], first["supabase_url"]]
    assert set(listed[0]) == set(WorkflowPromptImageListItem.model_fields)


async def test_an_image_is_found_by_its_address_and_its_path(client: httpx.AsyncClient) -> None:
    await upload(client)
    (item,) = (await client.get("/v1/workflows/prompt-images")).json()

    for path in (item["supabase_url"], item["path"]):
        link = (await client.get(f"{UPLOAD}/signed-url", params={"path": path})).json()
        assert set(link) == set(WorkflowPromptImageSignedUrlResponse.model_fields)
        assert (link["supabase_url"], link["expires_in"]) == (item["supabase_url"], 3600)
        assert (await client.get(link["signed_url"])).content == PNG


async def test_a_link_ends_after_an_hour(client: httpx.AsyncClient, clock: Any) -> None:
    image = await upload(client)
    expires = int(httpx.QueryParams(urlsplit(image["signed_url"]).query)["expires"])

    assert 3590 <= expires - clock.time.timestamp() <= 3600


async def test_a_deleted_image_is_gone(client: httpx.AsyncClient, tmp_path: Path) -> None:
    image = await upload(client)

    deleted = await client.delete(UPLOAD, params={"path": image["supabase_url"]})
    again = await client.delete(UPLOAD, params={"path": image["supabase_url"]})

    assert [deleted.status_code, again.status_code] == [204, 404]
    assert (await client.get(image["signed_url"])).status_code == 404
    assert (await client.get("/v1/workflows/prompt-images")).json() == []
    assert contents(tmp_path) == 0


async def test_an_image_of_another_organization_is_not_found(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    """Invariant 8."""
    image = await upload(client)
    (item,) = (await client.get("/v1/workflows/prompt-images")).json()

    for path in (item["supabase_url"], item["path"], f"org_foreign/../{item['path']}", ""):
        assert (await stranger.get(f"{UPLOAD}/signed-url", params={"path": path})).status_code == 404
        assert (await stranger.delete(UPLOAD, params={"path": path})).status_code == 404
    assert (await stranger.get("/v1/workflows/prompt-images")).json() == []
    assert (await client.get(image["signed_url"])).status_code == 200


@pytest.mark.parametrize("content", [b"", b"<svg></svg>", b"%PDF-1.7"])
async def test_what_is_no_image_names_the_file(
    client: httpx.AsyncClient, tmp_path: Path, content: bytes
) -> None:
    response = await client.post(UPLOAD, files={"file": ("a.png", content, "image/png")})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "file"]
    assert contents(tmp_path) == 0


async def test_an_image_has_a_largest_size(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecases, "MAX_BYTES", 1000)
    monkeypatch.setattr(bodies, "MAX_FORM_BYTES", 2000)

    just_right = await client.post(UPLOAD, files={"file": ("a.png", PNG.ljust(1000))})
    too_large = await client.post(UPLOAD, files={"file": ("a.png", PNG.ljust(1001))})
    much_too_large = await client.post(UPLOAD, files={"file": ("a.png", PNG.ljust(2000))})

    assert [just_right.status_code, too_large.status_code, much_too_large.status_code] == [201, 422, 413]
    assert too_large.json()["detail"][0]["loc"] == ["body", "file"]
    assert prompt_images.MAX_BYTES == 10 * 1024 * 1024


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"--x\r\nno end"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nt\r\n--x--\r\n',
        ),
        ("application/x-www-form-urlencoded", b"file=x"),
    ],
)
async def test_what_is_no_upload_is_refused(
    client: httpx.AsyncClient, content_type: str, content: bytes
) -> None:
    response = await client.post(UPLOAD, content=content, headers={"Content-Type": content_type})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][0] == "body"


async def test_the_same_upload_is_done_once(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """Invariant 7; the lines between the parts of a form are drawn anew for each attempt."""
    key = {"Idempotency-Key": "k-1"}

    first, second = [await client.post(UPLOAD, files={"file": ("a.png", PNG)}, headers=key) for _ in range(2)]
    other = await client.post(UPLOAD, files={"file": ("a.png", PNG + b"x")}, headers=key)

    assert first.request.headers["content-type"] != second.request.headers["content-type"]
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert other.status_code == 422
    assert len((await client.get("/v1/workflows/prompt-images")).json()) == 1
    assert contents(tmp_path) == 1
