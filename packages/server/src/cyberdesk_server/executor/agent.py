"""The agent: asks the model for each turn, or does a recorded one again that fits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cyberdesk_server.domain.steps import Step, StepState
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.asking import persistently
from cyberdesk_server.executor.deciding import OVER, Decided, NoDecision
from cyberdesk_server.executor.eyes import Eyes
from cyberdesk_server.executor.moves import asked_turns, failures_in_a_row, runtime_values
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.replay.replay import NOTHING, Replay
from cyberdesk_server.executor.replay.trials import Trials
from cyberdesk_server.executor.signals import ExecutorSignal, RunFails
from cyberdesk_server.executor.watch import Watch
from cyberdesk_server.ports import ModelError

if TYPE_CHECKING:
    from cyberdesk_server.executor.tools.base import Tool


@dataclass(frozen=True)
class Agent:
    """A `Decider` that carries out a task."""

    task: Task
    parts: ExecutorParts
    watch: Watch
    eyes: Eyes
    steps: Callable[[], tuple[Step, ...]]
    """Every step of the run so far, in order."""

    replay: Replay | None = None
    trials: Trials | None = None
    withheld: frozenset[str] = frozenset()
    own_tools: "Mapping[str, Tool]" = field(default_factory=dict)
    most_turns: int | None = None
    """Of this course; those of the run have their own limit."""

    given_up: Callable[[str], ExecutorSignal] = RunFails
    """What is raised when the course leads nowhere."""

    async def decide(self, own: Sequence[Step]) -> Decided:
        model, limits = self.parts.model, self.parts.limits
        if model.has_finished(self.task, own):
            return OVER
        if failures_in_a_row(own) >= limits.max_failures_in_a_row:
            last = _last_error(own)
            raise self.given_up(f"{limits.max_failures_in_a_row} turns failed in a row; the last: {last}")
        steps = self.steps()
        offer = await self.replay.next_turn(own, runtime_values(steps)) if self.replay else NOTHING
        if offer.turn is not None:
            return Decided(offer.turn, offer.screenshot, offer.detection, True, offer.volatile)
        if self.most_turns is not None and asked_turns(own) >= self.most_turns:
            raise self.given_up(f"it took more than {self.most_turns} turns")
        if asked_turns(steps) >= limits.max_turns:
            raise RunFails(f"the run took more than its limit of {limits.max_turns} turns")
        screenshot = offer.screenshot or await self.eyes.look_at_rest()
        self.eyes.rest()
        if self.trials:
            await self.trials.look(own, screenshot)
        try:
            turn = await persistently(
                lambda: model.next_turn(self.task, own, runtime_values(steps), screenshot),
                self.parts,
                self.watch,
            )
        except ModelError as error:
            raise NoDecision(str(error), screenshot) from error
        volatile = () if offer.screenshot else self.eyes.volatile
        return Decided(turn, screenshot, offer.detection, volatile=volatile)


def _last_error(own: Sequence[Step]) -> str:
    failed = (step for step in reversed(own) if step.state is StepState.FAILED and step.finished_at)
    return next(step.error for step in failed if step.error)
