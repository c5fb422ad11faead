"""Cleans up on the machine of a run of which a post-run check has failed, as the workflow's author wants it.

The run has kept its machine and its secrets for that. The journal gets one more step of the run's own course,
made of all that is done: so any worker goes on in the middle of it, and nothing is done twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.prompts import variables
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import CLEAN_UP, Step, ToolCall, Turn, course
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.agent import Agent
from cyberdesk_server.executor.arguments import Fill
from cyberdesk_server.executor.course import Course
from cyberdesk_server.executor.deciding import OVER, Decided
from cyberdesk_server.executor.kit import Kit, equipped
from cyberdesk_server.executor.moves import TASK_FAILED, is_declaration, runtime_values
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.pictures import prompt_pictures
from cyberdesk_server.executor.post_run_checks import usage_of
from cyberdesk_server.executor.signals import RunFails, RunStopped, ToolFailed
from cyberdesk_server.executor.tools.base import Bench, Outcome, Tool
from cyberdesk_server.executor.watch import Watch, watching
from cyberdesk_server.ports import Blobs
from cyberdesk_server.store import leases
from cyberdesk_server.store.claims import Claim

NOTHING_WITHHELD = frozenset[str]()


async def clean_up(claim: Claim, parts: ExecutorParts, checked: Ending) -> Ending:
    """How the run ends that was checked so, once its cleanup prompt is carried out if a check has failed.

    What is done changes nothing of the outcome; that it did not work is one reason more.
    """
    if claim.cleanup_prompt is None or checked.status is not RunStatus.ERROR:
        return checked
    parts = replace(parts, limits=parts.limits.asked_for_by(claim.run, claim.workflow))
    async with watching(claim, parts) as watch:
        try:
            await _keep(claim, parts, checked)
            return await _cleaned(claim, claim.cleanup_prompt, parts, watch, checked)
        except RunFails as failure:
            return replace(checked, error=(*checked.error, _told(str(failure))))
        except RunStopped:
            return Ending(RunStatus.CANCELLED)


async def cleaning_task(
    task: Task, prompt: str, blobs: Blobs, known: Mapping[str, JsonValue] | None = None
) -> Task:
    """The task of cleaning up after a run with this task, which has left these runtime values behind.

    While they are not known, whatever the prompt names counts as one.
    """
    if known is None:
        known = dict.fromkeys(variables(prompt).runtime, "")
    pictures = await prompt_pictures(prompt, blobs, task.organization_id)
    return replace(task, prompt=prompt, pictures=pictures, output_schema=None, is_focused=True, known=known)


async def _keep(claim: Claim, parts: ExecutorParts, checked: Ending) -> None:
    """Write what came of the checks: who takes over now must not make them again."""
    async with parts.database.transaction() as conn:
        if not await leases.write_checks(conn, claim.held, checked.checks or ()):
            raise RunStopped


async def _cleaned(claim: Claim, prompt: str, parts: ExecutorParts, watch: Watch, checked: Ending) -> Ending:
    kit, task = await equipped(claim, parts, watch)
    cleaning = await cleaning_task(task, prompt, parts.blobs, runtime_values(kit.journal.history))
    try:
        complaint = await _carried_out(kit, cleaning, checked)
    except RunFails as failure:
        complaint = str(failure)
    finally:
        await kit.readings.stop()
    await kit.journal.drop("not done: the run ended before")
    complaints = () if complaint is None else (await kit.secrets.mask(_told(complaint)),)
    usage = usage_of(checked.checks or (), kit.journal.history)
    return replace(checked, error=(*checked.error, *complaints), usage_metadata=usage)


def _told(complaint: str) -> str:
    return f"the cleanup did not work: {complaint}"


async def _carried_out(kit: Kit, task: Task, checked: Ending) -> str | None:
    """Why it did not work; None when it did. Raises `RunFails`."""
    journal = kit.journal
    if _cleaning_step(journal.history) is None:
        own = course(journal.history)
        thought = f"({'; '.join(checked.error)}. What the workflow wants done then is done.)"
        call = ToolCall(CLEAN_UP, {"prompt": task.prompt})
        await journal.begin(own[-1].turn + 1 if own else 1, Turn((call,), thought), None)
    await Course(kit, _Cleaning(task)).follow()
    step = _cleaning_step(journal.history)
    assert step is not None
    declared = next((one for one in journal.history if _says_it_failed(one, step)), None)
    return str((declared.result or {}).get("text")) if declared else step.error


def _cleaning_step(history: Sequence[Step]) -> Step | None:
    return next((step for step in history if step.call.tool == CLEAN_UP), None)


def _says_it_failed(step: Step, cleaning: Step) -> bool:
    return is_declaration(step) and step.call.tool == TASK_FAILED and step.number > cleaning.number


@dataclass(frozen=True)
class _Cleaning:
    """A `Decider` of the run's own course that has nothing to add to the step it begins with."""

    task: Task
    withheld: frozenset[str] = NOTHING_WITHHELD

    @property
    def own_tools(self) -> Mapping[str, Tool]:
        return {CLEAN_UP: Tool(CLEAN_UP, "Clean up.", _Arguments, self._run)}

    async def decide(self, own: Sequence[Step]) -> Decided:
        return OVER

    async def _run(self, bench: Bench, arguments: "_Arguments") -> Outcome:
        agent = Agent(self.task, bench.parts, bench.watch, bench.eyes, bench.steps, given_up=ToolFailed)
        end = await bench.follow(agent)
        return Outcome(end.reason or "done")


@dataclass(frozen=True, slots=True)
class _Arguments:
    prompt: Annotated[str, "What is to be done.", Fill.NOTHING]
