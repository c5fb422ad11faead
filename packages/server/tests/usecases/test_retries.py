"""Starting an ended run over."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.attachments import AttachmentType
from cyberdesk_server.domain.ids import RunId, SessionId
from cyberdesk_server.domain.limits import BUILT_IN_LIMITS
from cyberdesk_server.domain.refusals import InvalidFields, RunNotEnded, RunStillHoldsMachine, Unknown
from cyberdesk_server.domain.runs import (
    ANY_MACHINE,
    Run,
    RunStatus,
    demand_of_machine,
    demand_of_pools,
    demand_of_session,
)
from cyberdesk_server.store import attachments, leases, pool_sets, runs, secrets, sessions
from cyberdesk_server.testing.rows import NOON, a_pool, a_workflow, an_organization
from cyberdesk_server.usecases.placement import Wish
from cyberdesk_server.usecases.retries import Retry, start_over

Office = Any

VAULT = EnvelopeVault(MasterKey(b"k" * 32))
SURROUNDINGS: Any = {"allowed": BUILT_IN_LIMITS, "vault": VAULT, "now": NOON}


async def again(office: Office, run: Run, **retry: Any) -> Run:
    """The run after it was started over."""
    await start_over(
        office.conn,
        run.organization_id,
        run.id,
        Retry(**retry),
        allowed=BUILT_IN_LIMITS,
        vault=VAULT,
        now=NOON,
    )
    found: Run = await office.now(run)
    return found


async def test_a_run_that_starts_over_waits_with_its_inputs_and_nothing_of_the_last_try(
    office: Office,
) -> None:
    run = await office.run(input_values={"x": 1}, is_priority=True, session_alias="one")
    await runs.end(
        office.conn,
        run.id,
        status=RunStatus.ERROR,
        changes={"output_data": {"a": 1}, "error": ["why"]},
        now=NOON,
    )

    assert await again(office, run) == replace(run, retries=1)


async def test_what_is_sent_again_takes_the_place_of_what_was(office: Office) -> None:
    run = await office.run(
        input_values={"x": 1}, is_priority=True, release_session_after=True, status=RunStatus.ERROR
    )

    changed = await again(
        office,
        run,
        input_values={"x": 2},
        is_priority=False,
        release_session_after=False,
        session_alias="two",
    )

    assert (changed.input_values, changed.session_alias) == ({"x": 2}, "two")
    assert (changed.is_priority, changed.release_session_after) == (False, False)


async def test_secrets_are_those_of_the_new_try(office: Office) -> None:
    """Invariant 6."""
    workflow = await a_workflow(office.conn, office.organization_id, main_prompt="Type {$pin}")
    run = await office.run(
        workflow_id=workflow.id, sensitive_input_aliases={"pin": "old"}, status=RunStatus.ERROR
    )

    with pytest.raises(InvalidFields) as refused:
        await again(office, run)
    changed = await again(office, run, sensitive_input_values={"pin": "1234"})

    [(name, (secret_id, sealed))] = (await secrets.for_run(office.conn, run.id)).items()
    assert [problem.location for problem in refused.value.problems] == [
        ("body", "sensitive_input_values", "pin")
    ]
    assert name == "pin"
    assert changed.sensitive_input_aliases == {"pin": f"secret_{secret_id}"}
    assert b"1234" not in sealed


async def test_outputs_of_the_last_try_are_named_to_be_deleted(office: Office) -> None:
    await office.machine()
    run = await office.run()
    claim = await office.claim()
    await attachments.add_output(
        office.conn,
        run_id=run.id,
        attempt=claim.attempt,
        filename="a.txt",
        content_type="text/plain",
        size_bytes=1,
        blob_key="outputs/a",
        now=NOON,
    )
    await runs.end(office.conn, run.id, status=RunStatus.ERROR, changes={}, now=NOON)
    await leases.release(office.conn, (run.id, claim.attempt), now=NOON)

    orphans = await start_over(office.conn, office.organization_id, run.id, Retry(), **SURROUNDINGS)

    left = (await attachments.ids_of(office.conn, [run.id])).get(run.id, {})
    assert orphans == ("outputs/a",)
    assert AttachmentType.OUTPUT not in left


async def test_only_an_ended_run_that_let_go_of_its_machine_starts_over(office: Office) -> None:
    await office.machine()
    run = await office.run()

    with pytest.raises(RunNotEnded):
        await again(office, run)
    await office.claim()
    with pytest.raises(RunNotEnded):
        await again(office, run)
    await runs.end(office.conn, run.id, status=RunStatus.CANCELLED, changes={}, now=NOON)
    with pytest.raises(RunStillHoldsMachine):
        await again(office, run)


async def test_a_run_of_another_organization_is_unknown(office: Office) -> None:
    """Invariant 8."""
    run = await office.run(status=RunStatus.ERROR)
    stranger = await an_organization(office.conn, "org_other")

    for owner, run_id in ((stranger, run.id), (office.organization_id, RunId(uuid4()))):
        with pytest.raises(Unknown):
            await start_over(office.conn, owner, run_id, Retry(), **SURROUNDINGS)


async def test_a_machine_that_was_asked_for_is_asked_for_again(office: Office) -> None:
    machine = await office.machine()
    run = await office.run(machine_id=machine.id, status=RunStatus.ERROR)

    assert await again(office, run) == replace(
        run, status=RunStatus.SCHEDULING, ended_at=None, retries=1, demand=demand_of_machine(machine.id)
    )


async def test_a_machine_that_the_scheduler_chose_is_open_again(office: Office) -> None:
    await office.machine()
    run = await office.run()
    claim = await office.claim()
    await runs.end(office.conn, run.id, status=RunStatus.ERROR, changes={}, now=NOON)
    await leases.release(office.conn, (run.id, claim.attempt), now=NOON)

    waiting = await again(office, run)

    assert (waiting.machine_id, waiting.demand) == (None, ANY_MACHINE)


async def test_pools_decide_before_a_machine(office: Office) -> None:
    machine = await office.machine()
    pool = await a_pool(office.conn, office.organization_id)
    run = await office.run(machine_id=machine.id, status=RunStatus.ERROR)

    moved = await again(office, run, wish=Wish(machine_id=machine.id, pool_ids=(pool.id,)))

    assert (moved.machine_id, moved.pool_ids) == (None, (pool.id,))
    assert moved.demand == demand_of_pools([pool.id])


async def test_pools_that_were_asked_for_are_asked_for_again(office: Office) -> None:
    pool = await a_pool(office.conn, office.organization_id)
    demand = demand_of_pools([pool.id])
    await pool_sets.add(office.conn, office.organization_id, demand, [pool.id])
    run = await office.run(pool_ids=(pool.id,), demand=demand, status=RunStatus.ERROR)

    waiting = await again(office, run)

    assert (waiting.pool_ids, waiting.demand) == ((pool.id,), demand)


async def test_a_session_that_goes_on_is_kept_unless_the_caller_leaves_it(office: Office) -> None:
    machine = await office.machine()
    session = await office.session()
    await sessions.reserve(office.conn, {session.id: machine.id})
    run = await office.run_in(session, status=RunStatus.ERROR)

    kept = await again(office, run)
    await runs.end(office.conn, run.id, status=RunStatus.ERROR, changes={}, now=NOON)
    left = await again(office, run, reuses_session=False)

    assert (kept.session_id, kept.machine_id) == (session.id, machine.id)
    assert kept.demand == demand_of_session(session.id)
    assert (left.session_id, left.demand) == (None, ANY_MACHINE)


async def test_a_session_that_has_ended_is_left(office: Office) -> None:
    """Invariant 3."""
    session = await office.session(ended_at=NOON)
    run = await office.run_in(session, status=RunStatus.ERROR)

    waiting = await again(office, run)

    assert (waiting.session_id, waiting.demand) == (None, ANY_MACHINE)


async def test_a_retry_that_is_refused_changes_nothing(office: Office) -> None:
    run = await office.run(status=RunStatus.ERROR)

    with pytest.raises(Unknown):
        await again(office, run, wish=Wish(session_id=SessionId(uuid4())))

    assert await office.now(run) == run
