"""Writing the post-run checks of a workflow."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import PostRunCheckId
from cyberdesk_server.domain.post_run_checks import PostRunCheck, PostRunCheckType, WrittenCheck
from cyberdesk_server.domain.refusals import InvalidFields, Problem, Unknown
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.usecases.model_configurations import why_unusable

FIELD = "post_run_checks"


def rewritten(
    workflow: Workflow, before: Sequence[PostRunCheck], written: Sequence[WrittenCheck], *, now: datetime
) -> tuple[PostRunCheck, ...]:
    """The checks of the workflow once its author wrote these: the named ones changed, the others new, in
    this order; what is not among them is gone.

    Raises `InvalidFields` for a check that could never pass, `Unknown` for an id that is none of `before`.
    """
    problems = tuple(_problems(written))
    if problems:
        raise InvalidFields(problems)
    known = {check.id: check for check in before}
    return tuple(_rewritten(workflow, known, check, order, now) for order, check in enumerate(written))


def refuse_unusable(workflow: Workflow, checks: Sequence[PostRunCheck]) -> None:
    """Raises `InvalidFields` when a check needs a schema that the workflow does not have."""
    needs_schema = PostRunCheckType.OUTPUT_DATA_PASSES_SCHEMA_VALIDATION
    if workflow.output_schema is None:
        problems = tuple(
            Problem(("body", FIELD, check.order, "type"), "needs an output_schema of the workflow")
            for check in checks
            if check.spec.type is needs_schema
        )
        if problems:
            raise InvalidFields(problems)


async def refuse_unusable_models(
    conn: AsyncConnection, before: Sequence[PostRunCheck], after: Sequence[PostRunCheck]
) -> None:
    """Raises `InvalidFields` when a check newly names a model that is not there or archived."""
    models_before = {check.id: check.spec.model for check in before}
    problems = []
    for check in after:
        model = check.spec.model
        if model is None or model == models_before.get(check.id):
            continue
        reason = await why_unusable(conn, check.organization_id, model)
        if reason is not None:
            problems.append(Problem(("body", FIELD, check.order, "model"), reason))
    if problems:
        raise InvalidFields(tuple(problems))


def _problems(written: Sequence[WrittenCheck]) -> Iterator[Problem]:
    named: set[PostRunCheckId] = set()
    for index, check in enumerate(written):
        for member, message in check.spec.faults():
            yield Problem(("body", FIELD, index, member), message)
        if check.id is not None and check.id in named:
            yield Problem(("body", FIELD, index, "id"), "is named twice")
        elif check.id is not None:
            named.add(check.id)


def _rewritten(
    workflow: Workflow,
    known: dict[PostRunCheckId, PostRunCheck],
    written: WrittenCheck,
    order: int,
    now: datetime,
) -> PostRunCheck:
    if written.id is None:
        return PostRunCheck(
            id=PostRunCheckId(uuid4()),
            organization_id=workflow.organization_id,
            workflow_id=workflow.id,
            spec=written.spec,
            order=order,
            created_at=now,
            updated_at=now,
        )
    if written.id not in known:
        raise Unknown("post-run check", written.id)
    before = known[written.id]
    after = replace(before, spec=written.spec, order=order)
    return after if after == before else replace(after, updated_at=now)
