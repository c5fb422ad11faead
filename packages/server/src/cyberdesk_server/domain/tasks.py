"""What a model is asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cyberdesk_server.domain.ids import OrganizationId, RunId
from cyberdesk_server.domain.json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool a model may call."""

    name: str
    description: str
    parameters: JsonObject
    """JSON Schema of the arguments."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a model cannot do a task, told before the first action."""

    reason: str
    line: int | None = None
    """Line of the prompt as plain text, from 1, when one is to blame."""

    text: str | None = None
    """That line."""

    def __str__(self) -> str:
        where = f"line {self.line}" + (f" ({self.text})" if self.text else "") + ": " if self.line else ""
        return where + self.reason


@dataclass(frozen=True, slots=True)
class Task:
    """A run as its model sees it: never a secret's value."""

    run_id: RunId
    organization_id: OrganizationId
    prompt: str
    """HTML as the author wrote it; variables are still in it."""

    inputs: JsonObject = field(default_factory=dict)
    """Effective values of the `{x}` variables."""

    secret_names: frozenset[str] = frozenset()
    """Names usable as `{$x}`."""

    output_schema: str | None = None
    tools: tuple[ToolSpec, ...] = ()
    is_focused: bool = False
    """True when the prompt is the instruction of a focused action inside a run: its last words are an answer,
    and do not end the run."""

    known: Mapping[str, JsonValue] = field(default_factory=dict)
    """Runtime values that were there when a focused action began."""

    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """Contents of the images in the prompt, by their `src`."""
