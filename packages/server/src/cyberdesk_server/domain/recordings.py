"""What of a trajectory comes next: recorded turns, and how far a run has followed them.

A recorded turn is a step with the screen it was decided on, and the steps behind it that were decided on the
same one. It is done again as a whole, or not at all.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cyberdesk_server.domain.geometry import Box, Point, Size
from cyberdesk_server.domain.ids import TrajectoryId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompt_lines import plain_lines
from cyberdesk_server.domain.steps import END_LOOP_ITERATION, START_LOOP, Step, StepState, ToolCall
from cyberdesk_server.domain.trajectories import Trajectory

WAIT = "wait"
NEAR_PX = 6
"""A click so near to what was pointed at is the same click."""

_POSITIONAL: Mapping[str, tuple[str, ...]] = {
    "click": ("x", "y"),
    "move": ("x", "y"),
    "type": ("text",),
    "key": ("keys",),
    "scroll": ("x", "y", "direction", "amount"),
    "drag": ("start_x", "start_y", "to_x", "to_y"),
    "execute_terminal_command": ("command",),
    "focused_action": ("instruction",),
    "start_loop": ("text",),
    "end_loop_iteration": ("text",),
}
"""The arguments of a step that is written with `args`, in order."""

_PLACES = (("x", "y"), ("start_x", "start_y"), ("to_x", "to_y"))


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """Some steps of a trajectory that were decided at once."""

    trajectory_id: TrajectoryId
    first: int
    """The number of its first step in the trajectory, from 0."""

    calls: tuple[ToolCall, ...]
    screen: str | None
    """Address of the screen it was decided on; None when there is none to compare with."""

    volatile: tuple[Box, ...] = ()
    """What changed by itself on that screen."""

    instructions: str | None = None
    """The author's own words on when the step still fits."""

    skips_detection: bool = False
    """True: the screen is not compared, because the author says so."""

    thought: str | None = None
    memo: str | None = None
    """Of the model that recorded it."""

    ended_run: bool = False
    """True when a focused action in it declared the run over: where none does, the run goes on behind it."""

    @property
    def tools(self) -> tuple[str, ...]:
        return tuple(call.tool for call in self.calls)

    def moved(self, by: Point) -> tuple[ToolCall, ...]:
        """The calls, pointing elsewhere."""
        return tuple(_moved(call, by) for call in self.calls)


def prompt_digest(prompt: str) -> str:
    """Equal for prompts that say the same, whatever their markup."""
    lines = "\n".join(f"{line.indent} {line.text}" for line in plain_lines(prompt))
    return hashlib.sha256(lines.encode()).hexdigest()


def turns_of(trajectory: Trajectory) -> tuple[RecordedTurn, ...]:
    """The turns of a trajectory, in order."""
    turns: list[RecordedTurn] = []
    for number, step in enumerate(trajectory.trajectory_data):
        snapshot = step.get("pre_check_snapshot")
        seen: JsonObject = snapshot if isinstance(snapshot, Mapping) else {}
        call = ToolCall(
            str(step.get("func_name") or step.get("action")),
            _arguments(step),
            target=next(_boxes([seen.get("target")]), None),
            anchors=tuple(_boxes(seen.get("anchors"))),
        )
        skips, screen = step.get("skip_cache_detection") is True, _text(seen.get("screenshot"))
        result = step.get("result")
        ended_run = isinstance(result, Mapping) and result.get("ended_run") is True
        if turns and skips and screen is None:
            turns[-1] = replace(turns[-1], calls=(*turns[-1].calls, call), ended_run=ended_run)
            continue
        turns.append(
            RecordedTurn(
                trajectory.id,
                number,
                (call,),
                screen,
                volatile=tuple(_boxes(seen.get("volatile"))),
                instructions=_text(seen.get("custom_cache_detection_instructions")),
                skips_detection=skips,
                thought=_text(seen.get("last_agent_thought")),
                memo=_text(seen.get("memo")),
                ended_run=ended_run,
            )
        )
    return tuple(turns)


def size_of(trajectory: Trajectory) -> Size:
    return Size(trajectory.dimensions["width"], trajectory.dimensions["height"])


