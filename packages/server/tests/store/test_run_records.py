"""Runs as callers read them, on both databases."""

from datetime import timedelta
from uuid import uuid4

import pytest
from cyberdesk_server.domain.ids import RunId, SessionId
from cyberdesk_server.domain.runs import RunListOrder, RunStatus
from cyberdesk_server.store import attachments, run_records, runs, steps
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.run_records import BASE_COLUMNS, COLUMNS, FACTS, Wanted, record_of
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

MINUTE = timedelta(minutes=1)


async def test_the_record_of_a_new_run_is_what_is_read_of_it(database: Database) -> None:
    async with database.transaction() as conn:
        run = await a_run(conn, await a_workflow(conn, await an_organization(conn)), input_values={"x": [1]})

        found = await run_records.get(conn, run.organization_id, run.id)

    made = record_of(run)
    assert found is not None
    assert {name: found[name] for name in COLUMNS} == {name: made[name] for name in COLUMNS}
    assert [bool(found[name]) for name in FACTS] == [bool(made[name]) for name in FACTS]


async def test_a_record_is_its_organizations(database: Database) -> None:
    """Invariant 8."""
    async with database.transaction() as conn:
        run = await a_run(conn, await a_workflow(conn, await an_organization(conn)))
        stranger = await an_organization(conn, "org_other")

        assert await run_records.get(conn, stranger, run.id) is None
        assert await run_records.get(conn, run.organization_id, RunId(uuid4())) is None
        assert await run_records.find(conn, stranger, Wanted()) == ([], 0)
        assert await run_records.find(conn, stranger, Wanted(ids=[run.id])) == ([], 0)


async def test_facts_tell_what_is_beside_the_run(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization)
        run = await a_run(conn, await a_workflow(conn, organization))
        claim = await claim_next(conn, server_id=HERE, now=NOON, lease_seconds=30)
        assert claim is not None
        await steps.begin(conn, a_step(run.id), claim.attempt)
        await attachments.add_output(
            conn,
            run_id=run.id,
            attempt=claim.attempt,
            filename="a.txt",
            content_type="text/plain",
            size_bytes=1,
            blob_key="k",
            now=NOON,
        )
        await runs.update_fields(conn, run.id, {"told_message_history": [{"role": "user"}]})

        record = await run_records.get(conn, organization, run.id)

    assert record is not None
    assert {name: record[name] for name in FACTS} == {
        "demand": run.demand,
        "told_message_history": [{"role": "user"}],
        "told_output_attachment_ids": None,
        "has_steps": True,
        "has_files": True,
    }


@pytest.mark.parametrize(
    ("members", "more"),
    [
        ((), ()),
        (("error", "usage_metadata"), ("error", "usage_metadata")),
        (("run_message_history",), ("told_message_history", "has_steps")),
        (("input_attachment_ids", "output_attachment_ids"), ("has_files", "told_output_attachment_ids")),
    ],
)
async def test_a_page_holds_the_base_columns_and_what_the_members_need(
    database: Database, members: tuple[str, ...], more: tuple[str, ...]
) -> None:
    async with database.transaction() as conn:
        run = await a_run(conn, await a_workflow(conn, await an_organization(conn)))

        [record], _ = await run_records.find(conn, run.organization_id, Wanted(), members=members)

    assert set(record) == {*BASE_COLUMNS, *more}


async def test_pages_are_newest_first_by_creation_or_by_the_last_move(database: Database) -> None:
    async with database.transaction() as conn:
        workflow = await a_workflow(conn, await an_organization(conn))
        old, middle, young = [
            (await a_run(conn, workflow, created_at=NOON + number * MINUTE)).id for number in range(3)
        ]
        await runs.end(conn, old, status=RunStatus.CANCELLED, changes={}, now=NOON + 9 * MINUTE)

        async def page(order: RunListOrder, skip: int, limit: int) -> tuple[list[RunId], int]:
            found, total = await run_records.find(
                conn, workflow.organization_id, Wanted(), order=order, skip=skip, limit=limit
            )
            return [record["id"] for record in found], total

        assert await page(RunListOrder.ACTIVITY, 0, 100) == ([old, young, middle], 3)
        assert await page(RunListOrder.CREATED, 0, 100) == ([young, middle, old], 3)
        assert await page(RunListOrder.CREATED, 1, 1) == ([middle], 3)
        assert await page(RunListOrder.CREATED, 3, 1) == ([], 3)


async def test_each_condition_narrows_the_page(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization, name="Front desk")
        session_id = SessionId(uuid4())
        wanted = await a_run(
            conn,
            await a_workflow(conn, organization, name="Billing 100%"),
            machine_id=machine.id,
            session_id=session_id,
            session_alias="Login",
            input_values={"patient": "Doe"},
            created_at=NOON + MINUTE,
            status=RunStatus.ERROR,
        )
        other = await a_run(conn, await a_workflow(conn, organization, name="Charts"))

        async def found(condition: Wanted) -> set[RunId]:
            records, total = await run_records.find(conn, organization, condition)
            assert total == len(records)
            return {record["id"] for record in records}

        assert await found(Wanted()) == {wanted.id, other.id}
        for condition in (
            Wanted(ids=[wanted.id]),
            Wanted(workflow_id=wanted.workflow_id),
            Wanted(machine_id=machine.id),
            Wanted(session_id=session_id),
            Wanted(status=RunStatus.ERROR),
            Wanted(created_from=NOON + MINUTE),
            Wanted(created_from=NOON + MINUTE, created_to=NOON + MINUTE),
            Wanted(search="log"),
            Wanted(search="100%"),
            Wanted(search="front DESK"),
            Wanted(search=str(wanted.id)[4:14]),
            Wanted(search="Doe", is_deep_search=True),
        ):
            assert await found(condition) == {wanted.id}, condition
        assert await found(Wanted(created_to=NOON)) == {other.id}
        assert await found(Wanted(ids=[])) == set()
        assert await found(Wanted(search="Doe")) == set()
        assert await found(Wanted(search="1_0")) == set()
        assert await found(Wanted(status=RunStatus.ERROR, search="charts")) == set()


async def test_the_names_of_another_organization_are_not_searched(database: Database) -> None:
    """Invariant 8."""
    async with database.transaction() as conn:
        run = await a_run(conn, await a_workflow(conn, await an_organization(conn), name="Charts"))
        await a_workflow(conn, await an_organization(conn, "org_other"), name="Billing")

        found, _ = await run_records.find(conn, run.organization_id, Wanted(search="charts"))
        nothing = await run_records.find(conn, run.organization_id, Wanted(search="billing"))

    assert [record["id"] for record in found] == [run.id]
    assert nothing == ([], 0)


async def test_the_prompt_of_a_run_is_its_own_or_its_workflows(database: Database) -> None:
    async with database.transaction() as conn:
        workflow = await a_workflow(conn, await an_organization(conn), main_prompt="Type 1")
        usual = await a_run(conn, workflow)
        special = await a_run(conn, workflow, main_prompt="Type 2")

        assert await run_records.prompts(conn, [workflow.id]) == {workflow.id: "Type 1"}
        assert await run_records.own_prompts(conn, [usual.id, special.id]) == {special.id: "Type 2"}
        assert await run_records.own_prompts(conn, []) == {}
