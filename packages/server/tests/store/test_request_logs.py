"""Request logs, on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RequestLogId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.request_logs import RequestLog
from cyberdesk_server.store import machines, request_logs
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, a_machine, an_organization

STRANGER = OrganizationId("org_stranger")


def a_log(machine: Machine, **fields: Any) -> RequestLog:
    log = RequestLog(
        id=RequestLogId(uuid4()),
        organization_id=machine.organization_id,
        machine_id=machine.id,
        request_id="r-1",
        method="GET",
        path="/computer/fs/list?path=%C5%81",
        created_at=NOON,
        completed_at=NOON + timedelta(milliseconds=5),
        status_code=200,
        request_size_bytes=0,
        response_size_bytes=17,
        duration_ms=5,
    )
    return replace(log, **fields)


async def test_a_log_is_read_back_as_it_was_written(database: Database) -> None:
    async with database.transaction() as conn:
        log = a_log(await a_machine(conn, await an_organization(conn)))

        await request_logs.add(conn, [log])

        assert await request_logs.get(conn, log.organization_id, log.id) == log
        assert await request_logs.get(conn, STRANGER, log.id) is None


async def test_a_page_holds_the_newest_first(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine, other = await a_machine(conn, organization), await a_machine(conn, organization)
        old = a_log(machine)
        new = a_log(machine, created_at=NOON + timedelta(seconds=1), method="POST", status_code=None)
        elsewhere = a_log(other, created_at=NOON + timedelta(seconds=2), status_code=404)
        await request_logs.add(conn, [old, new, elsewhere])

        async def found(**wanted: Any) -> tuple[tuple[RequestLog, ...], int]:
            return await request_logs.find(conn, organization, **wanted)

        assert await found() == ((elsewhere, new, old), 3)
        assert await found(skip=1, limit=1) == ((new,), 3)
        assert await found(machine_id=machine.id) == ((new, old), 2)
        assert await found(method="POST") == ((new,), 1)
        assert await found(status_code=404) == ((elsewhere,), 1)
        assert await request_logs.find(conn, STRANGER) == ((), 0)


async def test_logs_go_with_their_machine_and_come_without_it_no_more(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        kept, gone = await a_machine(conn, organization), await a_machine(conn, organization)
        await request_logs.add(conn, [a_log(gone)])
        await machines.delete(conn, organization, gone.id)
        log = a_log(kept)

        await request_logs.add(conn, [a_log(gone), log, a_log(gone, machine_id=MachineId(uuid4()))])

        assert await request_logs.find(conn, organization) == ((log,), 1)


async def test_only_the_own_organization_changes_and_removes_a_log(database: Database) -> None:
    async with database.transaction() as conn:
        log = a_log(await a_machine(conn, await an_organization(conn)))
        await request_logs.add(conn, [log])
        own, changes = log.organization_id, {"status_code": 500, "error_message": "Ł"}

        assert await request_logs.update_fields(conn, STRANGER, log.id, changes) is None
        assert await request_logs.update_fields(conn, own, log.id, {}) == log
        changed = await request_logs.update_fields(conn, own, log.id, changes)
        assert changed == replace(log, status_code=500, error_message="Ł")
        assert not await request_logs.delete(conn, STRANGER, log.id)
        assert await request_logs.delete(conn, own, log.id)
        assert await request_logs.get(conn, own, log.id) is None


async def test_old_logs_are_forgotten_some_at_a_time(database: Database) -> None:
    async with database.transaction() as conn:
        machine = await a_machine(conn, await an_organization(conn))
        new = a_log(machine)
        old = [a_log(machine, created_at=NOON - timedelta(seconds=1)) for _ in range(3)]
        await request_logs.add(conn, [new, *old])

        went = [await request_logs.forget(conn, before=NOON, at_most=2) for _ in range(3)]

        assert went == [2, 1, 0]
        assert await request_logs.find(conn, machine.organization_id) == ((new,), 1)
