"""Requests over a few open connections, as fast as the answers come."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter
from typing import Any

CONNECTIONS = 8
ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request, made anew each time it is sent."""

    method: str
    path: str
    status: int
    """What has to be answered."""

    body: Callable[[], Any] | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def to_bytes(self, port: int) -> bytes:
        content = b"" if self.body is None else json.dumps(self.body()).encode()
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            f"host: 127.0.0.1:{port}",
            f"content-length: {len(content)}",
            *([] if self.body is None else ["content-type: application/json"]),
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load."""

    seconds: float
    milliseconds: tuple[float, ...]
    """Of each request."""

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds

    @property
    def p99_ms(self) -> float:
        return quantiles(self.milliseconds, n=100)[-1]


async def load(port: int, call: Call, *, requests: int) -> Load:
    """So many requests of this kind. Raises `AssertionError` for an answer with another status."""
    left = iter(range(requests))
    began = perf_counter()
    taken = await asyncio.gather(*(_connection(port, call, left) for _ in range(CONNECTIONS)))
    return Load(perf_counter() - began, tuple(one for some in taken for one in some))


async def _connection(port: int, call: Call, left: Any) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024 * 1024)
    taken = []
    try:
        for _ in left:
            began = perf_counter()
            writer.write(call.to_bytes(port))
            async with asyncio.timeout(ANSWER_SECONDS):
                status = await _answer(reader)
            taken.append(1000 * (perf_counter() - began))
            assert status == call.status, f"{call.method} {call.path} answered {status}"
    finally:
        writer.close()
    return taken


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    length = next(
        int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    await reader.readexactly(length)
    return status
