"""Workflows and their history, on both databases."""

from dataclasses import replace
from uuid import uuid4

from cyberdesk_server.domain.ids import WorkflowId
from cyberdesk_server.store import workflows
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, a_workflow, an_organization


async def test_a_workflow_is_read_back_as_it_was_written(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(
            conn,
            organization,
            name="Ł",
            terminal_command_allowlist=("dir *",),
            model_metadata={"main_agent_model_id": None},
            includes_input_variables=True,
        )

        assert await workflows.get(conn, organization, workflow.id) == workflow
        assert await workflows.get(conn, organization, workflow.id, for_update=True) == workflow
        assert await workflows.get(conn, organization, WorkflowId(uuid4())) is None


async def test_versions_are_numbered_from_the_oldest(database: Database) -> None:
    async with database.transaction() as conn:
        first = await a_workflow(conn, await an_organization(conn), main_prompt="1")
        second, third = replace(first, main_prompt="2"), replace(first, main_prompt="3")

        await workflows.replace(conn, second, version=first.version())
        await workflows.replace(conn, third, version=second.version())
        found = await workflows.versions(conn, [first.id])

    assert found == {first.id: ({"version": 1, **first.version()}, {"version": 2, **second.version()})}


async def test_a_deleted_workflow_is_found_by_its_runs_only(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(conn, organization)

        await workflows.delete(conn, workflow.id, now=NOON)

        assert await workflows.get(conn, organization, workflow.id) is None
        assert await workflows.find(conn, organization) == ((), 0)
        assert await workflows.even_deleted(conn, [workflow.id]) == {workflow.id: workflow}
