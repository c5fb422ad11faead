"""A file of 100 MB on its way into a real server and out again: what it costs in memory."""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cyberdesk_server.domain.attachments import MAX_FILE_BYTES
from cyberdesk_server.testing.programs import ServerProgram

PIECE = bytes(range(256)) * 3 * 1024
BODY_MEGABYTES = MAX_FILE_BYTES * 4 / 3 / 1024**2
ALLOWANCE_MEGABYTES = 60
"""For the pieces under way and what the server builds up besides."""


def a_file(size_bytes: int) -> Iterator[bytes]:
    """Pieces of a content of this size."""
    for start in range(0, size_bytes, len(PIECE)):
        yield PIECE[: size_bytes - start]


def a_body(run_id: str, size_bytes: int) -> Iterator[bytes]:
    """The request that sends it, piece by piece."""
    fields = {"run_id": run_id, "filename": "large.bin", "content_type": "application/octet-stream"}
    head = json.dumps(fields | {"attachment_type": "input", "content": ""})
    yield head[:-2].encode()
    for piece in a_file(size_bytes):
        yield base64.b64encode(piece)
    yield b'"}'


@pytest.mark.slow
def test_a_large_file_is_in_memory_once_on_its_way_in_and_never_on_its_way_out(tmp_path: Path) -> None:
    expected = hashlib.sha256()
    for piece in a_file(MAX_FILE_BYTES):
        expected.update(piece)
    server = ServerProgram(tmp_path)
    with (
        server.up() as program,
        httpx.Client(
            base_url=server.base_url,
            headers={"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/json"},
            timeout=120,
        ) as client,
    ):
        workflow = client.post("/v1/workflows", json={"main_prompt": "Wait 1 second"}).json()
        run_id = client.post("/v1/runs", json={"workflow_id": workflow["id"]}).json()["id"]
        small = client.post("/v1/run-attachments", content=a_body(run_id, 10)).json()
        client.get(f"/v1/run-attachments/{small['id']}/download")
        before = program.resident_megabytes()

        program.forget_peak()
        made = client.post(
            "/v1/run-attachments",
            content=a_body(run_id, MAX_FILE_BYTES),
            headers={"Idempotency-Key": "large"},
        )
        upload_megabytes = program.peak_megabytes() - before
        too_large = client.post("/v1/run-attachments", content=a_body(run_id, MAX_FILE_BYTES + 1))

        between = program.resident_megabytes()
        program.forget_peak()
        received = hashlib.sha256()
        with client.stream("GET", f"/v1/run-attachments/{made.json()['id']}/download") as answer:
            for piece in answer.iter_bytes():
                received.update(piece)
        download_megabytes = program.peak_megabytes() - between

    print(f"upload {upload_megabytes:.0f} MB, download {download_megabytes:.0f} MB above {before:.0f} MB")
    assert made.status_code == 201, made.text
    assert made.json()["size_bytes"] == MAX_FILE_BYTES
    assert too_large.status_code == 422
    assert too_large.json()["detail"][0]["loc"] == ["body", "content"]
    assert received.digest() == expected.digest()
    assert upload_megabytes < BODY_MEGABYTES + ALLOWANCE_MEGABYTES
    assert download_megabytes < ALLOWANCE_MEGABYTES
