"""The journal of a run: which tool calls a model asked for, and what became of them.

The rows of the journal *are* the run. Message history, screenshots, usage counters and
trajectories are views of them, and a worker that takes a run over continues from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.ids import RunId, StepId, TrajectoryId
from cyberdesk_server.domain.json import JsonObject, JsonValue


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
    """Which turn of the model it belongs to: 1, 2, 3, …"""

    call: ToolCall
    started_at: datetime
    """When it was written down; once it has ended, when it was begun."""

    state: StepState = StepState.STARTED
    thought: str | None = None
    """Of the turn; on its first step only."""

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
