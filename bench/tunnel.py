"""Latency of a screenshot and of a click through the tunnel: real gateway, socket, driver and screen.

The gateway runs in this process, because that is where its callers are; the driver is a process of its own.
Every picture differs from the one before it, so none is answered from memory.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

import uvicorn
import uvloop
from cyberdesk_server import logs
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.adapters.desktop import TunnelDesktop
from cyberdesk_server.bootstrap import HttpServer
from cyberdesk_server.domain.actions import Click
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.ids import ServerId, StepId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.gateway import Gateway, TunnelWebSocketProtocol
from cyberdesk_server.store import tables
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.machines import machine_from
from cyberdesk_server.testing.programs import START_SECONDS, ServerProgram
from cyberdesk_server.testing.rows import a_database, an_api_key, an_organization
from cyberdesk_server.topics import MACHINES_FREE
from cyberdesk_server.usecases.keys import KeyUses
from cyberdriver.backends.base import Size
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from bench.desktops import joined, office
from bench.goals import Goal, tell_distribution

SAMPLES = 100
WARM_UP_SAMPLES = 20
PAUSE_SECONDS = 0.02
"""Between two samples, so that the busy screen has changed."""

KEY = "cd_bench"
CLICK_GOAL = Goal("click_p50_ms", at_most=1)
SCREENS = {
    Size(1024, 768): Goal("screenshot_1024x768_p50_ms", at_most=10),
    Size(1920, 1080): Goal("screenshot_1920x1080_p50_ms", at_most=20),
}


def measure() -> None:
    logs.configure("console", "warning")  # the gateway's news would stand between the lines of the goals
    uvloop.run(_measure())


async def _measure() -> None:
    for size, goal in SCREENS.items():
        async with _office_desktop(size, is_busy=True) as desktop:
            pictures = await _milliseconds(desktop.screenshot, pause_seconds=PAUSE_SECONDS)
        tell_distribution(f"screenshot_{size}", pictures)
        goal.tell(median(pictures))
    async with _office_desktop(Size(1024, 768), is_busy=False) as desktop:
        clicks = await _milliseconds(lambda: _click(desktop), pause_seconds=0)
    tell_distribution("click", clicks)
    CLICK_GOAL.tell(median(clicks))


async def _click(desktop: TunnelDesktop) -> None:
    await desktop.perform(Click(Point(500, 400)), StepId(uuid4()))


async def _milliseconds(ask: Callable[[], Awaitable[object]], *, pause_seconds: float) -> list[float]:
    samples = []
    for _ in range(WARM_UP_SAMPLES + SAMPLES):
        began = perf_counter()
        await ask()
        samples.append(1000 * (perf_counter() - began))
        await asyncio.sleep(pause_seconds)
    return samples[WARM_UP_SAMPLES:]


@asynccontextmanager
async def _office_desktop(size: Size, *, is_busy: bool) -> AsyncIterator[TunnelDesktop]:
    bus, clock = InProcessBus(), SystemClock()
    with TemporaryDirectory() as text:
        folder = Path(text)
        async with a_database(folder) as database:
            async with database.transaction() as conn:
                organization_id = await an_organization(conn)
                await an_api_key(conn, organization_id, KEY)
            async with _gateway(database, bus, clock) as port, bus.listen(MACHINES_FREE) as joinings:
                server = ServerProgram(folder, port=port, api_key=KEY)
                with joined(server, size, office(size, is_busy=is_busy), folder):
                    async with asyncio.timeout(START_SECONDS):
                        await anext(joinings)
                        machine = await _machine(database)
                        desktop = TunnelDesktop(bus, machine.id, machine.features, clock)
                        if is_busy:
                            await _painted(desktop)
                    yield desktop


@asynccontextmanager
async def _gateway(database: Database, bus: InProcessBus, clock: SystemClock) -> AsyncIterator[int]:
    """The port of a gateway in this event loop."""
    gateway = Gateway(ServerId("bench"), database, bus, clock, KeyUses())
    app = Starlette(routes=[WebSocketRoute("/tunnel/ws", gateway)])
    server = HttpServer(
        uvicorn.Config(
            app,
            port=0,
            ws=TunnelWebSocketProtocol,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
        )
    )
    serving = asyncio.create_task(server.serve())
    await server.is_ready.wait()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def _machine(database: Database) -> Machine:
    """The one that has joined."""
    async with database.read() as conn:
        return machine_from((await conn.execute(select(tables.machines))).one())


async def _painted(desktop: TunnelDesktop) -> None:
    """Return once the office is there: its counter moves."""
    while await desktop.screenshot() == await _a_moment_later(desktop):
        continue


async def _a_moment_later(desktop: TunnelDesktop) -> object:
    await asyncio.sleep(0.1)
    return await desktop.screenshot()


if __name__ == "__main__":
    measure()
