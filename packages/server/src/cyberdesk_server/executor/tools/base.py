"""What a tool is: a name with arguments, and what it does to one desktop."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid5

from cyberdesk_server.domain.actions import Action, ActionResult
from cyberdesk_server.domain.ids import StepId, WorkflowId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.steps import Step
from cyberdesk_server.domain.tasks import Task, ToolSpec
from cyberdesk_server.executor.arguments import schema
from cyberdesk_server.executor.deciding import Decider
from cyberdesk_server.executor.eyes import Eyes, reaching
from cyberdesk_server.executor.moves import End
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.secrets import RunSecrets
from cyberdesk_server.executor.signals import ToolFailed
from cyberdesk_server.executor.watch import Watch
from cyberdesk_server.ports import DesktopRefused, OutcomeUnknown


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file of the run for its caller; becomes an output attachment when the step is written as done."""

    filename: str
    content_type: str
    size_bytes: int
    blob_key: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool that worked answers."""

    text: str | None = None
    """In plain words, for the model and the reader of the history."""

    output: Mapping[str, JsonValue] = field(default_factory=dict)
    """Values for the run's output, by dotted path."""

    runtime_values: Mapping[str, JsonValue] = field(default_factory=dict)
    facts: JsonObject = field(default_factory=dict)
    """Further members of the step's result, such as `exit_code`."""

    images: tuple[str, ...] = ()
    """Addresses of pictures that were taken."""

    file: OutputFile | None = None

    @property
    def result(self) -> JsonObject:
        """As the journal keeps it: `text`, `output`, `runtime_values`, the facts; without what is empty."""
        members: dict[str, JsonValue] = {
            "text": self.text,
            "output": self.output,
            "runtime_values": self.runtime_values,
            **self.facts,
        }
        return {name: value for name, value in members.items() if value not in (None, {})}


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything a tool works with, for one step."""

    step: Step
    task: Task
    parts: ExecutorParts
    watch: Watch
    eyes: Eyes
    secrets: RunSecrets
    is_repeat: bool
    """True when a worker before this one may have asked the desktop for this step."""

    workflow_id: WorkflowId
    command_allowlist: tuple[str, ...] | None
    """None allows every command, empty none."""

    steps: Callable[[], tuple[Step, ...]]
    """Every step of the run so far, in order."""

    follow: Callable[[Decider], Awaitable[End]]
    """Follow a course that this step is made of. What ends the run ends it as well."""

    async def act(self, action: Action, *, part: int = 0) -> ActionResult:
        """Do this to the desktop, at most once for this step and part.

        A tool made of several actions numbers them 0, 1, …: each has an id of its own, derived from the
        step's. Raises `ToolFailed` when the desktop refuses, and when nobody knows whether the action
        happened, which the model then looks for; `RunFails` when the desktop cannot be reached.
        """
        action_id = self.step.id if part == 0 else StepId(uuid5(self.step.id, str(part)))

        async def perform() -> ActionResult:
            # Each time: while the desktop was away the run may have ended, and another got the machine.
            await self.watch.confirm()
            return await self.parts.desktop.perform(action, action_id, is_repeat=self.is_repeat)

        try:
            return await reaching(perform, self.parts, self.watch)
        except DesktopRefused as error:
            raise ToolFailed(str(error)) from error
        except OutcomeUnknown as error:
            raise ToolFailed(unknown_outcome(self.step)) from error


def unknown_outcome(step: Step) -> str:
    """What a model reads of a call that it must not simply repeat, for that might do it twice."""
    return (
        f"step {step.number} ({step.call.tool}) was on its way when the connection to the desktop broke, and "
        "nobody can say whether it happened; it was not repeated: the screen may tell"
    )


Run = Callable[[Bench, Any], Awaitable[Outcome]]


@dataclass(frozen=True)
class Tool:
    """One tool a model may call."""

    name: str
    description: str
    arguments: type
    """A frozen dataclass; see `arguments.py`."""

    run: Run
    is_action: bool = False
    """True when it changes the desktop: it happens at most once, and the screen is watched afterwards until
    still."""

    @cached_property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, self.description, schema(self.arguments))
