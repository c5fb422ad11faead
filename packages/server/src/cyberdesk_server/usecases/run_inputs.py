"""Do the values of a new run suffice: for its prompt, for its workflow's schema, for its references?"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import PoolId
from cyberdesk_server.domain.inputs import effective_inputs, missing_variables
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.refs import MEMBER, refs_in
from cyberdesk_server.domain.refusals import Problem
from cyberdesk_server.domain.workflows import Terms
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
class Known:
    """Names of inputs and of secrets that somebody besides the caller has values for."""

    inputs: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()

    def __or__(self, other: "Known") -> "Known":
        return Known(self.inputs | other.inputs, self.secrets | other.secrets)


async def problems_of(
    conn: AsyncConnection,
    prompt: str,
    workflow: Terms,
    given: Given,
    *,
    machine: Machine | None,
    pool_ids: Sequence[PoolId] | None,
) -> tuple[Problem, ...]:
    """What is wrong with the values, each where it stands in the request; nothing when they suffice.

    What a machine that is not chosen yet may bring, and what a reference leads to, is left to the worker.
    """
    if not prompt.strip():
        return (Problem(("body", "workflow_id"), "the workflow has no prompt yet", "missing"),)
    pool_values, pool_secrets = await pools.parameters(conn, pool_ids) if pool_ids else ({}, frozenset())
    machine_values = (machine.machine_parameters if machine else None) or {}
    machine_secrets = (machine.sensitive_parameter_aliases if machine else None) or {}
    known = Known(
        frozenset(pool_values) | frozenset(machine_values), pool_secrets | frozenset(machine_secrets)
    )
    may_come = Known()
    if machine is None and (workflow.input_schema is not None or _missing(prompt, workflow, given, known)):
        may_come = Known(*await machines.parameter_names(conn, workflow.organization_id))
    wrong = [*_reference_problems(given), *_missing(prompt, workflow, given, known | may_come)]
    if workflow.input_schema is None or wrong:
        return tuple(wrong)
    not_shown = known.secrets | may_come.secrets
    if not given.knows_secrets:
        not_shown |= given.secrets.keys()
    return misfits(
        workflow.input_schema,
        effective_inputs(given.inputs, machine_values, pool_values),
        given.secrets if given.knows_secrets else {},
        not_required=may_come.inputs | {SECRET_PREFIX + name for name in not_shown},
        unknown_yet=[name for name, value in given.inputs.items() if any(refs_in(value))],
        places=given.places,
    )


def _missing(prompt: str, workflow: Terms, given: Given, known: Known) -> list[Problem]:
    missing = missing_variables(
        prompt,
        inputs=given.inputs.keys() | known.inputs,
        secrets=given.secrets.keys() | known.secrets,
        optional=optional_names(workflow.input_schema),
    )
    return [
        *(_without_value((*given.places.inputs, name), f"{{{name}}}") for name in sorted(missing.inputs)),
        *(_without_value((*given.places.secrets, name), f"{{${name}}}") for name in sorted(missing.secrets)),
    ]


def _without_value(location: tuple[str | int, ...], variable: str) -> Problem:
    return Problem(location, f"the prompt uses {variable}, which has no value", "missing")


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
