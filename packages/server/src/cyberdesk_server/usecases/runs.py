"""Creating, changing, ending and deleting runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.addresses import blob_key_of
from cyberdesk_server.domain.ids import MachineId, OrganizationId, RunId, WorkflowId
from cyberdesk_server.domain.inputs import effective_inputs, missing_variables
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.refusals import (
    InvalidFields,
    Problem,
    RunAlreadyEnded,
    RunAlreadyStarted,
    RunNotEnded,
    RunStillHoldsMachine,
    Unknown,
    UnknownRunImage,
    invalid,
)
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.ports import Vault
from cyberdesk_server.store import attachments, machines, pictures, runs, secrets, workflows
from cyberdesk_server.usecases.schemas import SECRET_PREFIX, misfits, optional_names
from cyberdesk_server.usecases.sealing import aliases, seal


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller wants done."""

    workflow_id: WorkflowId
    machine_id: MachineId | None = None
    """None: any machine."""

    input_values: JsonObject | None = None
    sensitive_input_values: Mapping[str, JsonValue] | None = field(default=None, repr=False)
    is_priority: bool = False
    main_prompt: str | None = None
    """In place of the workflow's prompt."""

    model_metadata: JsonObject | None = None
    session_alias: str | None = None
    release_session_after: bool | None = None


async def create(
    conn: AsyncConnection, order: Order, *, organization_id: OrganizationId, vault: Vault, now: datetime
) -> Run:
    """A run that waits for its machine.

    Raises `Unknown`, and `InvalidFields` when a variable of the prompt has no
    value or the inputs do not fit the workflow's schema.
    """
    workflow = await workflows.get(conn, organization_id, order.workflow_id)
    if workflow is None:
        raise Unknown("workflow", order.workflow_id)
    machine = None
    if order.machine_id is not None:
        machine = await machines.get(conn, organization_id, order.machine_id)
        if machine is None:
            raise Unknown("machine", order.machine_id)
    await _check_inputs(conn, order, workflow, machine)
    sealed = await seal(vault, organization_id, order.sensitive_input_values or {})
    run = Run(
        id=RunId(uuid4()),
        organization_id=organization_id,
        workflow_id=workflow.id,
        status=RunStatus.SCHEDULING,
        created_at=now,
        machine_id=order.machine_id,
        is_priority=order.is_priority,
        main_prompt=order.main_prompt,
        model_metadata=order.model_metadata,
        input_values=order.input_values,
        sensitive_input_aliases=aliases(sealed) or None,
        session_alias=order.session_alias,
        release_session_after=order.release_session_after,
    )
    await runs.add(conn, run)
    await secrets.add_for_run(conn, organization_id, run.id, sealed)
    return run


async def update(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    run_id: RunId,
    *,
    status: RunStatus | None,
    changes: Mapping[str, Any],
    now: datetime,
) -> Run:
    """The run with these fields changed; a terminal `status` ends it.

    Raises `Unknown`, `RunAlreadyEnded`, `RunAlreadyStarted` for new inputs of a run under way, and
    `InvalidFields` for a status that only a worker can give.
    """
    run = await _get(conn, organization_id, run_id)
    if run.status.is_terminal:
        raise RunAlreadyEnded(run.id, run.status)
    if status is not None and not status.is_terminal and status is not run.status:
        raise invalid(
            ("body", "status"), "a caller can only end a run: success, task_failed, error, cancelled"
        )
    if "input_values" in changes:
        await _check_new_inputs(conn, run, changes["input_values"])
    if status is not None and status.is_terminal:
        updated = await runs.end(conn, run.id, status=status, changes=changes, now=now)
    else:
        updated = await runs.update_fields(conn, run.id, changes) if changes else run
    if updated is None:
        raise RunAlreadyEnded(run.id, (await _get(conn, organization_id, run_id)).status)
    return updated


