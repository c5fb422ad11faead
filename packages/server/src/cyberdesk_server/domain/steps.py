"""The journal of a run: which tool calls a model asked for, and what became of them.

The rows of the journal *are* the run. Message history, screenshots, usage counters and
trajectories are views of them, and a worker that takes a run over continues from them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.ids import RunId, StepId, TrajectoryId
from cyberdesk_server.domain.json import JsonObject, JsonValue

FOCUSED_ACTION = "focused_action"
START_LOOP = "start_loop"
END_LOOP_ITERATION = "end_loop_iteration"
NEXT_LOOP_ITEM = "next_loop_item"
"""What a loop does by itself at the beginning of a round."""

CLEAN_UP = "clean_up"
"""What the server does by itself when a post-run check has failed."""

DONE_BY_ITSELF = frozenset({NEXT_LOOP_ITEM, CLEAN_UP})
"""What no model asks for."""

MADE_OF_STEPS = frozenset({FOCUSED_ACTION, END_LOOP_ITERATION, CLEAN_UP})
"""Tools whose calls are courses of their own, with steps `within` theirs."""

BEING_READ = "it is being read in the background"
"""The result of a look whose reading goes on while the run does."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool, as a model asks for it and as a trajectory keeps it.

    Texts inside `arguments` hold placeholders (`{x}`, `{{x}}`, `{$x}`), never the values.
    """

    tool: str
    arguments: JsonObject = field(default_factory=dict)
    target: Box | None = None
    """Where on the screen the call aims, when the model knows; drawn as a marker in reports."""

    anchors: tuple[Box, ...] = ()
    """What it was found by, when the model knows: the label of a field, the name in a row."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a model answers: a thought, and the tool calls that come next.

    A turn without calls ends the run with success.
    """

    calls: tuple[ToolCall, ...] = ()
    thought: str | None = None
    """Plain words for the reader of the history."""

    memo: str | None = None
    """The model's own state after this turn: opaque, kept in the journal, handed back with the history."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What an extraction read from a screen."""

    text: str
    """What was read, in plain words."""

    output: Mapping[str, JsonValue] = field(default_factory=dict)
    """Values for the run's output, by dotted path (`demographics.dateOfBirth`)."""

    runtime_values: Mapping[str, JsonValue] = field(default_factory=dict)
    """Values for `{{name}}`, by name."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What was said of a recorded turn before it was done again, or before the model was asked instead."""

    is_hit: bool
    reason: str
    milliseconds: float
    """For the comparison of the screens alone."""

    trajectory_id: TrajectoryId
    step: int
    """The number of the turn's first step in the trajectory, from 0."""


class StepState(StrEnum):
    STARTED = "started"
    """Written before the call is carried out. After a takeover: to be asked for again by the same id."""
    DONE = "done"
    FAILED = "failed"
    """The tool answered with an error; the model reads it and goes on."""
    BROKEN = "broken"
    """The run cannot go on after this call: whoever has the run now ends it with the call's error."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the journal: one tool call of one turn."""

    id: StepId
    run_id: RunId
    number: int
    """1, 2, 3, … inside the run."""

    turn: int
    """Which turn of its course it belongs to: 1, 2, 3, …"""

    call: ToolCall
    started_at: datetime
    """When it was written down; once it has ended, when it was begun."""

    state: StepState = StepState.STARTED
    thought: str | None = None
    """Of the turn; on its first step only."""

    within: StepId | None = None
    """The step it is a part of, such as a focused action; None in the run's own course."""

    memo: str | None = None
    """Of the turn; on every step of it."""

    screen: str | None = None
    """Address (`supabase://…`) of the screenshot the turn was decided on."""

    result: JsonObject | None = None
    """What the tool answered when done; may hold `output` and `runtime_values` like an `Observation`."""

    error: str | None = None
    """Why the tool failed."""

    images: tuple[str, ...] = ()
    """Addresses of pictures the tool took."""

    is_cached: bool = False
    """True when the step was replayed from a trajectory."""

    volatile: tuple[Box, ...] = ()
    """What moved by itself on that screen; on the first step of a turn only."""

    detection: Detection | None = None
    """Of the turn, when a recording of it was compared."""

    finished_at: datetime | None = None


def course(steps: Sequence[Step], within: StepId | None = None) -> tuple[Step, ...]:
    """The run's own course, or that of a step which is made of steps."""
    return tuple(step for step in steps if step.within == within)


def in_order(steps: Sequence[Step]) -> tuple[Step, ...]:
    """As it happened: the parts of a step stand right behind it, before what was decided with it."""
    parts: dict[StepId | None, list[Step]] = defaultdict(list)
    for step in sorted(steps, key=lambda step: step.number):
        parts[step.within].append(step)

    def walk(within: StepId | None) -> Iterator[Step]:
        for step in parts.get(within, ()):
            yield step
            yield from walk(step.id)

    return tuple(walk(None))


def is_being_read(step: Step) -> bool:
    """True for a look that is over and whose reading is not."""
    return (step.result or {}).get("is_being_read") is True


def read_later_at(step: Step) -> datetime | None:
    """When a reading in the background had come to something; None for everything else."""
    at = (step.result or {}).get("read_at")
    return datetime.fromisoformat(at) if isinstance(at, str) else None


def is_read_later(step: Step) -> bool:
    """True for a look whose reading went on, or goes on, in the background."""
    return is_being_read(step) or read_later_at(step) is not None
