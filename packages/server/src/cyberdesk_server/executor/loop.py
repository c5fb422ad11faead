"""The agent loop: look, ask the model, write down what it wants, do it, write down what came of it.

execute
 +-- _refuse_unreadable     before the first action
 +-- InputFiles.bring       before the first step is begun
 +-- _follow                one move after another, as the journal tells
 |    +-- _ask              a recorded turn that fits, or the model's, into the journal
 |    +-- _carry_out        one call: placeholders filled in, tool run, result into the journal
 +-- _conclude              the run's output
 +-- InputFiles.take_away   however it ended
"""

from contextlib import suppress
from dataclasses import dataclass, replace

from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.ids import StepId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Detection, Step, StepState, ToolCall, Turn
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.arguments import fill_of, parse
from cyberdesk_server.executor.asking import persistently
from cyberdesk_server.executor.eyes import Eyes
from cyberdesk_server.executor.files import InputFiles
from cyberdesk_server.executor.filling import filled_arguments
from cyberdesk_server.executor.journal import RunJournal
from cyberdesk_server.executor.moves import (
    AskModel,
    CarryOut,
    End,
    GiveUp,
    asked_turns,
    failures_in_a_row,
    next_move,
    runtime_values,
)
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.replay.replay import Replay
from cyberdesk_server.executor.secrets import RunSecrets
from cyberdesk_server.executor.signals import RunFails, RunStopped, ToolFailed
from cyberdesk_server.executor.task import task_of
from cyberdesk_server.executor.tools import TOOLS
from cyberdesk_server.executor.tools.base import Bench, Outcome
from cyberdesk_server.executor.usage import usage_metadata
from cyberdesk_server.executor.watch import Watch, watching
from cyberdesk_server.ports import ModelError
from cyberdesk_server.store import secrets as stored_secrets
from cyberdesk_server.store import steps as stored_steps
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.secrets import Sealed


async def execute(claim: Claim, parts: ExecutorParts) -> Ending:
    """Work on a claimed run until it ends.

    Never raises for what a model or a desktop does; what a bug of ours raises is the caller's to record.
    The ending is not written here: that is one transaction of the worker (`usecases.endings.finish`).
    """
    parts = replace(parts, limits=parts.limits.asked_for_by(claim.run, claim.workflow))
    async with watching(claim, parts) as watch:
        try:
            execution = await _Execution.open(claim, parts, watch)
        except RunFails as failure:
            status = RunStatus.ERROR
            return Ending(status, failure.reasons, None, usage_metadata((), status))
        try:
            ending = await execution.run()
        except RunFails as failure:
            ending = await execution.ending(RunStatus.ERROR, *failure.reasons)
        except RunStopped:
            ending = await execution.ending(RunStatus.CANCELLED)
        await execution.drop_waiting()
        await execution.files.take_away()
        return ending