async def delete(conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId) -> tuple[str, ...]:
    """Remove a run that has ended, with its journal and files.

    Returns the keys of the blobs that belonged to nobody else; the caller deletes them after the commit.
    Raises `Unknown`, `RunNotEnded`, `RunStillHoldsMachine`.
    """
    run = await _get(conn, organization_id, run_id)
    if not run.status.is_terminal:
        raise RunNotEnded(run.id, run.status)
    files = await attachments.forget_all(conn, run.id)
    shown = await pictures.only_shown_by(conn, run.id)
    if not await runs.delete(conn, run.id):
        raise RunStillHoldsMachine(run.id)
    return (*files, *map(blob_key_of, shown))


async def image_blob_key(
    conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId, address: str
) -> str:
    """Where the content of a picture in the run's history is. Raises `Unknown`, `UnknownRunImage`."""
    run = await _get(conn, organization_id, run_id)
    if not await pictures.is_shown(conn, run.id, address):
        raise UnknownRunImage(run.id)
    return blob_key_of(address)


async def _get(conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId) -> Run:
    run = await runs.get(conn, organization_id, run_id)
    if run is None:
        raise Unknown("run", run_id)
    return run


async def _check_new_inputs(conn: AsyncConnection, run: Run, input_values: JsonObject | None) -> None:
    if run.status is not RunStatus.SCHEDULING:
        raise RunAlreadyStarted(run.id)
    workflow = await workflows.get_even_deleted(conn, run.workflow_id)
    machine = None
    if run.machine_id is not None:
        machine = await machines.get(conn, run.organization_id, run.machine_id)
    # The secrets are sealed; their names are all that can be checked again.
    kept = dict.fromkeys(run.sensitive_input_aliases or (), None)
    order = Order(run.workflow_id, run.machine_id, input_values, kept, main_prompt=run.main_prompt)
    await _check_inputs(conn, order, workflow, machine, knows_secrets=False)


async def _check_inputs(
    conn: AsyncConnection,
    order: Order,
    workflow: Workflow,
    machine: Machine | None,
    *,
    knows_secrets: bool = True,
) -> None:
    prompt = order.main_prompt or workflow.main_prompt
    if not prompt.strip():
        raise invalid(("body", "workflow_id"), "the workflow has no prompt yet", "missing")
    inputs, own_secrets = order.input_values or {}, order.sensitive_input_values or {}
    missing = missing_variables(
        prompt,
        inputs=inputs.keys() | _parameters(machine),
        secrets=own_secrets.keys() | _sensitive_parameters(machine),
        optional=optional_names(workflow.input_schema),
    )
    # A machine that is not chosen yet may bring what is missing.
    may_come = (frozenset[str](), frozenset[str]())
    if machine is None and (missing.inputs or missing.secrets or workflow.input_schema is not None):
        may_come = await machines.parameter_names(conn, workflow.organization_id)
    problems = [
        *(_missing("input_values", name, f"{{{name}}}") for name in sorted(missing.inputs - may_come[0])),
        *(
            _missing("sensitive_input_values", name, f"{{${name}}}")
            for name in sorted(missing.secrets - may_come[1])
        ),
    ]
    if workflow.input_schema is not None and not problems:
        known_later = _sensitive_parameters(machine) | may_come[1]
        if not knows_secrets:
            known_later |= own_secrets.keys()
        problems += misfits(
            workflow.input_schema,
            effective_inputs(inputs, machine.machine_parameters if machine else None),
            own_secrets if knows_secrets else {},
            not_required=may_come[0] | {SECRET_PREFIX + name for name in known_later},
        )
    if problems:
        raise InvalidFields(tuple(problems))


def _parameters(machine: Machine | None) -> frozenset[str]:
    return frozenset(machine.machine_parameters or ()) if machine else frozenset()


def _sensitive_parameters(machine: Machine | None) -> frozenset[str]:
    return frozenset(machine.sensitive_parameter_aliases or ()) if machine else frozenset()


def _missing(field_name: str, name: str, variable: str) -> Problem:
    return Problem(("body", field_name, name), f"the prompt uses {variable}, which has no value", "missing")
