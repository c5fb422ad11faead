"""What is news for the next decision, and what else the database does by itself for it; on both databases."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from cyberdesk_server.domain.ids import ConnectionId, MachineId, RunId, ServerId, SessionId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.pools import Pool
from cyberdesk_server.domain.runs import ANY_MACHINE
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.store import machines, pools, sessions
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import machines as machines_table
from cyberdesk_server.store.tables import news, offers, standings
from cyberdesk_server.testing.rows import (
    HERE,
    NOON,
    a_machine,
    a_pool,
    a_run,
    a_workflow,
    an_organization,
    claim_next,
)
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass
class Room:
    """A machine in a pool, held by a run of a session."""

    conn: AsyncConnection
    machine: Machine
    pool: Pool
    other_pool: Pool
    run_id: RunId
    session_id: SessionId

    async def change(self, **fields: object) -> None:
        await machines.update_fields(self.conn, self.machine.organization_id, self.machine.id, fields)

    async def told(self) -> set[MachineId]:
        """The machines that are news."""
        return set((await self.conn.execute(select(news.c.machine_id))).scalars()) - {None}


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Room]:
    async with database.transaction() as conn:
        organization_id = await an_organization(conn)
        workflow = await a_workflow(conn, organization_id)
        machine = await a_machine(conn, organization_id)
        pool = await a_pool(conn, organization_id, machine_ids=[machine.id])
        session = Session(SessionId(uuid4()), organization_id, ANY_MACHINE, NOON)
        await sessions.add(conn, session)
        run = await a_run(conn, workflow, session_id=session.id)
        assert await claim_next(conn) is not None
        other_pool = await a_pool(conn, organization_id)
        await conn.execute(news.delete())
        yield Room(conn, machine, pool, other_pool, run.id, session.id)


async def let_go(room: Room) -> None:
    await machines.free(room.conn, [room.run_id])


async def end_session(room: Room) -> None:
    await sessions.end(room.conn, [room.session_id], now=NOON)


async def make_unavailable(room: Room) -> None:
    await room.change(is_available=False)


async def disconnect(room: Room) -> None:
    connection_id = room.machine.connection_id
    assert connection_id is not None
    await machines.disconnect(room.conn, room.machine.id, connection_id=connection_id, now=NOON)


async def disconnect_all(room: Room) -> None:
    await machines.disconnect_all(room.conn, HERE, now=NOON)


async def connect_anew(room: Room) -> None:
    await a_machine(room.conn, room.machine.organization_id, fingerprint=room.machine.fingerprint)


async def move(room: Room) -> None:
    await room.change(server_id=ServerId("elsewhere"), connection_id=ConnectionId(uuid4()))


async def leave_pool(room: Room) -> None:
    await pools.remove_machines(room.conn, room.pool.id, [room.machine.id])


async def join_pool(room: Room) -> None:
    await pools.add_machines(room.conn, room.other_pool.id, [room.machine.id])


async def delete_pool(room: Room) -> None:
    await pools.delete(room.conn, room.pool.id)


async def delete_machine(room: Room) -> None:
    await let_go(room)
    await room.conn.execute(news.delete())
    await pools.remove_machines(room.conn, room.pool.id, [room.machine.id])
    await room.conn.execute(news.delete())
    assert await machines.delete(room.conn, room.machine.organization_id, room.machine.id)


@pytest.mark.parametrize(
    "happen",
    [
        let_go,
        end_session,
        make_unavailable,
        disconnect,
        disconnect_all,
        connect_anew,
        move,
        leave_pool,
        join_pool,
        delete_pool,
        delete_machine,
    ],
)
async def test_what_changes_the_runs_a_machine_takes_is_news(
    room: Room, happen: Callable[[Room], Awaitable[None]]
) -> None:
    await happen(room)

    assert await room.told() == {room.machine.id}


async def give_sign_of_life(room: Room) -> None:
    await machines.seen(room.conn, HERE, now=NOON)


async def rename(room: Room) -> None:
    await room.change(name="Reception")


async def say_again_that_it_is_available(room: Room) -> None:
    await room.change(is_available=True)


async def stay_in_pool(room: Room) -> None:
    await pools.add_machines(room.conn, room.pool.id, [room.machine.id])


@pytest.mark.parametrize("happen", [give_sign_of_life, rename, say_again_that_it_is_available, stay_in_pool])
async def test_what_changes_nothing_for_runs_is_no_news(
    room: Room, happen: Callable[[Room], Awaitable[None]]
) -> None:
    await happen(room)

    assert await room.told() == set()


async def test_a_machine_that_a_run_holds_is_offered_no_more(database: Database) -> None:
    async with database.transaction() as conn:
        organization_id = await an_organization(conn)
        held, other = [await a_machine(conn, organization_id) for _ in range(2)]
        assert await claim_next(conn) is None
        assert set((await conn.execute(select(offers.c.machine_id))).scalars()) == {held.id, other.id}

        by_hand = update(machines_table).where(machines_table.c.id == held.id)
        await conn.execute(by_hand.values(held_by_run_id=uuid4()))

        assert set((await conn.execute(select(offers.c.machine_id))).scalars()) == {other.id}
        assert (await conn.execute(select(news))).all() == []


async def test_an_organization_stands_in_line_from_its_first_opening_on(database: Database) -> None:
    async with database.transaction() as conn:
        first, second = [await an_organization(conn, f"org_{name}") for name in "ab"]
        for organization_id in (first, second):
            await a_machine(conn, organization_id)
        workflow = await a_workflow(conn, first)
        for _ in range(2):
            await a_run(conn, workflow)

        assert await claim_next(conn) is not None
        assert (await conn.execute(select(standings.c.organization_id))).scalars().all() == [first]

        await a_run(conn, await a_workflow(conn, second))
        await conn.execute(standings.delete())
        await a_machine(conn, first)
        assert await claim_next(conn) is not None
        in_line = set((await conn.execute(select(standings.c.organization_id))).scalars())
        assert in_line == {first, second}
