"""Endings share transactions, and none has to do with what becomes of another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.usecases import trajectories
from cyberdesk_server.worker.endings import Endings
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

SUCCESS = Ending(RunStatus.SUCCESS)
SEEN = Ending(RunStatus.SUCCESS, display=Size(1, 1))
"""Its recording is kept, with a statement of its own."""


class Busy:
    """A database whose transactions begin when they are let."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.may_begin = asyncio.Event()
        self.is_asked = asyncio.Event()
        self.is_away = False
        self.transactions = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.transactions += 1
        self.is_asked.set()
        if self.is_away:
            raise OperationalError("BEGIN", None, ConnectionRefusedError())
        await self.may_begin.wait()
        async with self._database.transaction() as conn:
            yield conn


async def held(floor: Any, number: int) -> list[Claim]:
    """Claims on so many runs."""
    made = []
    for _ in range(number):
        await floor.machine()
        await floor.run()
        made.append(await floor.claim(lease_seconds=600))
    return made


@asynccontextmanager
async def writing_to(database: Any) -> AsyncIterator[Endings]:
    endings = Endings(database, SystemClock())
    writer = asyncio.create_task(endings.keep_writing())
    try:
        yield endings
    finally:
        writer.cancel()


async def test_all_are_written_when_none_waits_or_is_under_way(floor: Any) -> None:
    first, second = await held(floor, 2)
    database = Busy(floor.database)

    async with writing_to(database) as endings:
        async with asyncio.timeout(1):
            await endings.all_written()  # there is nothing to write
        written = [asyncio.create_task(endings.write(first, SUCCESS))]
        await database.is_asked.wait()
        written += [asyncio.create_task(endings.write(second, SUCCESS))]
        await asyncio.sleep(0)
        waiting = asyncio.create_task(endings.all_written())
        await asyncio.sleep(0.01)
        assert not waiting.done()

        database.may_begin.set()
        await waiting

        assert [len(ended) for ended in await asyncio.gather(*written)] == [1, 1]
        assert database.transactions == 2


async def test_all_are_written_also_when_the_database_is_away(floor: Any) -> None:
    (only,) = await held(floor, 1)
    database = Busy(floor.database)
    database.is_away = True

    async with writing_to(database) as endings:
        with pytest.raises(OperationalError):
            await endings.write(only, SUCCESS)
        async with asyncio.timeout(1):
            await endings.all_written()


async def test_endings_that_come_while_one_is_written_share_the_next_transaction(floor: Any) -> None:
    first, second, third, late = await held(floor, 4)
    database = Busy(floor.database)

    async with writing_to(database) as endings:
        written = [asyncio.create_task(endings.write(first, SUCCESS))]
        await database.is_asked.wait()
        written += [asyncio.create_task(endings.write(claim, SUCCESS)) for claim in (second, third)]
        await asyncio.sleep(0)
        written += [asyncio.create_task(endings.write(late, SUCCESS))]
        await asyncio.sleep(0)
        database.may_begin.set()

        ended = await asyncio.gather(*written)

    assert ended == [(claim.run.id,) for claim in (first, second, third, late)]
    assert database.transactions == 2


async def test_a_transaction_takes_no_more_endings_than_it_may(
    floor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cyberdesk_server.worker.endings.ENDINGS_AT_ONCE", 2)
    database, made = Busy(floor.database), await held(floor, 5)
    database.may_begin.set()

    async with writing_to(database) as endings:
        ended = await asyncio.gather(*(endings.write(claim, SUCCESS) for claim in made))

    assert all(ended)
    assert database.transactions == 3


@pytest.mark.parametrize("error", [DataError("INSERT", None, OSError()), ValueError()])
async def test_an_ending_that_fails_fails_no_other(
    floor: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    good, bad, also_good = await held(floor, 3)
    record = trajectories.record

    async def fail_for_one(conn: AsyncConnection, run: Any, *rest: Any, **named: Any) -> None:
        if run.id == bad.run.id:
            raise error
        await record(conn, run, *rest, **named)

    monkeypatch.setattr(trajectories, "record", fail_for_one)

    async with writing_to(floor.database) as endings:
        ended = await asyncio.gather(
            *(endings.write(claim, SEEN) for claim in (good, bad, also_good)), return_exceptions=True
        )

        assert ended == [(good.run.id,), error, (also_good.run.id,)]
        assert (await floor.now(bad.run.id)).status is RunStatus.RUNNING
        assert await endings.write(bad, SUCCESS) == (bad.run.id,)


async def test_while_the_database_is_away_endings_fail_together(floor: Any) -> None:
    first, second, third = await held(floor, 3)
    database = Busy(floor.database)
    database.may_begin.set()
    database.is_away = True

    async with writing_to(database) as endings:
        failed = await asyncio.gather(
            *(endings.write(claim, SUCCESS) for claim in (first, second, third)), return_exceptions=True
        )

    assert [type(error) for error in failed] == [OperationalError] * 3
    assert database.transactions == 2


async def test_one_that_is_given_up_is_not_written_and_the_others_are(floor: Any) -> None:
    first, second = await held(floor, 2)

    async with writing_to(floor.database) as endings:
        given_up, other = [asyncio.create_task(endings.write(claim, SUCCESS)) for claim in (first, second)]
        given_up.cancel()

        assert await other == (second.run.id,)

    assert (await floor.now(first.run.id)).status is RunStatus.RUNNING


async def test_invariant_4_of_two_attempts_at_a_run_only_the_last_ends_it(floor: Any) -> None:
    [lost] = await held(floor, 1)
    await floor.expire_leases()
    taken_over = await floor.claim(lease_seconds=600)

    async with writing_to(floor.database) as endings:
        ended = await asyncio.gather(
            endings.write(lost, Ending(RunStatus.ERROR)), endings.write(taken_over, SUCCESS)
        )

    assert ended == [(), (lost.run.id,)]
    assert (await floor.now(lost.run.id)).status is RunStatus.SUCCESS
