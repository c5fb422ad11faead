"""The API that SDKs are measured with: a process on loopback that answers `runs.get` and `runs.list`.

It does as little as an HTTP server can, so that the time of a call is the caller's: bodies are made once, a
request is looked at as far as its path. It ends when its standard input does, or after `LIFETIME_SECONDS`.
"""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

PAGE_MIB = 14
MESSAGES_PER_RUN = 80
LIFETIME_SECONDS = 3600
BACKLOG = 1024
RAW_REQUESTS = 2000


@contextmanager
def running() -> Iterator[str]:
    """Where it listens, as long as the context lasts."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.sdk_api"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.communicate()  # closes its standard input


def microseconds_per_request(base_url: str) -> float:
    """How long a request takes that a bare socket sends: what of a call's time is this server's at most."""
    address = urlsplit(base_url)
    request = f"GET /v1/runs/{UUID(int=1)} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
    with socket.create_connection((address.hostname, address.port or 80)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = perf_counter()
        for _ in range(RAW_REQUESTS):
            connection.sendall(request)
            received = connection.recv(65536)
            while len(received) < len(ONE_RUN):
                received += connection.recv(65536)
        return 1e6 * (perf_counter() - began) / RAW_REQUESTS


def a_run(number: int, messages: int) -> dict[str, Any]:
    """A run as the API answers it: ids, times, inputs, outputs and what was said."""
    return {
        "id": str(UUID(int=number)),
        "workflow_id": str(UUID(int=1_000_000)),
        "machine_id": str(UUID(int=2_000_000)),
        "status": "success",
        "created_at": "2025-01-31T12:00:00.123456Z",
        "started_at": "2025-01-31T12:00:01Z",
        "ended_at": "2025-01-31T12:03:20Z",
        "user_id": str(UUID(int=3_000_000)),
        "organization_id": "org_of_the_clinic",
        "is_priority": False,
        "error": None,
        "input_values": {"patient_id": f"{number:05}", "date_of_birth": "1970-01-31"},
        "output_data": {"balance": "12.50", "invoices": [{"number": number, "is_paid": True}]},
        "input_attachment_ids": [],
        "output_attachment_ids": [],
        "main_prompt": "Open the patient's record and read the balance.",
        "model_metadata": None,
        "pool_ids": [str(UUID(int=4_000_000))],
        "sensitive_input_aliases": None,
        "usage_metadata": {"input_tokens": 10 * number, "output_tokens": number},
        "post_run_checks": None,
        "session_id": None,
        "session_alias": None,
        "release_session_after": None,
        "run_message_history": [_message(step) for step in range(messages)] or None,
    }


def _message(step: int) -> dict[str, Any]:
    said = "The record is open. I click the button labelled Balance and wait until the table is complete. "
    return {
        "role": "assistant",
        "content": [
            {"type": "text", "text": 2 * said},
            {
                "type": "tool_use",
                "tool_use_id": f"call_{step}",
                "tool_name": "click",
                "tool_input": {"x": 100 + step, "y": 200},
            },
        ],
        "timestamp": "2025-01-31T12:00:00Z",
        "trajectory_id": None,
        "step_index": step,
    }


def _answer(body: Any) -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def _page() -> bytes:
    """As many runs as make `PAGE_MIB`."""
    size = len(json.dumps(a_run(0, MESSAGES_PER_RUN)))
    items = [a_run(number, MESSAGES_PER_RUN) for number in range(PAGE_MIB * 1024 * 1024 // size)]
    return _answer({"items": items, "total": len(items), "skip": 0, "limit": len(items)})


ONE_RUN = _answer(a_run(1, 0))


class _Connection(asyncio.Protocol):
    def __init__(self, page: bytes) -> None:
        self._page = page
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        for request in requests:
            self._transport.write(ONE_RUN if request.startswith(b"GET /v1/runs/") else self._page)


async def _serve() -> None:
    page = _page()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(page), "127.0.0.1", 0, backlog=BACKLOG
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.wait_for(asyncio.to_thread(sys.stdin.read), LIFETIME_SECONDS)


if __name__ == "__main__":
    asyncio.run(_serve())
