"""The journal of the run in hand: every turn and every result, in the store first and then in memory."""

from collections.abc import Sequence
from dataclasses import replace

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.ids import StepId
from cyberdesk_server.domain.steps import Detection, Step, StepState, ToolCall, Turn, in_order
from cyberdesk_server.executor.arguments import Fill, fill_of
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.secrets import RunSecrets
from cyberdesk_server.executor.signals import RunStopped
from cyberdesk_server.executor.tools import TOOLS
from cyberdesk_server.executor.tools.base import Outcome, OutputFile
from cyberdesk_server.executor.watch import OWN_NEWS
from cyberdesk_server.ports import Message
from cyberdesk_server.store import attachments, steps
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.topics import run_topic


class RunJournal:
    """Writes under the claim's attempt: a worker that lost the run changes nothing and gets `RunStopped`.

    What comes from a model or a desktop is masked here, so that no secret reaches a row.
    """

    def __init__(
        self, claim: Claim, parts: ExecutorParts, secrets: RunSecrets, history: tuple[Step, ...]
    ) -> None:
        self._claim = claim
        self._parts = parts
        self._secrets = secrets
        self._history = history

    @property
    def history(self) -> tuple[Step, ...]:
        """Every step, `in_order`."""
        return self._history

    async def begin(
        self,
        number: int,
        turn: Turn,
        screen: str | None,
        *,
        within: StepId | None = None,
        detection: Detection | None = None,
        is_cached: bool = False,
        volatile: tuple[Box, ...] = (),
    ) -> None:
        """Write the calls of turn `number`, before any of them is carried out.

        `within` is the step they are parts of. `detection` is what was said of a recording of the turn,
        `is_cached` whether no model was asked for it.
        """
        now = self._parts.clock.now()
        thought = await self._secrets.mask(turn.thought)
        memo = await self._secrets.mask_memo(turn.memo)
        begun = [
            Step(
                id=StepId(self._parts.new_id()),
                run_id=self._claim.run.id,
                number=len(self._history) + position,
                turn=number,
                within=within,
                call=await self._masked(call),
                started_at=now,
                thought=thought if position == 1 else None,
                memo=memo,
                screen=screen,
                is_cached=is_cached,
                detection=detection,
                volatile=volatile if position == 1 else (),
            )
            for position, call in enumerate(turn.calls, start=1)
        ]
        async with self._parts.database.transaction() as conn:
            for step in begun:
                if not await steps.begin(conn, step, self._claim.attempt):
                    raise RunStopped
        self._history = in_order((*self._history, *begun))
        await self._tell(begun[0])

    async def _masked(self, call: ToolCall) -> ToolCall:
        tool = TOOLS.get(call.tool)
        fills = fill_of(tool.arguments) if tool else {}
        typed = {name for name, fill in fills.items() if fill is Fill.SECRETS_TOO}
        return replace(
            call,
            tool=await self._secrets.mask(call.tool),
            arguments=await self._secrets.mask_arguments(call.arguments, typed=typed),
        )

    async def complete(self, step: Step, outcome: Outcome) -> Step:
        """The step as it is written: with what the call answered and, in the same transaction, the file it
        made."""
        done = replace(
            step,
            state=StepState.DONE,
            result=await self._secrets.mask(outcome.result),
            images=outcome.images,
        )
        (written,) = await self._write([done], outcome.file)
        return written

    async def complete_reading(self, step: Step, outcome: Outcome) -> None:
        """Write what was read in the background from the picture of a step that is done."""
        await self._write_reading(replace(step, result=await self._secrets.mask(outcome.result)))

    async def fail_reading(self, step: Step, reason: str) -> None:
        """Write why nothing was read in the background."""
        error = await self._secrets.mask(reason)
        await self._write_reading(replace(step, state=StepState.FAILED, result={}, error=error))

    async def _write_reading(self, step: Step) -> None:
        read_at = self._parts.clock.now().isoformat()
        await self._write([replace(step, result={**(step.result or {}), "read_at": read_at})])

    async def fail(self, step: Step, reason: str, rest: Sequence[Step] = ()) -> None:
        """Write why a call failed; with it, the rest of its turn is dropped."""
        await self._fail(StepState.FAILED, step, reason, rest)

    async def break_off(self, step: Step, reason: str, rest: Sequence[Step]) -> None:
        """Write why the run cannot go on after this call: no worker asks the model what to do instead."""
        await self._fail(StepState.BROKEN, step, reason, rest)

    async def drop(self, reason: str) -> None:
        """Write that the calls which are still waiting will not be carried out."""
        waiting = [step for step in self._history if step.state is StepState.STARTED]
        if waiting:
            await self._write(_dropped(waiting, reason))

    async def _fail(self, state: StepState, step: Step, reason: str, rest: Sequence[Step]) -> None:
        failed = replace(step, state=state, error=await self._secrets.mask(reason))
        await self._write([failed, *_dropped(rest, f"not done, because step {step.number} failed")])

    async def _write(self, ended: Sequence[Step], file: OutputFile | None = None) -> Sequence[Step]:
        now = self._parts.clock.now()
        ended = [replace(step, finished_at=step.finished_at or now) for step in ended]
        async with self._parts.database.transaction() as conn:
            for step in ended:
                if not await steps.complete(conn, step, self._claim.attempt):
                    raise RunStopped
            if file is not None:
                await attachments.add_output(
                    conn,
                    run_id=self._claim.run.id,
                    attempt=self._claim.attempt,
                    filename=file.filename,
                    content_type=file.content_type,
                    size_bytes=file.size_bytes,
                    blob_key=file.blob_key,
                    now=now,
                )
        by_id = {step.id: step for step in ended}
        self._history = tuple(by_id.get(step.id, step) for step in self._history)
        await self._tell(ended[-1])
        return ended

    async def _tell(self, step: Step) -> None:
        """Wake whoever watches this run."""
        await self._parts.bus.publish(run_topic(self._claim.run.id), Message({OWN_NEWS: step.number}))


def _dropped(waiting: Sequence[Step], reason: str) -> list[Step]:
    return [replace(step, state=StepState.FAILED, error=reason) for step in waiting]
