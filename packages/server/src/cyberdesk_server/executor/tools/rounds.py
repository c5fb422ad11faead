"""The rounds of a loop after the first: what was done in that is replayed, for one item after another.

decide
 +-- the next item         when a round is over
 +-- a recorded turn       that fits the screen
 +-- a focused action      which ends the round by hand, once, when none does
 +-- nothing               behind the last round, or when that has failed as well
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.ids import TrajectoryId
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.prompts import LOOP_ITEM, escape
from cyberdesk_server.domain.steps import (
    END_LOOP_ITERATION,
    FOCUSED_ACTION,
    NEXT_LOOP_ITEM,
    START_LOOP,
    Step,
    StepState,
    ToolCall,
    Turn,
)
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.domain.trajectories import Trajectory, dimensions, recorded
from cyberdesk_server.executor.arguments import Between
from cyberdesk_server.executor.deciding import OVER, Decided
from cyberdesk_server.executor.moves import runtime_values
from cyberdesk_server.executor.replay.replay import Replay
from cyberdesk_server.executor.tools.base import Bench, Outcome, Tool


@dataclass(frozen=True)
class Rounds:
    """A `Decider` of the course that `end_loop_iteration` is made of."""

    bench: Bench
    items: Sequence[JsonValue]
    first_round: Sequence[Step]
    """What the model has done by hand, for the first item."""

    display: Size

    withheld = frozenset({START_LOOP, END_LOOP_ITERATION})

    @property
    def task(self) -> Task:
        return self.bench.task

    @property
    def own_tools(self) -> Mapping[str, Tool]:
        return {NEXT_LOOP_ITEM: self._next_item}

    async def decide(self, own: Sequence[Step]) -> Decided:
        steps = _last_round(own)
        if steps is None:
            return self._round_after(own)
        repair = next((step for step in steps if _is_repair(step)), None)
        if repair is not None:
            return OVER if repair.state is StepState.FAILED else self._round_after(own)
        failed = next((step for step in steps if step.state is StepState.FAILED), None)
        if failed is not None:
            return self._repair(steps, f"{failed.call.tool} failed: {failed.error}")
        if not self._trajectory.trajectory_data:
            return self._round_after(own)
        offer = await self._replay.next_turn(steps, runtime_values(self.bench.steps()))
        if offer.turn is None:
            why = offer.detection.reason if offer.detection else "nothing that was done before comes next"
            repair_it = self._repair(steps, why)
            return Decided(repair_it.turn, offer.screenshot, offer.detection)
        if not offer.turn.calls:
            return self._round_after(own)
        return Decided(offer.turn, offer.screenshot, offer.detection, True, offer.volatile)

    def done(self, own: Sequence[Step]) -> tuple[Sequence[Step], str | None]:
        """The last step of each round that is over, the first aside; and why there are no more, if not all
        are."""
        starts = [place for place, step in enumerate(own) if step.call.tool == NEXT_LOOP_ITEM]
        ends = [own[place - 1] for place in starts[1:]] + ([own[-1]] if starts else [])
        stopped = own[-1].error if own and _is_repair(own[-1]) else None
        return (ends[:-1] if stopped else ends), stopped

    def _round_after(self, own: Sequence[Step]) -> Decided:
        number = 1 + sum(step.call.tool == NEXT_LOOP_ITEM for step in own)
        if number >= len(self.items):
            return OVER
        return Decided(Turn((ToolCall(NEXT_LOOP_ITEM, {"index": number}),)), is_cached=True)

    def _repair(self, steps: Sequence[Step], why: str) -> Decided:
        instruction = "\n".join(
            [
                f"A loop does the same for one item after another. This round is for {{{{{LOOP_ITEM}}}}}. "
                "Its steps were done in an earlier round and are replayed, and now they cannot go on.",
                f"Why: {escape(why)}",
                "The steps of a round:",
                *map(_told, self.first_round),
                f"Done of them in this round: {len(steps)}.",
                "Do the rest of this round, then leave the screen as a round begins, so that the next can be "
                "replayed. Answer what came of the round.",
            ]
        )
        return Decided(Turn((ToolCall(FOCUSED_ACTION, {"instruction": instruction}),)))

    @cached_property
    def _replay(self) -> Replay:
        bench = self.bench
        return Replay(bench.parts, bench.watch, bench.eyes, bench.task, [self._trajectory])

    @cached_property
    def _trajectory(self) -> Trajectory:
        """The first round as a recording. Its id is that of the step, for it is kept nowhere else."""
        now = self.bench.parts.clock.now()
        return Trajectory(
            id=TrajectoryId(self.bench.step.id),
            organization_id=self.task.organization_id,
            workflow_id=self.bench.workflow_id,
            trajectory_data=recorded(self.first_round),
            dimensions=dimensions(self.display),
            created_at=now,
            updated_at=now,
        )

    @property
    def _next_item(self) -> Tool:
        @dataclass(frozen=True, slots=True)
        class Index:
            index: Annotated[int, "Of the item, from 0.", Between(0, len(self.items) - 1)]

        async def next_item(bench: Bench, arguments: Index) -> Outcome:
            said = f"round {arguments.index + 1} of {len(self.items)}"
            return Outcome(said, runtime_values={LOOP_ITEM: self.items[arguments.index]})

        return Tool(NEXT_LOOP_ITEM, "The next round begins.", Index, next_item)


def _last_round(own: Sequence[Step]) -> Sequence[Step] | None:
    """The steps of the round that is going on; None before the second one."""
    starts = [place for place, step in enumerate(own) if step.call.tool == NEXT_LOOP_ITEM]
    return own[starts[-1] + 1 :] if starts else None


def _is_repair(step: Step) -> bool:
    """A focused action nobody has recorded."""
    return step.call.tool == FOCUSED_ACTION and not step.is_cached


def _told(step: Step) -> str:
    return f"- {step.call.tool} {json.dumps(dict(step.call.arguments), ensure_ascii=False)}"
