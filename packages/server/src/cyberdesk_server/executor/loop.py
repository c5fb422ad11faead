"""One claimed run, from its first look to its ending.

execute
 +-- _refuse_unreadable     before the first action
 +-- InputFiles.bring       before the first step is begun
 +-- Course.follow          one turn after another, as the journal tells
 +-- _conclude              readings in the background, then the run's output
 +-- InputFiles.take_away   however it ended
"""

from contextlib import suppress
from dataclasses import dataclass, replace

from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.recordings import prompt_digest
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import course
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.agent import Agent
from cyberdesk_server.executor.asking import persistently
from cyberdesk_server.executor.cleaning import cleaning_task
from cyberdesk_server.executor.course import Course
from cyberdesk_server.executor.files import InputFiles
from cyberdesk_server.executor.kit import Kit, equipped
from cyberdesk_server.executor.moves import End, runtime_values
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.replay.detector import Detector
from cyberdesk_server.executor.replay.replay import Replay
from cyberdesk_server.executor.replay.trials import Trials
from cyberdesk_server.executor.signals import RunFails, RunStopped
from cyberdesk_server.executor.usage import usage_metadata
from cyberdesk_server.executor.watch import Watch, watching
from cyberdesk_server.ports import ModelError
from cyberdesk_server.store import trajectories
from cyberdesk_server.store.claims import Claim


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
        finally:
            await execution.kit.readings.stop()
        await execution.drop_waiting()
        await execution.files.take_away()
        return ending


@dataclass
class _Execution:
    """One claim being worked on."""

    task: Task
    kit: Kit
    files: InputFiles
    replay: Replay
    trials: Trials

    @classmethod
    async def open(cls, claim: Claim, parts: ExecutorParts, watch: Watch) -> "_Execution":
        kit, task = await equipped(claim, parts, watch)
        async with parts.database.read() as conn:
            known = await trajectories.concerning(conn, claim.workflow.id, prompt_digest(task.prompt))
        replay = Replay(parts, watch, kit.eyes, task, [one for one in known if one.is_approved])
        trials = Trials(Detector(parts, watch), [one for one in known if one.is_on_trial])
        return cls(task, kit, InputFiles(claim, parts, watch), replay, trials)

    async def run(self) -> Ending:
        await self._refuse_unreadable()
        if not self.kit.journal.history:
            await self.files.bring()
        kit = self.kit
        agent = Agent(
            self.task,
            kit.parts,
            kit.watch,
            kit.eyes,
            lambda: kit.journal.history,
            replay=self.replay,
            trials=self.trials,
        )
        return await self._conclude(await Course(kit, agent).follow())

    async def _refuse_unreadable(self) -> None:
        model, claim = self.kit.parts.model, self.kit.claim
        reasons = [str(refusal) for refusal in model.check(self.task)]
        if not reasons and claim.cleanup_prompt is not None:
            cleaning = await cleaning_task(self.task, claim.cleanup_prompt, self.kit.parts.blobs)
            reasons = [f"post_run_check_failure_cleanup_prompt: {one}" for one in model.check(cleaning)]
        if reasons:
            raise RunFails(*reasons)

    async def _conclude(self, end: End) -> Ending:
        await self.kit.readings.all()
        complaints = self.kit.readings.complaints
        status = RunStatus.ERROR if complaints and end.status is RunStatus.SUCCESS else end.status
        reasons = [end.reason or "the task failed"] if status is RunStatus.TASK_FAILED else []
        reasons += complaints
        history, model = self.kit.journal.history, self.kit.parts.model
        try:
            output = await persistently(
                lambda: model.conclude(self.task, history, runtime_values(history)),
                self.kit.parts,
                self.kit.watch,
            )
        except ModelError as error:
            output = error.output
            reasons.append(str(error))
            status = RunStatus.ERROR if status is RunStatus.SUCCESS else status
        return await self.ending(status, *reasons, output_data=output)

    async def ending(self, status: RunStatus, *reasons: str, output_data: JsonObject | None = None) -> Ending:
        """The ending, without any secret in it. When the secrets cannot be opened, that is the ending."""
        try:
            error = [await self.kit.secrets.mask(reason) for reason in reasons]
            output_data = await self.kit.secrets.mask(output_data)
        except RunFails as failure:
            status, error, output_data = RunStatus.ERROR, list(failure.reasons), None
        history = self.kit.journal.history
        return Ending(
            status,
            tuple(error),
            output_data,
            usage_metadata(history, status),
            display=self.kit.eyes.size,
            trials=self.trials.told(course(history)),
        )

    async def drop_waiting(self) -> None:
        """Leave no call behind that looks as if it were still going on."""
        with suppress(RunStopped):
            await self.kit.journal.drop("not done: the run ended before")
