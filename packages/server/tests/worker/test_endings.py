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
from cyberdesk_server.worker.endings import ENDINGS_AT_ONCE, Endings
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

SUCCESS = Ending(RunStatus.SUCCESS)
SEEN = Ending(RunStatus.SUCCESS, display=Size(1, 1))
"""Its recording is kept, with a statement of its own."""


class Busy:
    """A database whose transactions begin when they are let."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.may_begin = asyncio.Event()
        self.transactions = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.transactions += 1
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


async def test_endings_that_come_while_one_is_written_share_the_next_transaction(floor: Any) -> None:
    first, *others = await held(floor, 4)
    database = Busy(floor.database)
    endings = Endings(database, SystemClock())  # type: ignore[arg-type]  # only its transactions are used

    writing = [asyncio.create_task(endings.write(claim, SUCCESS)) for claim in (first, *others)]
    await asyncio.sleep(0)
    late = asyncio.create_task(endings.write((await held(floor, 1))[0], SUCCESS))
    await asyncio.sleep(0)
    database.may_begin.set()

    assert await asyncio.gather(*writing) == [(claim.run.id,) for claim in (first, *others)]
    assert len(await late) == 1
    assert database.transactions == 2


async def test_a_transaction_takes_no_more_endings_than_it_may(
    floor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cyberdesk_server.worker.endings.ENDINGS_AT_ONCE", 2)
    assert ENDINGS_AT_ONCE > 2
    database = Busy(floor.database)
    database.may_begin.set()
    endings = Endings(database, SystemClock())  # type: ignore[arg-type]  # only its transactions are used

    ended = await asyncio.gather(*(endings.write(claim, SUCCESS) for claim in await held(floor, 5)))

    assert all(ended)
    assert database.transactions == 3


async def test_an_ending_that_fails_fails_no_other(floor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad, also_good = await held(floor, 3)
    record = trajectories.record

    async def fail_for_one(conn: AsyncConnection, run: Any, *rest: Any, **named: Any) -> None:
        if run.id == bad.run.id:
            raise OperationalError("INSERT", None, OSError())
        await record(conn, run, *rest, **named)

    monkeypatch.setattr(trajectories, "record", fail_for_one)
    endings = Endings(floor.database, SystemClock())

    ended = await asyncio.gather(
        *(endings.write(claim, SEEN) for claim in (good, bad, also_good)), return_exceptions=True
    )

    assert ended[::2] == [(good.run.id,), (also_good.run.id,)]
    assert isinstance(ended[1], OperationalError)
    assert (await floor.now(bad.run.id)).status is RunStatus.RUNNING
    assert await endings.write(bad, SUCCESS) == (bad.run.id,)


async def test_one_that_is_given_up_while_it_writes_leaves_the_others_to_be_written(floor: Any) -> None:
    first, second = await held(floor, 2)
    database = Busy(floor.database)
    endings = Endings(database, SystemClock())  # type: ignore[arg-type]  # only its transactions are used

    given_up, other = [asyncio.create_task(endings.write(claim, SUCCESS)) for claim in (first, second)]
    await asyncio.sleep(0)
    given_up.cancel()
    database.may_begin.set()

    assert await other == (second.run.id,)
    assert (await floor.now(first.run.id)).status is RunStatus.RUNNING


async def test_invariant_4_of_two_attempts_at_a_run_only_the_last_ends_it(floor: Any) -> None:
    [lost] = await held(floor, 1)
    await floor.expire_leases()
    taken_over = await floor.claim(lease_seconds=600)
    endings = Endings(floor.database, SystemClock())

    ended = await asyncio.gather(
        endings.write(lost, Ending(RunStatus.ERROR)), endings.write(taken_over, SUCCESS)
    )

    assert ended == [(), (lost.run.id,)]
    assert (await floor.now(lost.run.id)).status is RunStatus.SUCCESS
