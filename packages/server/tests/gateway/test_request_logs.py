"""What the gateway writes down about the requests that go through its tunnels."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.request_logs import RequestLog
from cyberdesk_server.gateway import request_logs as writing
from cyberdesk_server.gateway.request_logs import RequestLogs
from cyberdesk_server.questions import DriverAnswer, NoAnswer, Question
from cyberdesk_server.store import request_logs
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import a_machine
from sqlalchemy.exc import OperationalError

ORGANIZATION = OrganizationId("org_test")
LOOK = Question("GET", "/computer/fs/list", query="path=%2F")


async def machine_in(database: Database) -> Machine:
    async with database.transaction() as conn:
        return await a_machine(conn, ORGANIZATION)


async def written(database: Database) -> tuple[RequestLog, ...]:
    async with database.read() as conn:
        found, _ = await request_logs.find(conn, ORGANIZATION)
    return found


async def write_all(logs: RequestLogs) -> None:
    """The last round of writing, which comes also when the end comes first."""
    logs.end()
    await logs.keep_written()


async def test_every_request_leaves_a_log(site: Any, database: Database) -> None:
    async def answering(meta: dict[str, Any], body: bytes) -> tuple[int, dict[str, str], bytes]:
        return 404, {"content-type": "application/json"}, b'{"detail":"no such file"}'

    before = datetime.now(UTC)
    writer = asyncio.create_task(site.gateway.keep_logs_written())
    async with site.driver(answering) as (_, machine):
        await site.ask(machine, LOOK)
    await site.gateway.close()
    await writer

    [log] = await written(database)
    assert log.completed_at is not None
    assert before <= log.created_at <= log.completed_at
    assert log == RequestLog(
        id=log.id,
        organization_id=ORGANIZATION,
        machine_id=machine.id,
        request_id=LOOK.request_id,
        method="GET",
        path="/computer/fs/list?path=%2F",
        created_at=log.created_at,
        completed_at=log.completed_at,
        status_code=404,
        request_size_bytes=0,
        response_size_bytes=25,
        duration_ms=log.duration_ms,
        error_message="no such file",
    )


async def test_a_log_tells_why_there_was_no_answer(site: Any, database: Database) -> None:
    async def silence(meta: dict[str, Any], body: bytes) -> None: ...

    writer = asyncio.create_task(site.gateway.keep_logs_written())
    async with site.driver(silence) as (_, machine):
        await site.ask(machine, Question("GET", "/slow", answer_seconds=0.01))
        asking = asyncio.create_task(site.ask(machine, Question("GET", "/given-up")))
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    await site.gateway.close()
    await writer

    told = {log.path: (log.status_code, log.error_message) for log in await written(database)}
    assert told == {
        "/slow": (None, "the desktop did not answer within 0.01 s"),
        "/given-up": (None, "whoever asked gave up"),
    }


async def test_what_was_typed_is_in_no_log(site: Any, database: Database) -> None:
    """Invariant 6: not in the request's log, and not by way of the driver's words about it."""

    async def complaining(meta: dict[str, Any], body: bytes) -> tuple[int, dict[str, str], bytes]:
        return 422, {}, json.dumps({"detail": f"cannot type {json.loads(body)['text']}"}).encode()

    writer = asyncio.create_task(site.gateway.keep_logs_written())
    async with site.driver(complaining) as (_, machine):
        body = b'{"text":"hunter2"}'
        await site.ask(machine, Question("POST", "/computer/input/keyboard/type", body=body))
    await site.gateway.close()
    await writer

    [log] = await written(database)
    assert (log.status_code, log.request_size_bytes) == (422, len(body))
    assert "hunter2" not in repr(log)


async def test_logs_are_written_a_moment_later_and_many_at_once(database: Database) -> None:
    machine, logs = await machine_in(database), RequestLogs(database, SystemClock())
    note = logs.of(machine)
    for _ in range(writing.BATCH + 1):
        note(LOOK, DriverAnswer(200), 0.002)

    assert await written(database) == ()
    await write_all(logs)

    async with database.read() as conn:
        _, total = await request_logs.find(conn, ORGANIZATION)
    assert total == writing.BATCH + 1


async def test_logs_beyond_the_limit_are_lost_and_counted_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MAX_WAITING", 2)
    logs = RequestLogs(database, SystemClock())
    note = logs.of(await machine_in(database))

    with structlog.testing.capture_logs() as said:
        for _ in range(5):
            note(LOOK, DriverAnswer(200), 0)
        await write_all(logs)

    assert len(await written(database)) == 2
    assert [line["lost"] for line in said] == [3]


async def test_a_database_that_fails_now_gets_the_logs_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = RequestLogs(database, SystemClock())
    logs.of(await machine_in(database))(LOOK, NoAnswer("gone", was_sent=True), 0)

    async def failing(*_: Any) -> None:
        raise OperationalError("INSERT", {}, OSError("disk"))

    with monkeypatch.context() as patched:
        patched.setattr(request_logs, "add", failing)
        await logs._write()
    assert await written(database) == ()
    await write_all(logs)

    assert [log.error_message for log in await written(database)] == ["gone"]
