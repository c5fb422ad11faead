"""The journal, on both databases."""

from dataclasses import replace
from datetime import timedelta

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import Step, StepState, ToolCall
from cyberdesk_server.store import leases, pictures, runs, steps, tables
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import (
    HERE,
    NOON,
    a_machine,
    a_run,
    a_step,
    a_workflow,
    an_organization,
    claim_next,
)
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection


async def a_claim(conn: AsyncConnection) -> Claim:
    organization = await an_organization(conn)
    await a_machine(conn, organization)
    await a_run(conn, await a_workflow(conn, organization))
    return await taken(conn, 0)


async def taken(conn: AsyncConnection, seconds: int) -> Claim:
    claim = await claim_next(conn, server_id=HERE, now=NOON + timedelta(seconds=seconds), lease_seconds=30)
    assert claim is not None
    return claim


def done(step: Step) -> Step:
    return replace(
        step,
        state=StepState.DONE,
        result={"text": "clicked", "output": {"a.b": [1, None]}},
        images=("supabase://2.png",),
        finished_at=NOON + timedelta(seconds=1),
    )


async def test_a_step_is_read_back_as_it_was_written(database: Database) -> None:
    async with database.transaction() as conn:
        claim = await a_claim(conn)
        first = a_step(
            claim.run.id,
            call=ToolCall("click", {"x": 1, "deep": {"ł": [True]}}, Box(1, 2, 3, 4)),
            thought="There it is",
            memo='{"line": 1}',
            screen="supabase://1.png",
            is_cached=True,
        )
        second = replace(a_step(claim.run.id, 2), error="not there", state=StepState.FAILED)

        assert await steps.begin(conn, first, claim.attempt)
        assert await steps.begin(conn, second, claim.attempt)
        assert await steps.complete(conn, done(first), claim.attempt)

        assert await steps.history(conn, claim.run.id) == (done(first), second)
        assert await steps.histories(conn, [claim.run.id]) == {claim.run.id: (done(first), second)}


async def test_a_step_written_twice_is_there_once(database: Database) -> None:
    async with database.transaction() as conn:
        claim = await a_claim(conn)
        step = a_step(claim.run.id)

        assert await steps.begin(conn, step, claim.attempt)
        assert await steps.begin(conn, step, claim.attempt)

        assert await steps.history(conn, claim.run.id) == (step,)


async def test_a_worker_that_lost_its_lease_writes_nothing(database: Database) -> None:
    """Invariant 4."""
    async with database.transaction() as conn:
        lost = await a_claim(conn)
        step = a_step(lost.run.id)
        await steps.begin(conn, step, lost.attempt)
        current = await taken(conn, 30)

        assert not await steps.begin(conn, a_step(lost.run.id, 2), lost.attempt)
        assert not await steps.complete(conn, done(step), lost.attempt)

        assert await steps.history(conn, lost.run.id) == (step,)
        assert await steps.complete(conn, done(step), current.attempt)


async def test_a_cancelled_run_takes_no_next_step_but_learns_how_the_last_one_ended(
    database: Database,
) -> None:
    async with database.transaction() as conn:
        claim = await a_claim(conn)
        step = a_step(claim.run.id)
        await steps.begin(conn, step, claim.attempt)
        await runs.end(conn, claim.run.id, status=RunStatus.CANCELLED, changes={}, now=NOON)

        assert not await steps.begin(conn, a_step(claim.run.id, 2), claim.attempt)
        assert await steps.complete(conn, done(step), claim.attempt)

        assert await steps.history(conn, claim.run.id) == (done(step),)


async def test_a_run_shows_the_pictures_of_its_steps(database: Database) -> None:
    async with database.transaction() as conn:
        claim = await a_claim(conn)
        step = a_step(claim.run.id, screen="supabase://1.png")
        await steps.begin(conn, step, claim.attempt)
        await steps.complete(conn, done(step), claim.attempt)

        assert await pictures.is_shown(conn, claim.run.id, "supabase://1.png")
        assert await pictures.is_shown(conn, claim.run.id, "supabase://2.png")
        assert not await pictures.is_shown(conn, claim.run.id, "supabase://3.png")
        assert set(await pictures.only_shown_by(conn, claim.run.id)) == {
            "supabase://1.png",
            "supabase://2.png",
        }


async def test_a_picture_two_runs_show_belongs_to_neither_alone(database: Database) -> None:
    async with database.transaction() as conn:
        claim = await a_claim(conn)
        other = await a_run(conn, claim.workflow)
        await pictures.show(conn, claim.run.id, ["shared", "own", "own"])
        await pictures.show(conn, other.id, ["shared"])

        assert await pictures.only_shown_by(conn, claim.run.id) == ("own",)


async def test_each_try_has_a_journal_of_its_own_and_the_last_is_shown(database: Database) -> None:
    async with database.transaction() as conn:
        claim = await a_claim(conn)
        first = a_step(claim.run.id)
        await steps.begin(conn, first, claim.attempt)
        await runs.end(conn, claim.run.id, status=RunStatus.CANCELLED, changes={}, now=NOON)
        await leases.release(conn, claim.held, now=NOON)
        await runs.start_over(conn, replace(claim.run, status=RunStatus.SCHEDULING), now=NOON)

        before_the_second = await steps.history(conn, claim.run.id)
        claim = await taken(conn, 1)
        second = a_step(claim.run.id)
        await steps.begin(conn, second, claim.attempt)
        kept = await conn.execute(
            select(tables.steps.c.id, tables.steps.c.retry).order_by(tables.steps.c.retry)
        )

        assert before_the_second == ()
        assert await steps.history(conn, claim.run.id) == (second,)
        assert [tuple(row) for row in kept] == [(first.id, 0), (second.id, 1)]


async def test_the_parts_of_a_step_are_read_behind_it(database: Database) -> None:
    async with database.transaction() as conn:
        claim = await a_claim(conn)
        outer = a_step(claim.run.id, 1, call=ToolCall("focused_action", {"instruction": "look"}))
        behind = a_step(claim.run.id, 2, turn=1)
        parts = [a_step(claim.run.id, number, turn=number - 2, within=outer.id) for number in (3, 4)]
        for step in (outer, behind, *parts):
            assert await steps.begin(conn, step, claim.attempt)

        assert await steps.history(conn, claim.run.id) == (outer, *parts, behind)
