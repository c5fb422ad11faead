"""The recorded turns of a run's workflow, offered to the loop one after another while they fit.

    next_turn
     +-- _on_the_way      which recorded turns can come next, from the journal alone
     +-- _watch_for       looks at the screen until one of them fits, or it has been still for too long
          +-- _offer      one of them on one screen: the guard, and the way of the prompt

What is decided here is written into the journal before it is done, like what a model decides: a worker that
takes over goes on from there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice

from cyberdesk_server.domain.geometry import Box, Point, Size
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.recordings import (
    WAIT,
    RecordedTurn,
    next_turn,
    size_of,
    turns_of,
)
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import END_LOOP_ITERATION, START_LOOP, Detection, Step, StepState, Turn
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.domain.trajectories import Trajectory
from cyberdesk_server.executor.eyes import Eyes
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.replay.detector import Detector
from cyberdesk_server.executor.watch import Watch
from cyberdesk_server.ports import ModelError, Retrace, Retracer

RUNTIME_VALUES = "upsert_runtime_values"
_NEEDS_NO_SCREEN = frozenset({WAIT, RUNTIME_VALUES, START_LOOP, END_LOOP_ITERATION})
_READS = frozenset({"screenshot"})
_MOST_OPTIONS = 3
"""Recorded turns that are compared with one screen."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What replay has for the loop."""

    turn: Turn | None = None
    """To be done without a model; without calls the run is done. None: the model is asked."""

    screenshot: Screenshot | None = None
    """The screen it was decided on, or the model is to be asked on; None when there was no need to look."""

    detection: Detection | None = None
    """What was said of a recorded turn; None when there was none to compare."""

    volatile: tuple[Box, ...] = ()
    """What moves by itself on the screen, as it was recorded."""


NOTHING = Offer()


@dataclass(frozen=True, slots=True)
class _Option:
    turn: RecordedTurn
    size: Size
    needs_a_look: bool
    """True when the screen decides whether the prompt gets there."""

    behind: RecordedTurn | None
    """What was done before it when it was recorded, waits aside."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A run so far."""

    history: Sequence[Step]
    runtime_values: Mapping[str, JsonValue]

    @property
    def last_turn_failed(self) -> bool:
        return any(step.state is not StepState.DONE for step in self.history if self._is_last(step))

    @property
    def was_replayed_last(self) -> bool:
        return bool(self.history) and self.history[-1].is_cached

    def _is_last(self, step: Step) -> bool:
        return step.turn == self.history[-1].turn


