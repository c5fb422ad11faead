"""How soon a message leaves, and what a dead endpoint costs the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median, quantiles

from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.domain.ids import ServerId
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store.database import Database
from cyberdesk_server.topics import WEBHOOKS_WAITING

from bench.goals import Goal, tell, tell_distribution
from bench.webhooks_load import Health, Receivers, end_runs, receivers, told_workflow
from bench.webhooks_sender import a_sender

SAMPLES = 200
PAUSE_SECONDS = 0.01
ROUNDS = 3
ALIVE = 5
SILENCE_SECONDS = 60.0
FIRST_ATTEMPT_MS = 100
MOVES_PERCENT = 20


async def measure(name: str, database: Database) -> None:
    """From the commit of the state to the request, with all endpoints well and with a dead one beside."""
    async with receivers() as these:
        alive = [await told_workflow(database, these.url(Health.WELL)) for _ in range(ALIVE)]
        well = await told_workflow(database, these.url(Health.WELL))
        dead = await told_workflow(database, these.url(Health.DEAD))
        bus = InProcessBus()
        async with _sending(database, bus):
            await _delays(database, bus, these, alive, well)  # the first connections are made
            usual, beside = [], []
            for _ in range(ROUNDS):
                usual.append(await _delays(database, bus, these, alive, well))
                beside.append(await _delays(database, bus, these, alive, dead))
    all_usual = [delay for delays in usual for delay in delays]
    tell_distribution(f"webhooks_{name}_first_attempt", all_usual)
    Goal(f"webhooks_{name}_first_attempt_p50_ms", FIRST_ATTEMPT_MS).tell(median(all_usual))
    before, after = (median(map(_p99, delays)) for delays in (usual, beside))
    tell(f"webhooks_{name}_p99_ms", before)
    tell(f"webhooks_{name}_p99_beside_a_dead_endpoint_ms", after)
    moves = 100 * (after / before - 1)
    Goal(f"webhooks_{name}_dead_endpoint_moves_p99_percent", MOVES_PERCENT).tell(moves)


async def _delays(
    database: Database, bus: InProcessBus, these: Receivers, counted: list[Workflow], beside: Workflow
) -> list[float]:
    """Milliseconds from state to first attempt for runs that end one after the other.

    As many runs of `beside` end in between; those do not count.
    """
    ended: dict[str, float] = {}
    for number in range(SAMPLES):
        for workflow in (counted[number % len(counted)], beside):
            moments = await end_runs(database, workflow)
            await bus.publish(WEBHOOKS_WAITING)
            ended |= {} if workflow is beside else moments
            await asyncio.sleep(PAUSE_SECONDS)
    await these.until(set(ended).issubset, silence_seconds=SILENCE_SECONDS)
    return [1000 * (these.arrived[run_id] - committed) for run_id, committed in ended.items()]


@asynccontextmanager
async def _sending(database: Database, bus: InProcessBus) -> AsyncIterator[None]:
    sender = a_sender(database, bus, ServerId("bench"))
    running = asyncio.create_task(sender.run())
    try:
        yield
    finally:
        await sender.stop()
        await running


def _p99(delays: list[float]) -> float:
    return quantiles(delays, n=100)[-1]
