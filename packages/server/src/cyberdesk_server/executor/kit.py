"""What a claim is worked on with."""

from dataclasses import dataclass

from cyberdesk_server.domain.ids import StepId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import Step, StepState
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.eyes import Eyes
from cyberdesk_server.executor.journal import RunJournal
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.readings import Readings
from cyberdesk_server.executor.secrets import RunSecrets
from cyberdesk_server.executor.task import task_of
from cyberdesk_server.executor.watch import Watch
from cyberdesk_server.store import secrets as stored_secrets
from cyberdesk_server.store import steps as stored_steps
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.secrets import Sealed


@dataclass(frozen=True)
class Kit:
    """What all courses of one claim share."""

    claim: Claim
    parts: ExecutorParts
    watch: Watch
    secrets: RunSecrets
    eyes: Eyes
    journal: RunJournal
    readings: Readings
    repeated: frozenset[StepId]
    """The calls that a worker before this one may have sent to the desktop when it was lost."""


async def equipped(claim: Claim, parts: ExecutorParts, watch: Watch) -> tuple[Kit, Task]:
    """What the claim is worked on with, and its task. Raises `RunFails` for inputs that cannot be used."""
    sealed = await _sealed_secrets(claim, parts)
    history = await _history(claim, parts)
    secrets = RunSecrets(sealed, parts.vault, claim.run.organization_id)
    task = await task_of(claim, secrets.names, parts.blobs)
    journal = RunJournal(claim, parts, secrets, history)
    eyes = Eyes(parts, watch, claim.run.organization_id)
    await eyes.take_over(history)
    kit = Kit(
        claim=claim,
        parts=parts,
        watch=watch,
        secrets=secrets,
        eyes=eyes,
        journal=journal,
        readings=Readings(parts, watch, journal, task),
        repeated=_repeated(history),
    )
    return kit, task


def _repeated(history: tuple[Step, ...]) -> frozenset[StepId]:
    """The first call of each course that had not ended."""
    first: dict[StepId | None, StepId] = {}
    for step in history:
        if step.state is StepState.STARTED:
            first.setdefault(step.within, step.id)
    return frozenset(first.values())


async def _sealed_secrets(claim: Claim, parts: ExecutorParts) -> Sealed:
    run, machine = claim.run, claim.machine
    if not (run.sensitive_input_aliases or machine.sensitive_parameter_aliases or run.pool_ids):
        return {}
    async with parts.database.read() as conn:
        return await stored_secrets.for_run(conn, claim.run.id)


async def _history(claim: Claim, parts: ExecutorParts) -> tuple[Step, ...]:
    if claim.attempt == 1 and claim.run.status is RunStatus.RUNNING:
        return ()  # nobody has worked on this run before
    async with parts.database.read() as conn:
        return await stored_steps.history(conn, claim.run.id)