@dataclass
class _Execution:
    """One claim being worked on."""

    claim: Claim
    parts: ExecutorParts
    watch: Watch
    task: Task
    secrets: RunSecrets
    eyes: Eyes
    journal: RunJournal
    files: InputFiles
    replay: Replay
    repeated: StepId | None
    """The call that a worker before this one may have sent to the desktop when it was lost."""

    is_still: bool = False
    """True while nothing was done to the desktop since it was last seen at rest."""

    @classmethod
    async def open(cls, claim: Claim, parts: ExecutorParts, watch: Watch) -> "_Execution":
        sealed = await _sealed_secrets(claim, parts)
        history = await _history(claim, parts)
        secrets = RunSecrets(sealed, parts.vault, claim.run.organization_id)
        task = await task_of(claim, secrets.names, parts.blobs)
        eyes = Eyes(parts, watch, claim.run.organization_id)
        return cls(
            claim=claim,
            parts=parts,
            watch=watch,
            task=task,
            secrets=secrets,
            eyes=eyes,
            journal=RunJournal(claim, parts, secrets, history),
            files=InputFiles(claim, parts, watch),
            replay=await Replay.open(claim, parts, watch, eyes, task),
            repeated=next((step.id for step in history if step.state is StepState.STARTED), None),
        )

    async def run(self) -> Ending:
        self._refuse_unreadable()
        if not self.journal.history:
            await self.files.bring()
        end = await self._follow()
        return await self._conclude(end)

    def _refuse_unreadable(self) -> None:
        refusals = self.parts.model.check(self.task)
        if refusals:
            raise RunFails(*(str(refusal) for refusal in refusals))

    async def _follow(self) -> End:
        while True:
            self.watch.check()
            match next_move(self.journal.history):
                case End() as end:
                    return end
                case GiveUp(reason):
                    raise RunFails(reason)
                case CarryOut(step, rest):
                    await self._carry_out(step, rest)
                case AskModel(number):
                    model = self.parts.model
                    if model.has_finished(self.task, self.journal.history) or not await self._ask(number):
                        return End(RunStatus.SUCCESS, None)

    async def _ask(self, number: int) -> bool:
        """Write the model's next turn; False when it wants nothing more."""
        limits = self.parts.limits
        if failures_in_a_row(self.journal.history) >= limits.max_failures_in_a_row:
            raise RunFails(
                f"{limits.max_failures_in_a_row} turns failed in a row; the last: {self._last_error()}"
            )
        history = self.journal.history
        offer = await self.replay.next_turn(history, runtime_values(history))
        if offer.turn is not None:
            await self._begin(number, offer.turn, offer.screenshot, offer.detection, offer.volatile)
            return bool(offer.turn.calls)
        if asked_turns(history) >= limits.max_turns:
            raise RunFails(f"the run took more than its limit of {limits.max_turns} turns")
        screenshot = offer.screenshot or await self._look()
        self.is_still = True
        try:
            turn = await persistently(
                lambda: self.parts.model.next_turn(self.task, history, runtime_values(history), screenshot),
                self.parts,
                self.watch,
            )
        except ModelError as error:
            await self._show(number, str(error), await self.eyes.keep(screenshot))
            raise RunFails(str(error)) from error
        volatile = () if offer.screenshot else self.eyes.volatile
        await self._begin(number, turn, screenshot, offer.detection, volatile)
        return bool(turn.calls)

    async def _look(self) -> Screenshot:
        return await (self.eyes.look() if self.is_still else self.eyes.look_when_still())

    async def _begin(
        self,
        number: int,
        turn: Turn,
        screenshot: Screenshot | None,
        detection: Detection | None,
        volatile: tuple[Box, ...],
    ) -> None:
        if turn.calls:
            screen = None if screenshot is None else await self.eyes.keep(screenshot)
            await self.journal.begin(number, turn, screen, detection=detection, volatile=volatile)

    async def _show(self, number: int, error: str, screen: str) -> None:
        """Let the history show the screen on which the model gave up."""
        await self.journal.begin(number, Turn((ToolCall("screenshot"),)), screen)
        await self.journal.fail(self.journal.history[-1], error)

    async def _carry_out(self, step: Step, rest: tuple[Step, ...]) -> None:
        step = replace(step, started_at=self.parts.clock.now())
        try:
            outcome = await self._perform(step)
        except ToolFailed as failure:
            await self.journal.fail(step, str(failure), rest)
        except RunFails as failure:
            await self.journal.break_off(step, str(failure), rest)
            raise
        else:
            await self.journal.complete(step, outcome)

    async def _perform(self, step: Step) -> Outcome:
        tool = TOOLS.get(step.call.tool)
        if tool is None:
            raise ToolFailed(f"there is no tool {step.call.tool}; there are: {', '.join(TOOLS)}")
        if tool.is_action:
            self.is_still = False
        filled = filled_arguments(
            step.call.arguments,
            fill_of(tool.arguments),
            self.task.inputs,
            runtime_values(self.journal.history),
        )
        bench = Bench(
            step=step,
            task=self.task,
            parts=self.parts,
            watch=self.watch,
            eyes=self.eyes,
            secrets=self.secrets,
            is_repeat=step.id == self.repeated,
            command_allowlist=self.claim.workflow.terminal_command_allowlist,
        )
        return await tool.run(bench, parse(tool.arguments, filled))

    async def _conclude(self, end: End) -> Ending:
        status = end.status
        reasons = [end.reason or "the task failed"] if status is RunStatus.TASK_FAILED else []
        history = self.journal.history
        try:
            output = await persistently(
                lambda: self.parts.model.conclude(self.task, history, runtime_values(history)),
                self.parts,
                self.watch,
            )
        except ModelError as error:
            output = error.output
            reasons.append(str(error))
            status = RunStatus.ERROR if status is RunStatus.SUCCESS else status
        return await self.ending(status, *reasons, output_data=output)

    async def ending(self, status: RunStatus, *reasons: str, output_data: JsonObject | None = None) -> Ending:
        """The ending, without any secret in it. When the secrets cannot be opened, that is the ending."""
        try:
            error = [await self.secrets.mask(reason) for reason in reasons]
            output_data = await self.secrets.mask(output_data)
        except RunFails as failure:
            status, error, output_data = RunStatus.ERROR, list(failure.reasons), None
        usage = usage_metadata(self.journal.history, status)
        return Ending(status, tuple(error), output_data, usage, display=self.eyes.size)

    async def drop_waiting(self) -> None:
        """Leave no call behind that looks as if it were still going on."""
        with suppress(RunStopped):
            await self.journal.drop("not done: the run ended before")

    def _last_error(self) -> str:
        return next(step.error for step in reversed(self.journal.history) if step.error and step.finished_at)


async def _sealed_secrets(claim: Claim, parts: ExecutorParts) -> Sealed:
    run, machine = claim.run, claim.machine
    if not (run.sensitive_input_aliases or machine.sensitive_parameter_aliases or run.pool_ids):
        return {}
    async with parts.database.read() as conn:
        return await stored_secrets.for_run(conn, claim.run.id)


async def _history(claim: Claim, parts: ExecutorParts) -> tuple[Step, ...]:
    if claim.attempt == 1:
        return ()  # nobody has worked on this run before
    async with parts.database.read() as conn:
        return await stored_steps.history(conn, claim.run.id)
