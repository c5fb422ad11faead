"""What webhooks have to tell is written with what happened, once."""

from collections.abc import Callable
from typing import Any

import pytest
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.runs import ANY_MACHINE, Run, RunStatus
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import leases, runs
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import webhook_messages
from cyberdesk_server.testing.rows import (
    HERE,
    NOON,
    a_machine,
    a_run,
    a_workflow,
    an_organization,
    claim_next,
)
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection


async def a_told_workflow(conn: AsyncConnection, **fields: Any) -> Workflow:
    return await a_workflow(conn, await an_organization(conn), **{"is_webhooks_enabled": True} | fields)


async def told(conn: AsyncConnection) -> list[tuple[object, str]]:
    rows = await conn.execute(select(webhook_messages.c.run_id, webhook_messages.c.event_type))
    return [(row.run_id, row.event_type) for row in rows]


async def finished(conn: AsyncConnection, run: Run) -> None:
    claim = await claim_next(conn, server_id=HERE, now=NOON, lease_seconds=10)
    assert claim is not None
    await leases.finish(conn, {claim.held: Ending(RunStatus.SUCCESS)}, now=NOON)


async def cancelled_twice(conn: AsyncConnection, run: Run) -> None:
    for _ in range(2):
        await runs.end(conn, run.id, status=RunStatus.CANCELLED, changes={}, now=NOON)


async def given_up(conn: AsyncConnection, run: Run) -> None:
    await runs.end_waiting(conn, runs.just(run.id), status=RunStatus.ERROR, reason="too long", now=NOON)


async def checked(conn: AsyncConnection, run: Run) -> None:
    claim = await claim_next(conn, server_id=HERE, now=NOON, lease_seconds=10)
    assert claim is not None
    await leases.begin_checks(conn, claim.held, output_data=None, now=NOON)
    await leases.finish(conn, {claim.held: Ending(RunStatus.SUCCESS, checks=())}, now=NOON)


@pytest.mark.parametrize("end", [finished, cancelled_twice, given_up, checked])
async def test_a_run_that_ends_is_told_once_whichever_way(
    database: Database, end: Callable[..., Any]
) -> None:
    async with database.transaction() as conn:
        workflow = await a_told_workflow(conn)
        machine = await a_machine(conn, workflow.organization_id)
        run = await a_run(conn, workflow, machine_id=machine.id)

        await end(conn, run)

        assert await told(conn) == [(run.id, "run_complete")]


async def test_a_workflow_without_webhooks_tells_nothing(database: Database) -> None:
    async with database.transaction() as conn:
        workflow = await a_told_workflow(conn, is_webhooks_enabled=False)

        await a_run(conn, workflow, status=RunStatus.CANCELLED)

        assert await told(conn) == []


async def test_an_ending_that_is_undone_tells_nothing(database: Database) -> None:
    async with database.transaction() as conn:
        run = await a_run(conn, await a_told_workflow(conn))

    async with database.transaction() as conn, conn.begin_nested() as savepoint:
        await cancelled_twice(conn, run)
        await savepoint.rollback()

    async with database.read() as conn:
        assert await told(conn) == []


async def test_all_that_end_at_once_are_told(database: Database) -> None:
    async with database.transaction() as conn:
        workflow = await a_told_workflow(conn)
        waiting = [await a_run(conn, workflow) for _ in range(3)]

        await runs.end_waiting(
            conn, runs.demanding(ANY_MACHINE), status=RunStatus.CANCELLED, reason="no longer wanted", now=NOON
        )

        assert sorted(map(str, await told(conn))) == sorted(str((run.id, "run_complete")) for run in waiting)
