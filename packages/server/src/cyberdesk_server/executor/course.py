"""A course of turns: a run's own, or that of a step which is made of steps.

follow
 +-- _ask          the decider's next turn, into the journal
 +-- _carry_out    one call: placeholders filled in, tool run, result into the journal
      +-- a tool may follow a course of its own, `within` its step
"""

from collections.abc import Mapping
from dataclasses import replace

from cyberdesk_server.domain.ids import StepId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import DONE_BY_ITSELF, Step, ToolCall, Turn, course, is_being_read
from cyberdesk_server.executor.arguments import fill_of, parse
from cyberdesk_server.executor.deciding import Decided, Decider, NoDecision
from cyberdesk_server.executor.filling import filled_arguments
from cyberdesk_server.executor.kit import Kit
from cyberdesk_server.executor.moves import AskModel, CarryOut, End, GiveUp, next_move, runtime_values
from cyberdesk_server.executor.secrets import types_a_secret
from cyberdesk_server.executor.signals import RunFails, ToolFailed
from cyberdesk_server.executor.tools import TOOLS
from cyberdesk_server.executor.tools.base import Bench, Outcome, Tool


class Course:
    """One course, followed to its end."""

    def __init__(self, kit: Kit, decider: Decider, within: StepId | None = None) -> None:
        """`within` is the step it is the course of; None for the run's own."""
        self._kit = kit
        self._decider = decider
        self._within = within

    async def follow(self) -> End:
        """How it ended. What its decider said last is the reason, unless the run was declared over.

        Raises `RunFails` when the run cannot go on, `ToolFailed` when its decider gives it up.
        """
        journal = self._kit.journal
        while True:
            self._kit.watch.check()
            match next_move(journal.history, self._within):
                case End() as end:
                    return end
                case GiveUp(reason):
                    raise RunFails(reason)
                case CarryOut(step, rest):
                    await self._carry_out(step, rest)
                case AskModel(number):
                    decided = await self._ask(number)
                    if not decided.turn.calls:
                        return End(RunStatus.SUCCESS, decided.turn.thought)
                    await self._begin(number, decided)

    async def _ask(self, number: int) -> Decided:
        await self._kit.readings.of_turns()
        try:
            return await self._decider.decide(course(self._kit.journal.history, self._within))
        except NoDecision as error:
            # Let the history show the screen on which the model gave up.
            await self._begin(number, Decided(Turn((ToolCall("screenshot"),)), error.screenshot))
            shown = course(self._kit.journal.history, self._within)[-1]
            await self._kit.journal.fail(shown, str(error))
            raise RunFails(str(error)) from error

    async def _begin(self, number: int, decided: Decided) -> None:
        screenshot = decided.screenshot
        await self._kit.journal.begin(
            number,
            replace(decided.turn, calls=tuple(map(self._asked_for, decided.turn.calls))),
            None if screenshot is None else await self._kit.eyes.keep(screenshot),
            within=self._within,
            detection=decided.detection,
            is_cached=decided.is_cached,
            volatile=(*decided.volatile, *(screenshot.covered if screenshot else ())),
        )

    def _asked_for(self, call: ToolCall) -> ToolCall:
        """The call, by another name when it is one of those that no model can ask for."""
        is_known = call.tool not in DONE_BY_ITSELF or call.tool in self._decider.own_tools
        return call if is_known else replace(call, tool=f"{call.tool} (of the server)")

    async def _carry_out(self, step: Step, rest: tuple[Step, ...]) -> None:
        journal = self._kit.journal
        step = replace(step, started_at=self._kit.parts.clock.now())
        try:
            outcome = await self._perform(step)
        except ToolFailed as failure:
            await journal.fail(step, str(failure), rest)
        except RunFails as failure:
            await journal.break_off(step, str(failure), rest)
            raise
        else:
            done = await journal.complete(step, outcome)
            if is_being_read(done):
                self._kit.readings.begin(done)

    async def _perform(self, step: Step) -> Outcome:
        tools = self._tools
        tool = tools.get(step.call.tool)
        if tool is None:
            raise ToolFailed(f"there is no tool {step.call.tool}; there are: {', '.join(tools)}")
        kit, task = self._kit, self._decider.task
        # What a worker before this one has typed may still be about to show, whatever comes of the repeat.
        if tool.is_action and not (step.id in kit.repeated and types_a_secret(step)):
            kit.eyes.stir()
        filled = filled_arguments(
            step.call.arguments, fill_of(tool.arguments), task.inputs, runtime_values(kit.journal.history)
        )
        bench = Bench(
            step=step,
            task=task,
            parts=kit.parts,
            watch=kit.watch,
            eyes=kit.eyes,
            secrets=kit.secrets,
            is_repeat=step.id in kit.repeated,
            workflow_id=kit.claim.workflow.id,
            command_allowlist=kit.claim.workflow.terminal_command_allowlist,
            steps=lambda: kit.journal.history,
            follow=lambda decider: Course(kit, decider, step.id).follow(),
        )
        return await tool.run(bench, parse(tool.arguments, filled))

    @property
    def _tools(self) -> Mapping[str, Tool]:
        offered = {name: tool for name, tool in TOOLS.items() if name not in self._decider.withheld}
        return {**offered, **self._decider.own_tools}
