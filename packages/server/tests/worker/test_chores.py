"""The table of chores: which there are, and that each does what it says by the clock it is given."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import RequestLogId, SessionId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.request_logs import RequestLog
from cyberdesk_server.domain.runs import ANY_MACHINE
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.store import request_logs, sessions
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.ports import ManualClock, MemoryBlobs
from cyberdesk_server.testing.rows import a_machine, an_organization
from cyberdesk_server.usecases.keys import KeyUses
from cyberdesk_server.worker.chores import Lives, Upkeep, chores

HOUR = timedelta(hours=1)


@pytest.fixture
def database(any_database: Database) -> Database:
    return any_database


def upkeep_of(database: Database, *, idle_session: timedelta | None = HOUR) -> Upkeep:
    vault = EnvelopeVault(MasterKey(bytes(32)))
    lives = Lives(idle_session=idle_session, request_log=30 * 24 * HOUR, webhook=30 * 24 * HOUR)
    parts = database, MemoryBlobs(), vault, InProcessBus(), ManualClock(), lives, KeyUses()
    return Upkeep(*parts, machine_down_seconds=60.0)


async def a_session_with_a_machine(upkeep: Upkeep) -> SessionId:
    async with upkeep.database.transaction() as conn:
        organization_id = await an_organization(conn)
        machine = await a_machine(conn, organization_id)
        session = Session(SessionId(uuid4()), organization_id, ANY_MACHINE, upkeep.clock.now())
        await sessions.add(conn, session)
        await sessions.reserve(conn, {session.id: machine.id})
    return session.id


async def has_ended(upkeep: Upkeep, session_id: SessionId) -> bool:
    async with upkeep.database.transaction() as conn:
        return (await sessions.lock(conn, [session_id]))[session_id].ended_at is not None


def a_request_log(machine: Machine, at: datetime) -> RequestLog:
    return RequestLog(
        id=RequestLogId(uuid4()),
        organization_id=machine.organization_id,
        machine_id=machine.id,
        request_id="r",
        method="GET",
        path="/",
        created_at=at,
    )


async def nothing() -> None: ...


async def test_every_chore_can_be_done_where_there_is_nothing_to_do(database: Database) -> None:
    table = chores(
        upkeep_of(database), stay_alive=nothing, sign_seconds=1.5, check_tunnels=nothing, check_keys=nothing
    )

    for chore in table:
        await chore.do()

    assert [(chore.name, chore.every_seconds) for chore in table] == [
        ("stay alive", 1.5),
        ("check tunnels", 30),
        ("close tunnels of keys that are not valid", 2),
        ("note which keys were used", 60),
        ("end runs that waited too long", 5),
        ("look at free machines anew", 30),
        ("release idle sessions", 60),
        ("delete secrets kept outside", 2),
        ("forget secrets of ended runs", 60),
        ("remove expired files", 60),
        ("forget old answers", 3600),
        ("forget old request logs", 3600),
        ("tell of lost machines", 15),
        ("forget old webhooks", 3600),
    ]


async def test_an_idle_session_is_released_and_workers_hear_of_its_machine(database: Database) -> None:
    upkeep: Any = upkeep_of(database)
    session_id = await a_session_with_a_machine(upkeep)

    async with upkeep.bus.listen("machines.free") as freed:
        upkeep.clock.advance(3600)
        await upkeep.release_idle_sessions()
        await anext(freed)

    assert await has_ended(upkeep, session_id)


async def test_idle_sessions_are_kept_for_ever_where_the_operator_says_so(database: Database) -> None:
    upkeep: Any = upkeep_of(database, idle_session=None)
    session_id = await a_session_with_a_machine(upkeep)

    upkeep.clock.advance(1e8)
    await upkeep.release_idle_sessions()

    assert not await has_ended(upkeep, session_id)


async def test_old_request_logs_are_forgotten(database: Database) -> None:
    upkeep: Any = upkeep_of(database)
    async with database.transaction() as conn:
        machine = await a_machine(conn, await an_organization(conn))
        for age in (29, 31):
            at = upkeep.clock.now() - age * 24 * HOUR
            await request_logs.add(conn, [a_request_log(machine, at)])

    await upkeep.forget_old_request_logs()

    async with database.read() as conn:
        left, _ = await request_logs.find(conn, machine.organization_id)
    assert [upkeep.clock.now() - log.created_at for log in left] == [29 * 24 * HOUR]