class Replay:
    """One run's way along its trajectories."""

    def __init__(
        self,
        parts: ExecutorParts,
        watch: Watch,
        eyes: Eyes,
        task: Task,
        candidates: Sequence[Trajectory] = (),
    ) -> None:
        """`candidates` are approved and made for this prompt, in the order in which they are tried."""
        self._parts = parts
        self._watch = watch
        self._eyes = eyes
        self._task = task
        self._candidates = [(size_of(one), turns_of(one)) for one in candidates]
        self._model = parts.model if isinstance(parts.model, Retracer) else None
        self._detector = Detector(parts, watch)
        self._acted_on: str | None = None
        self._done: tuple[RecordedTurn, Screenshot] | None = None
        """The recorded turn that was done last, and on which screen; None once a model has done something."""

    async def next_turn(self, history: Sequence[Step], runtime_values: Mapping[str, JsonValue]) -> Offer:
        """The recorded turn that comes next and fits the screen, or why the model is to be asked."""
        run = _Run(history, runtime_values)
        self._done = self._done if run.was_replayed_last else None
        if not self._candidates or run.last_turn_failed:
            return NOTHING
        options = list(islice(self._on_the_way(run), _MOST_OPTIONS))
        if not options:
            return await self._end(run)
        first = options[0].turn
        if _NEEDS_NO_SCREEN.issuperset(first.tools):
            detection = _detection(first, "it does not depend on the screen", 0.0, is_hit=True)
            return Offer(self._again(first), None, detection)
        offer = await self._watch_for(options, run)
        self._acted_on = offer.screenshot.digest if offer.screenshot else None
        return offer

    def _on_the_way(self, run: _Run) -> Iterator[_Option]:
        """The recorded turns that can come next, in the order of the candidates."""
        for size, turns in self._candidates:
            if self._eyes.size not in (None, size):
                continue
            if self._model is not None:
                yield from self._on_the_way_of(self._model, size, turns, run)
                continue
            number = next_turn(turns, run.history)
            # Values that a model wrote down belong to the run it saw them in.
            if number is not None and number < len(turns) and RUNTIME_VALUES not in turns[number].tools:
                yield _Option(turns[number], size, needs_a_look=False, behind=_before(turns, number))

    def _on_the_way_of(
        self, model: Retracer, size: Size, turns: Sequence[RecordedTurn], run: _Run
    ) -> Iterator[_Option]:
        for number, turn in enumerate(turns):
            retrace = model.retrace(self._task, run.history, run.runtime_values, turn)
            if retrace is not Retrace.NEVER:
                needs_a_look = retrace is Retrace.ON_A_LOOK
                yield _Option(turn, size, needs_a_look, behind=_before(turns, number))

    async def _end(self, run: _Run) -> Offer:
        """The end of the run, when its last recorded turn was just done again and nothing is left to do."""
        if not run.was_replayed_last:
            return NOTHING
        if self._model is None:
            is_over = any(next_turn(turns, run.history) == len(turns) for _, turns in self._candidates)
            return Offer(Turn()) if is_over else NOTHING
        match self._model.retrace(self._task, run.history, run.runtime_values, None):
            case Retrace.SURELY:
                return Offer(Turn())
            case Retrace.ON_A_LOOK:
                screenshot = await self._eyes.look_when_still()
                is_over = await self._gets_there(None, run, screenshot)
                return Offer(Turn() if is_over else None, screenshot)
            case Retrace.NEVER:
                return NOTHING

    async def _watch_for(self, options: Sequence[_Option], run: _Run) -> Offer:
        """The first of the options that fits, as soon as the screen is still enough to tell."""
        clock, limits = self._parts.clock, self._parts.limits
        # What was done last may be loading; where a model did it, it was the model's to wait.
        patience = limits.replay_loading_seconds if self._done else limits.replay_patience_seconds
        began = clock.now()
        before: Screenshot | None = None
        missed = NOTHING
        while True:
            now = await self._eyes.look()
            looked_at = clock.now()
            if all(option.size != now.size for option in options):
                return _of_another_display(options[0], now)
            waited = (clock.now() - began) / timedelta(seconds=1)
            is_first_chance = before is None or before.digest != now.digest
            # What looks as it did before the last action may be about to change.
            may_react = now.digest == self._acted_on and waited < limits.look_pause_seconds
            is_still = (
                before is not None
                and not may_react
                and await self._detector.is_still(before, now, options[0].turn.volatile)
            )
            if is_first_chance or is_still:
                missed = replace(missed, screenshot=now)
                for option in options:
                    offer = await self._offer(option, run, now, is_still=is_still)
                    if offer.turn is not None:
                        return offer
                    missed = offer if offer.detection else missed
            if waited >= (patience if is_still else max(patience, limits.still_screen_seconds)):
                return missed
            before = now
            compared_seconds = (clock.now() - looked_at) / timedelta(seconds=1)
            await self._watch.sleep(max(limits.replay_pause_seconds - compared_seconds, 0.0))

    async def _offer(self, option: _Option, run: _Run, screenshot: Screenshot, *, is_still: bool) -> Offer:
        """The turn of the option when it fits; else a detection that says why not, or none while it is open.

        A screen that is as it was recorded need not be seen twice: there is nothing left to wait for.
        """
        turn = option.turn
        if option.size != screenshot.size:
            return NOTHING
        verdict, milliseconds = await self._detector.verdict(turn, screenshot, is_still=is_still)
        detection = _detection(turn, verdict.reason, milliseconds, is_hit=verdict.is_hit)
        if not verdict.is_hit:
            return Offer(None, screenshot, detection)
        if not (verdict.is_as_recorded or is_still):
            return NOTHING
        is_open = option.needs_a_look and not verdict.is_as_recorded
        if is_open and not await self._gets_there(turn, run, screenshot):
            reason = "on this screen the prompt goes elsewhere"
            return Offer(None, screenshot, replace(detection, is_hit=False, reason=reason))
        if not (verdict.is_as_recorded or await self._has_reacted(option, screenshot, verdict.shift)):
            reason = "the screen has not changed as it did after the step before"
            return Offer(None, screenshot, replace(detection, is_hit=False, reason=reason))
        self._done = turn, screenshot
        return Offer(self._again(turn, verdict.shift), screenshot, detection, turn.volatile)

    async def _has_reacted(self, option: _Option, screenshot: Screenshot, shift: Point) -> bool:
        if option.turn.skips_detection or self._done is None:
            return True
        done, since = self._done
        if done != option.behind:
            return True  # what came between the two was never recorded
        if _READS.issuperset(done.tools):
            return True  # a clock may have ticked meanwhile
        return await self._detector.has_reacted(done, since, option.turn, screenshot, shift)

    async def _gets_there(self, turn: RecordedTurn | None, run: _Run, screenshot: Screenshot) -> bool:
        assert self._model is not None
        try:
            return await self._watch.unless_stopped(
                self._model.retrace_on(self._task, run.history, run.runtime_values, turn, screenshot)
            )
        except ModelError:
            return False

    def _again(self, turn: RecordedTurn, shift: Point | None = None) -> Turn:
        """The recorded turn. A model that knows its way goes on from its memo; to any other it is no turn of
        its own."""
        memo = turn.memo if self._model is not None else None
        return Turn(turn.moved(shift) if shift else turn.calls, turn.thought, memo)


def _of_another_display(option: _Option, screenshot: Screenshot) -> Offer:
    recorded, now = (f"{size.width}x{size.height}" for size in (option.size, screenshot.size))
    reason = f"it was recorded on a display of {recorded}, this one is {now}"
    return Offer(None, screenshot, _detection(option.turn, reason, 0.0, is_hit=False))


def _before(turns: Sequence[RecordedTurn], number: int) -> RecordedTurn | None:
    return next((turn for turn in reversed(turns[:number]) if turn.tools != (WAIT,)), None)


def _detection(turn: RecordedTurn, reason: str, milliseconds: float, *, is_hit: bool) -> Detection:
    return Detection(is_hit, reason, round(milliseconds, 1), turn.trajectory_id, turn.first)
