"""The checks of workflows, on both databases."""

from uuid import uuid4

from cyberdesk_server.domain.ids import PostRunCheckId
from cyberdesk_server.domain.post_run_checks import (
    CheckSpec,
    PostRunCheck,
    PostRunCheckFileTargetMode,
    PostRunCheckType,
)
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import post_run_checks
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, a_workflow, an_organization

SPEC = CheckSpec(
    name="Ł",
    type=PostRunCheckType.RUN_ATTACHMENT_IMAGE_CHECK,
    description="d",
    file_target_mode=PostRunCheckFileTargetMode.EXACT,
    file_names=("a.png", "b.png"),
    expected_match_count=2,
    allow_missing_attachments=True,
    check_prompt="Saved?",
    model=uuid4(),
)


def a_check(workflow: Workflow, order: int, spec: CheckSpec = SPEC) -> PostRunCheck:
    return PostRunCheck(
        PostRunCheckId(uuid4()), workflow.organization_id, workflow.id, spec, order, NOON, NOON
    )


async def test_checks_are_read_back_as_they_were_written(database: Database) -> None:
    async with database.transaction() as conn:
        workflow = await a_workflow(conn, await an_organization(conn))
        other = CheckSpec("n", PostRunCheckType.OUTPUT_DATA_PASSES_SCHEMA_VALIDATION)
        checks = (a_check(workflow, 0), a_check(workflow, 1, other))

        await post_run_checks.replace(conn, workflow.id, tuple(reversed(checks)))

        assert await post_run_checks.of_workflow(conn, workflow.id) == checks


async def test_new_checks_take_the_place_of_the_old_ones_of_this_workflow(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        one, two = await a_workflow(conn, organization), await a_workflow(conn, organization)
        kept, gone, new = a_check(one, 0), a_check(one, 1), a_check(one, 1)
        of_two = a_check(two, 0)
        await post_run_checks.replace(conn, one.id, (kept, gone))
        await post_run_checks.replace(conn, two.id, (of_two,))

        await post_run_checks.replace(conn, one.id, (kept, new))

        found = await post_run_checks.of_workflows(conn, [one.id, two.id])
        assert found == {one.id: (kept, new), two.id: (of_two,)}
