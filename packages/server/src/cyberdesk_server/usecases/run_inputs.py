"""Do the values of a new run suffice: for its prompt, for its workflow's schema, for its references?"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, PoolId
from cyberdesk_server.domain.inputs import effective_inputs, missing_variables
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.refs import MEMBER, refs_in
from cyberdesk_server.domain.refusals import Problem
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.json_schemas import IN_BODY, SECRET_PREFIX, Places, misfits, optional_names
from cyberdesk_server.store import machines, pools


@dataclass(frozen=True, slots=True)
class Given:
    """What a caller gives a run, and what it may refer to."""

    inputs: JsonObject
    secrets: Mapping[str, JsonValue] = field(repr=False)
    knows_secrets: bool = True
    """False when only the names of the secrets are known: they are sealed already."""

    aliases: Collection[str] = ()
    """Of the earlier runs that references may name."""

    places: Places = IN_BODY


@dataclass(frozen=True, slots=True)
class Defaults:
    """What machine and pools bring; or, while the machine is open, what it may bring."""

    machine: Machine | None
    pool_values: JsonObject
    pool_secrets: frozenset[str]
    may_come: frozenset[str]
    """Inputs that some machine of the organization has."""

    secrets_may_come: frozenset[str]

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset(self.machine_values) | frozenset(self.pool_values)

    @property
    def machine_values(self) -> JsonObject:
        return (self.machine.machine_parameters if self.machine else None) or {}

    @property
    def secrets(self) -> frozenset[str]:
        of_machine = (self.machine.sensitive_parameter_aliases if self.machine else None) or {}
        return frozenset(of_machine) | self.pool_secrets


async def defaults(
    conn: AsyncConnection,
    workflow: Workflow,
    machine_id: MachineId | None,
    pool_ids: Sequence[PoolId] | None,
) -> Defaults:
    """What a run of this workflow finds on this machine and in these pools."""
    machine = None
    if machine_id is not None:
        machine = await machines.get(conn, workflow.organization_id, machine_id)
    pool_values, pool_secrets = await pools.parameters(conn, pool_ids) if pool_ids else ({}, frozenset())
    may_come = (frozenset[str](), frozenset[str]())
    if machine is None:
        may_come = await machines.parameter_names(conn, workflow.organization_id)
    return Defaults(machine, pool_values, pool_secrets, *may_come)


def problems_of(prompt: str, workflow: Workflow, given: Given, found: Defaults) -> tuple[Problem, ...]:
    """What is wrong with the values, each where it stands in the request; nothing when they suffice.

    What a machine that is not chosen yet may bring, and what a reference leads to, is left to the worker.
    """
    places = given.places
    if not prompt.strip():
        return (Problem(("body", "workflow_id"), "the workflow has no prompt yet", "missing"),)
    wrong = _reference_problems(given)
    missing = missing_variables(
        prompt,
        inputs=given.inputs.keys() | found.inputs | found.may_come,
        secrets=given.secrets.keys() | found.secrets | found.secrets_may_come,
        optional=optional_names(workflow.input_schema),
    )
    wrong += [_missing((*places.inputs, name), f"{{{name}}}") for name in sorted(missing.inputs)]
    wrong += [_missing((*places.secrets, name), f"{{${name}}}") for name in sorted(missing.secrets)]
    if workflow.input_schema is not None and not wrong:
        not_shown = found.secrets | found.secrets_may_come
        if not given.knows_secrets:
            not_shown |= given.secrets.keys()
        wrong += misfits(
            workflow.input_schema,
            effective_inputs(given.inputs, found.machine_values, found.pool_values),
            given.secrets if given.knows_secrets else {},
            not_required=found.may_come | {SECRET_PREFIX + name for name in not_shown},
            unknown_yet=[name for name, value in given.inputs.items() if any(refs_in(value))],
            places=places,
        )
    return tuple(wrong)


def _reference_problems(given: Given) -> list[Problem]:
    wrong = []
    known = ", ".join(sorted(given.aliases)) or "none"
    for location, ref in refs_in(given.inputs, given.places.inputs):
        if ref is None:
            wrong.append(Problem((*location, MEMBER), "must read ALIAS.outputs.PATH", "reference"))
        elif ref.alias not in given.aliases:
            reason = f"there is no earlier run {ref.alias!r} in this session; there are: {known}"
            wrong.append(Problem((*location, MEMBER), reason, "reference"))
    return wrong


def _missing(location: tuple[str | int, ...], variable: str) -> Problem:
    return Problem(location, f"the prompt uses {variable}, which has no value", "missing")
