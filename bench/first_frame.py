"""From `POST /v1/runs` to the first frame at the driver, on SQLite, with a server process of its own.

The driver is a socket of this process that answers by the wire protocol: one clock tells both moments.
"""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from uuid import uuid4

import httpx
import uvloop
from cyberdesk_server.testing.ports import a_screenshot
from cyberdesk_server.testing.programs import ServerProgram
from cyberdesk_wire.messages import Request, Response
from cyberdesk_wire.protocol import DriverSide
from websockets.asyncio.client import ClientConnection, connect

from bench.goals import Goal, tell_distribution

RUNS = 60
WARM_UP_RUNS = 10
RUN_SECONDS = 30.0
PROMPT = "Press shift"
ENDED = {"success", "task_failed", "error", "cancelled"}
GOAL = Goal("post_to_first_frame_p50_ms", at_most=20)


class ScriptedDriver:
    """Answers every request at once and remembers when the first one after `forget` arrived."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._protocol = DriverSide()
        self._picture = a_screenshot("ready").png
        self.first_frame_at: float | None = None

    def forget(self) -> None:
        self.first_frame_at = None

    async def serve(self) -> None:
        async for frame in self._socket:
            self.first_frame_at = self.first_frame_at or perf_counter()
            for event in self._protocol.receive(frame):
                assert isinstance(event, Request), event
                frames = self._protocol.send(self._answer(event))
                assert isinstance(frames, list), frames
                for answer in frames:
                    await self._socket.send(answer)

    def _answer(self, request: Request) -> Response:
        if request.path.endswith("/screenshot"):
            return Response(request.request_id, 200, {"content-type": "image/png"}, self._picture)
        return Response(request.request_id, 200, {"content-type": "application/json"}, b"{}")


def measure() -> None:
    uvloop.run(_measure())


async def _measure() -> None:
    with TemporaryDirectory() as folder:
        server = ServerProgram(Path(folder))
        with server.up():
            milliseconds = await _samples(server)
    tell_distribution("post_to_first_frame", milliseconds)
    GOAL.tell(median(milliseconds))


async def _samples(server: ServerProgram) -> list[float]:
    authorized = {"authorization": f"Bearer {server.api_key}"}
    headers = {
        **authorized,
        "x-piglet-fingerprint": str(uuid4()),
        "x-piglet-version": "3.0.0",
        "x-cyberdriver-features": "action-journal, conditional-screenshot, key-hold",
    }
    tunnel = server.base_url.replace("http", "ws") + "/tunnel/ws"
    async with (
        connect(tunnel, additional_headers=headers, compression=None, proxy=None) as socket,
        httpx.AsyncClient(base_url=server.base_url, headers=authorized) as client,
    ):
        driver = ScriptedDriver(socket)
        serving = asyncio.create_task(driver.serve())
        try:
            workflow = await _post(client, "/v1/workflows", {"name": "bench", "main_prompt": PROMPT})
            samples = [await _sample(client, driver, workflow["id"]) for _ in range(WARM_UP_RUNS + RUNS)]
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving
    return samples[WARM_UP_RUNS:]


async def _sample(client: httpx.AsyncClient, driver: ScriptedDriver, workflow_id: str) -> float:
    driver.forget()
    posted_at = perf_counter()
    run = await _post(client, "/v1/runs", {"workflow_id": workflow_id})
    async with asyncio.timeout(RUN_SECONDS):
        while run["status"] not in ENDED:
            await asyncio.sleep(0.05)
            run = (await client.get(f"/v1/runs/{run['id']}")).raise_for_status().json()
    assert run["status"] == "success", json.dumps(run["error"])
    assert driver.first_frame_at is not None
    return 1000 * (driver.first_frame_at - posted_at)


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = (await client.post(path, json=body)).raise_for_status().json()
    return made


if __name__ == "__main__":
    measure()
