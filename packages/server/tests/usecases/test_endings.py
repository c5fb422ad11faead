"""What the end of a run means for its session and its chain."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.runs import RunStatus, demand_of_machine, demand_of_session
from cyberdesk_server.store import machines, runs
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.testing.rows import NOON
from cyberdesk_server.usecases.endings import end_demanding, end_session, finish, settle

Office = Any

SECOND = timedelta(seconds=1)
FAILURES = [RunStatus.TASK_FAILED, RunStatus.ERROR]


async def ends(
    office: Office, claim: Claim, status: RunStatus = RunStatus.SUCCESS, *, attempt: int = 1
) -> tuple[RunId, ...]:
    ending = Ending(status, usage_metadata={"total_agentic_steps": 2})
    held = claim.run.id, attempt
    return (await finish(office.conn, {held: ending}, now=NOON)).get(held, ())


async def test_a_run_on_its_own_ends_nothing_but_itself(office: Office) -> None:
    await office.machine()
    run, other = await office.run(), await office.run(created_at=NOON + SECOND)

    ended = await ends(office, await office.claim())

    assert ended == (run.id,)
    assert (await office.now(run)).status is RunStatus.SUCCESS
    assert await office.now(other) == other


async def test_a_worker_that_lost_its_run_ends_nothing(office: Office) -> None:
    """Invariant 4."""
    await office.machine()
    session = await office.session()
    run = await office.run(session_id=session.id, release_session_after=True)
    behind = await office.run_in(session, created_at=NOON + SECOND)
    claim = await office.claim()

    ended = await ends(office, claim, attempt=claim.attempt - 1)

    assert ended == ()
    assert (await office.now(run)).status is RunStatus.RUNNING
    assert (await office.now(behind)).status is RunStatus.SCHEDULING
    assert not await office.has_ended(session)


async def test_counters_of_earlier_tries_are_added(office: Office) -> None:
    await office.machine()
    run = await office.run(retries=1, usage_metadata={"total_agentic_steps": 3})

    await ends(office, await office.claim())

    assert (await office.now(run)).usage_metadata == {"total_agentic_steps": 5}


async def test_counters_of_earlier_tries_are_kept_by_one_that_broke_off(office: Office) -> None:
    await office.machine()
    earlier = {"total_agentic_steps": 3, "total_cached_steps": 1, "billing_outcome": "success"}
    run = await office.run(retries=1, usage_metadata=earlier)
    claim = await office.claim()

    await finish(office.conn, {(run.id, claim.run.attempt): Ending(RunStatus.ERROR)}, now=NOON)

    assert (await office.now(run)).usage_metadata == {"total_agentic_steps": 3, "total_cached_steps": 1}


async def test_a_session_goes_on_after_a_run_that_went_well(office: Office) -> None:
    machine = await office.machine()
    session = await office.session()
    await office.run(session_id=session.id)

    await ends(office, await office.claim())

    kept = await machines.get(office.conn, office.organization_id, machine.id)
    assert not await office.has_ended(session)
    assert kept is not None
    assert kept.reserved_session_id == session.id


@pytest.mark.parametrize("status", [RunStatus.SUCCESS, *FAILURES])
async def test_a_run_that_says_so_releases_its_session_whatever_came_of_it(
    office: Office, status: RunStatus
) -> None:
    machine = await office.machine()
    session = await office.session()
    releasing = await office.run(session_id=session.id, release_session_after=True)
    behind = await office.run_in(session, created_at=NOON + SECOND)

    ended = await ends(office, await office.claim(), status)

    cancelled = await office.now(behind)
    assert ended == (releasing.id, behind.id)
    assert (cancelled.status, cancelled.error) == (
        RunStatus.CANCELLED,
        (f"the session was released by run {releasing.id}",),
    )
    assert await office.has_ended(session)
    assert await machines.get(office.conn, office.organization_id, machine.id) == machine


@pytest.mark.parametrize("status", FAILURES)
async def test_a_failed_run_releases_its_session_only_when_no_other_is_left(
    office: Office, status: RunStatus
) -> None:
    await office.machine()
    session = await office.session()
    first = await office.run(session_id=session.id)
    last = await office.run_in(session, created_at=NOON + SECOND)

    assert await ends(office, await office.claim(), status) == (first.id,)
    assert not await office.has_ended(session)
    assert await ends(office, await office.claim(), status) == (last.id,)

    assert await office.has_ended(session)
    assert (await office.now(first)).release_session_after is None
    assert (await office.now(last)).release_session_after is True


@pytest.mark.parametrize("keeps_session", [True, False])
async def test_a_step_that_failed_ends_the_steps_behind_it_and_the_session_unless_it_was_to_be_kept(
    office: Office, keeps_session: bool
) -> None:
    await office.machine()
    session = await office.session()
    chain_id = uuid4()
    first = await office.run(session_id=session.id, chain_id=chain_id, session_alias="login")
    behind = await office.run_in(
        session, chain_id=chain_id, created_at=NOON + SECOND, release_session_after=not keeps_session
    )

    ended = await ends(office, await office.claim(), RunStatus.ERROR)

    cancelled = await office.now(behind)
    assert ended == (first.id, behind.id)
    assert (cancelled.status, cancelled.error) == (
        RunStatus.CANCELLED,
        ("step 'login' of the chain ended with error",),
    )
    assert await office.has_ended(session) is not keeps_session


async def test_the_next_run_gets_the_session_its_machine_when_the_first_never_had_one(office: Office) -> None:
    machine = await office.machine(is_connected=False)
    session = await office.session(demand=demand_of_machine(machine.id))
    first = await office.run(session_id=session.id, demand=session.demand)
    second = await office.run_in(session, created_at=NOON + SECOND)
    third = await office.run_in(session, created_at=NOON + 2 * SECOND)
    cancelled = await runs.end(office.conn, first.id, status=RunStatus.CANCELLED, changes={}, now=NOON)

    assert await settle(office.conn, [cancelled], now=NOON) == ()

    assert [(await office.now(run)).demand for run in (second, third)] == [
        session.demand,
        demand_of_session(session.id),
    ]


async def test_a_session_that_has_ended_is_left_alone(office: Office) -> None:
    """Invariant 3."""
    session = await office.session(ended_at=NOON - SECOND)
    run = await office.run(session_id=session.id, release_session_after=True, status=RunStatus.ERROR)
    stray = await office.run_in(session)

    assert await settle(office.conn, [run], now=NOON) == ()

    assert await office.now(stray) == stray


async def test_the_end_of_a_session_cancels_what_waits_in_it_and_leaves_what_goes_on(office: Office) -> None:
    await office.machine()
    session = await office.session()
    going_on = await office.run(session_id=session.id)
    waiting = await office.run_in(session, created_at=NOON + SECOND)
    outsider = await office.run(created_at=NOON + SECOND)
    await office.claim()

    assert await end_session(office.conn, session, reason="cleared", now=NOON) == (waiting.id,)

    assert (await office.now(going_on)).status is RunStatus.RUNNING
    assert (await office.now(waiting)).error == ("cleared",)
    assert (await office.now(outsider)).status is RunStatus.SCHEDULING
    assert await office.has_ended(session)


async def test_what_can_never_start_again_ends_with_an_error(office: Office) -> None:
    """Invariant 1: a run whose machine is gone is not left waiting for ever."""
    gone = await office.machine(is_connected=False)
    demand = demand_of_machine(gone.id)
    on_its_own = await office.run(machine_id=gone.id)
    waits_for_it, has_it = await office.session(demand=demand), await office.session()
    in_sessions = [
        await office.run_in(session, created_at=NOON + SECOND) for session in (waits_for_it, has_it)
    ]
    elsewhere = await office.session()
    others = [await office.run(), await office.run_in(elsewhere)]

    ended = await end_demanding(office.conn, [demand], [has_it], reason="gone", now=NOON)

    assert set(ended) == {on_its_own.id, *(run.id for run in in_sessions)}
    for run in (on_its_own, *in_sessions):
        found = await office.now(run)
        assert (found.status, found.error) == (RunStatus.ERROR, ("gone",))
    assert [await office.has_ended(session) for session in (waits_for_it, has_it, elsewhere)] == [
        True,
        True,
        False,
    ]
    assert [await office.now(run) for run in others] == others