def next_turn(turns: Sequence[RecordedTurn], history: Sequence[Step]) -> int | None:
    """How many of the turns a run with this journal has done: the number of the one that comes next.

    None when the run went another way, stands in the middle of a turn, or goes on where the recorded one was
    declared over. Waits do not count: a program was
    slower or faster than it was.
    """
    recorded = [(number, call) for number, turn in enumerate(turns) for call in turn.calls]
    done = [step for step in history if step.state is StepState.DONE and _leads_on(step)]
    at = 0
    for step in done:
        if step.call.tool == WAIT:
            at += at < len(recorded) and recorded[at][1] == step.call
            continue
        while at < len(recorded) and recorded[at][1].tool == WAIT:
            at += 1
        if at == len(recorded) or not _is_same(recorded[at][1], step, turns[recorded[at][0]]):
            return None
        at += 1
        if step.call.tool == START_LOOP:
            behind = _behind_loop(recorded, at)
            goes_round = bool((step.result or {}).get("items"))
            if goes_round and behind is None:
                return None  # there was nothing to loop over when it was recorded
            at = at if goes_round or behind is None else behind
    if at == len(recorded):
        return None if turns and turns[-1].ended_run else len(turns)
    number = recorded[at][0]
    return number if at == 0 or recorded[at - 1][0] != number else None


def _behind_loop(recorded: Sequence[tuple[int, ToolCall]], at: int) -> int | None:
    """Where the recording goes on behind the loop whose first round begins there; None when none does."""
    for place, (_, call) in enumerate(recorded[at:], start=at):
        if call.tool == END_LOOP_ITERATION:
            return place + 1
        if call.tool == START_LOOP:
            break
    return None


def _leads_on(step: Step) -> bool:
    """Whether a trajectory would keep it; a look that reads nothing leads nowhere."""
    return step.call.tool != "screenshot" or bool(step.call.arguments.get("extract_prompt"))


def _is_same(recorded: ToolCall, step: Step, turn: RecordedTurn) -> bool:
    done = step.call
    if recorded.tool != done.tool:
        return False
    if step.is_cached and step.detection is not None and step.detection.trajectory_id == turn.trajectory_id:
        return step.detection.step == turn.first
    if recorded.tool == "upsert_runtime_values":
        return _names(recorded) == _names(done)
    return _without_places(recorded) == _without_places(done) and _points_alike(recorded, done)


def _names(call: ToolCall) -> set[str]:
    values = call.arguments.get("values")
    return set(values) if isinstance(values, Mapping) else set()


def _without_places(call: ToolCall) -> JsonObject:
    places = {name for pair in _PLACES for name in pair}
    return {name: value for name, value in call.arguments.items() if name not in places}


def _points_alike(recorded: ToolCall, done: ToolCall) -> bool:
    for number, (before, after) in enumerate(zip(places_of(recorded), places_of(done), strict=True)):
        box = recorded.target if number == 0 and recorded.target else Box(*before, before.x + 1, before.y + 1)
        near = Box(box.left - NEAR_PX, box.top - NEAR_PX, box.right + NEAR_PX, box.bottom + NEAR_PX)
        if not near.contains(after):
            return False
    return True


def places_of(call: ToolCall) -> tuple[Point, ...]:
    """The places a call names, such as start and end of a drag."""
    return tuple(
        Point(x, y)
        for across, down in _PLACES
        if isinstance(x := call.arguments.get(across), int) and isinstance(y := call.arguments.get(down), int)
    )


def _moved(call: ToolCall, by: Point) -> ToolCall:
    arguments = dict(call.arguments)
    for across, down in _PLACES:
        x, y = arguments.get(across), arguments.get(down)
        if isinstance(x, int) and isinstance(y, int):
            arguments |= {across: x + by.x, down: y + by.y}
    target = call.target and call.target.moved(by)
    return replace(
        call, arguments=arguments, target=target, anchors=tuple(box.moved(by) for box in call.anchors)
    )


def _arguments(step: JsonObject) -> JsonObject:
    """The arguments of a step by name, in whichever of the documented ways it is written."""
    named, listed = step.get("kwargs"), step.get("args")
    if "func_name" not in step:
        return {name: value for name, value in step.items() if name not in _NOT_ARGUMENTS}
    names = _POSITIONAL.get(str(step["func_name"]), ())
    by_place = dict(zip(names, listed, strict=False)) if isinstance(listed, list | tuple) else {}
    return {**by_place, **(named if isinstance(named, Mapping) else {})}


_NOT_ARGUMENTS = frozenset(
    {"action", "args", "kwargs", "pre_check_snapshot", "skip_cache_detection", "result"}
)


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None


def _boxes(value: JsonValue) -> Iterator[Box]:
    """The boxes in a list; what is none is passed over."""
    for item in value if isinstance(value, list | tuple) else ():
        match item:
            case [int(left), int(top), int(right), int(bottom)]:
                yield Box(left, top, right, bottom)
