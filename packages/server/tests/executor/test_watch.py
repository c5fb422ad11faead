"""Is the run still ours to work on?"""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.executor.parts import ExecutorParts, Limits
from cyberdesk_server.executor.signals import RunFails, RunStopped
from cyberdesk_server.executor.watch import OWN_NEWS, watching
from cyberdesk_server.ports import Message
from cyberdesk_server.store import runs
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.testing.ports import turns
from cyberdesk_server.topics import run_topic
from sqlalchemy.exc import OperationalError

Stage = Any

FOREVER = 3600
WAIT_SECONDS = 5
"""For what has to happen at once."""


class Wait:
    """Work that takes for ever, and knows when it was interrupted."""

    is_interrupted = False

    async def forever(self) -> None:
        try:
            await asyncio.sleep(FOREVER)
        finally:
            self.is_interrupted = True


async def watched(stage: Stage, **limits: Any) -> tuple[Claim, ExecutorParts]:
    """A claim, and parts with these limits; nothing is looked up without news unless a limit says so."""
    await stage.a_waiting_run()
    chosen = Limits(**{"stop_sweep_seconds": FOREVER} | limits)
    return await stage.claim(), stage.parts(turns(), limits=chosen)


async def test_a_run_that_goes_on_may_be_worked_on(stage: Stage) -> None:
    claim, parts = await watched(stage)

    async with watching(claim, parts) as watch:
        watch.check()
        await watch.confirm()

        assert await watch.unless_stopped(asyncio.sleep(0, "result")) == "result"


async def test_news_of_a_cancellation_interrupts_a_wait_at_once(stage: Stage) -> None:
    claim, parts = await watched(stage)
    wait = Wait()

    async with watching(claim, parts) as watch, asyncio.timeout(WAIT_SECONDS):
        waiting = asyncio.create_task(watch.unless_stopped(wait.forever()))
        await asyncio.sleep(0)
        await stage.cancel()

        with pytest.raises(RunStopped):
            await waiting
        assert wait.is_interrupted
        with pytest.raises(RunStopped):
            watch.check()


async def test_a_cancellation_whose_news_got_lost_is_found_by_looking_it_up(stage: Stage) -> None:
    claim, parts = await watched(stage, stop_sweep_seconds=0.01)
    async with watching(claim, replace(parts, bus=InProcessBus())) as watch:
        await stage.cancel()

        async with asyncio.timeout(WAIT_SECONDS):
            with pytest.raises(RunStopped):
                await watch.unless_stopped(asyncio.sleep(FOREVER))


async def test_before_an_action_the_store_is_asked(stage: Stage) -> None:
    """Invariant 4: news may be on its way while the desktop is about to be touched."""
    claim, parts = await watched(stage)
    async with watching(claim, replace(parts, bus=InProcessBus())) as watch:
        await stage.cancel()

        watch.check()
        with pytest.raises(RunStopped):
            await watch.confirm()


async def test_a_run_that_another_worker_took_over_is_no_longer_ours(stage: Stage) -> None:
    """Invariant 4."""
    claim, parts = await watched(stage)
    async with watching(claim, parts) as lost:
        stage.clock.advance(61)
        taken = await stage.claim()

        with pytest.raises(RunStopped):
            await lost.confirm()
        async with watching(taken, parts) as ours:
            await ours.confirm()


async def test_our_own_news_are_not_looked_up(stage: Stage) -> None:
    claim, parts = await watched(stage)
    async with watching(claim, parts) as watch:
        async with stage.database.transaction() as conn:
            await runs.end(conn, claim.run.id, status=RunStatus.CANCELLED, changes={}, now=stage.clock.now())
        await stage.bus.publish(run_topic(claim.run.id), Message({OWN_NEWS: 1}))
        await watch.unless_stopped(asyncio.sleep(0.05))

        await stage.bus.publish(run_topic(claim.run.id))
        async with asyncio.timeout(WAIT_SECONDS):
            with pytest.raises(RunStopped):
                await watch.unless_stopped(asyncio.sleep(FOREVER))


async def test_an_error_of_what_is_waited_for_is_raised(stage: Stage) -> None:
    claim, parts = await watched(stage)

    async def fail() -> None:
        raise LookupError("not there")

    async with watching(claim, parts) as watch:
        with pytest.raises(LookupError, match="not there"):
            await watch.unless_stopped(fail())


async def test_a_run_that_cannot_be_looked_up_goes_on(stage: Stage) -> None:
    claim, parts = await watched(stage, stop_sweep_seconds=0.001)
    is_asked = asyncio.Event()

    def refuse() -> None:
        is_asked.set()
        raise OperationalError("SELECT", None, ConnectionRefusedError())

    unreachable = SimpleNamespace(read=refuse)

    async with watching(claim, replace(parts, database=unreachable)) as watch:
        await asyncio.wait_for(is_asked.wait(), WAIT_SECONDS)

        watch.check()


async def test_a_caller_that_gives_up_interrupts_what_it_waits_for(stage: Stage) -> None:
    claim, parts = await watched(stage)
    wait = Wait()

    async with watching(claim, parts) as watch:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await watch.unless_stopped(wait.forever())

    assert wait.is_interrupted


async def test_a_run_past_its_time_limit_fails_with_the_limit(stage: Stage) -> None:
    claim, parts = await watched(stage, run_time_limit_seconds=60.0)
    async with watching(claim, parts) as watch:
        assert watch.seconds_left == 60
        stage.clock.advance(59)
        watch.check()
        stage.clock.advance(2)

        assert watch.seconds_left == 0
        with pytest.raises(RunFails, match="longer than its limit of 60 seconds"):
            watch.check()
        with pytest.raises(RunFails):
            await watch.confirm()


async def test_the_time_limit_counts_from_the_runs_start_over_all_its_workers(stage: Stage) -> None:
    _, parts = await watched(stage, run_time_limit_seconds=100.0)
    stage.clock.advance(61)
    async with watching(await stage.claim(), parts) as watch:
        assert watch.seconds_left == 39


async def test_a_sleep_ends_at_the_time_limit(stage: Stage) -> None:
    claim, parts = await watched(stage, run_time_limit_seconds=60.0)
    begun = stage.clock.now()
    async with watching(claim, parts) as watch:
        await watch.sleep(20)
        with pytest.raises(RunFails):
            await watch.sleep(FOREVER)

    assert (stage.clock.now() - begun).total_seconds() == 60
