"""Chains: runs that follow each other in one session."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.attachments import StoredFile
from cyberdesk_server.domain.ids import OrganizationId, SessionId, WorkflowId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.limits import NO_LIMITS, RunLimits, ServerLimits
from cyberdesk_server.domain.prompts import variables
from cyberdesk_server.domain.refusals import InvalidFields, Problem
from cyberdesk_server.domain.runs import Run
from cyberdesk_server.domain.workflows import Terms
from cyberdesk_server.json_schemas import Places, known_names
from cyberdesk_server.ports import Vault
from cyberdesk_server.store import sessions, workflows
from cyberdesk_server.usecases.orders import Order, Placed, check, write
from cyberdesk_server.usecases.placement import Wish, place


@dataclass(frozen=True, slots=True)
class ChainStep:
    workflow_id: WorkflowId
    session_alias: str | None = None
    inputs: JsonObject = field(default_factory=dict)
    sensitive_inputs: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    limits: RunLimits = NO_LIMITS


@dataclass(frozen=True, slots=True)
class Chain:
    """What a caller wants done, one step after the other."""

    steps: tuple[ChainStep, ...]
    shared_inputs: JsonObject = field(default_factory=dict)
    """For every step whose workflow knows the variable; a step's own value wins."""

    shared_sensitive_inputs: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    is_priority: bool = False
    keeps_session: bool = False

    def secrets_of(self, step: ChainStep) -> Mapping[str, JsonValue]:
        return {**self.shared_sensitive_inputs, **step.sensitive_inputs}


async def create(
    conn: AsyncConnection,
    chain: Chain,
    wish: Wish,
    *,
    organization_id: OrganizationId,
    allowed: ServerLimits,
    vault: Vault,
    now: datetime,
    files: tuple[StoredFile, ...] = (),
) -> tuple[SessionId, tuple[Run, ...]]:
    """The session of the chain and its runs in order: all of them, or none and the reasons.

    `files` go to the first run. A session that the wish does not name is started. Raises `Unknown`,
    `SessionEnded`, and `InvalidFields` with the problems of every step.
    """
    _check_aliases(chain)
    placement = await place(
        conn, organization_id, replace(wish, start_session=wish.session_id is None), now=now
    )
    assert placement.session_id is not None
    chain_id, last = uuid4(), len(chain.steps) - 1
    aliases = set(await sessions.aliases(conn, placement.session_id))
    placed: list[Placed] = []
    problems: list[Problem] = []
    for number, step in enumerate(chain.steps):
        at = ("body", "steps", number)
        order = Order(
            workflow_id=step.workflow_id,
            input_values=await _inputs(conn, organization_id, chain, step),
            sensitive_input_values=chain.secrets_of(step),
            is_priority=chain.is_priority,
            session_alias=step.session_alias,
            release_session_after=number == last and not chain.keeps_session,
            chain_id=chain_id,
            limits=step.limits,
        )
        workflow, found = await check(
            conn,
            organization_id,
            order,
            placement,
            allowed=allowed,
            refers_to=aliases,
            at=at,
            places=Places((*at, "inputs"), (*at, "sensitive_inputs")),
        )
        problems += found
        is_first = number == 0
        where = placement if is_first else placement.following()
        placed.append(Placed(order, workflow, where, files if is_first else ()))
        if step.session_alias is not None:
            aliases.add(step.session_alias)
    if problems:
        raise InvalidFields(tuple(problems))
    return placement.session_id, await write(conn, placed, allowed=allowed, vault=vault, now=now)


def _check_aliases(chain: Chain) -> None:
    seen: set[str] = set()
    problems = []
    for number, step in enumerate(chain.steps):
        if step.session_alias in seen:
            at = ("body", "steps", number, "session_alias")
            problems.append(Problem(at, f"an earlier step is called {step.session_alias!r} already"))
        if step.session_alias is not None:
            seen.add(step.session_alias)
    if problems:
        raise InvalidFields(tuple(problems))


async def _inputs(
    conn: AsyncConnection, organization_id: OrganizationId, chain: Chain, step: ChainStep
) -> JsonObject | None:
    workflow = await workflows.terms(conn, organization_id, step.workflow_id)
    if workflow is None or not chain.shared_inputs:
        return step.inputs or None
    known = _declared(workflow)
    shared = {name: value for name, value in chain.shared_inputs.items() if name in known}
    return {**shared, **step.inputs} or None


def _declared(workflow: Terms) -> frozenset[str]:
    """Inputs the workflow uses in its prompt or names in its schema."""
    return variables(workflow.main_prompt).inputs | known_names(workflow.input_schema)
