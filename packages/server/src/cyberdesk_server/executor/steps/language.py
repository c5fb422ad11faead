"""What can a prompt written as steps say? Its sentences as values.

Texts in here are templates: variables are still in them (see `domain.prompts`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cyberdesk_server.domain.actions import Button, Direction
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.prompt_lines import Line
from cyberdesk_server.domain.prompts import Placeholder
from cyberdesk_server.executor.reading.pages import Side

LAST = -1
"""The ordinal of "the last"."""

Relation = Side | Literal["near", "in the row of"]


@dataclass(frozen=True, slots=True)
class Label:
    """A text on the screen."""

    text: str
    ordinal: int | None = None
    """1 for the first in reading order, `LAST` for the last, None for the best match."""

    relation: "Related | None" = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the prompt, found on the screen."""

    source: str
    ordinal: int | None = None
    relation: "Related | None" = None


@dataclass(frozen=True, slots=True)
class Related:
    """Which of several: the one on that side of something else."""

    relation: Relation
    to: "Label | Picture"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in real pixels."""

    at: Point


Thing = Label | Picture
Target = Label | Picture | Spot


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a value goes that was read."""

    output: str | None = None
    """Dotted path in the run's output, such as `demographics.dateOfBirth` or `patients[].name`."""

    runtime: str | None = None
    """Name of a runtime value."""

    in_background: bool = False
    """True when the run does not wait for it."""


@dataclass(frozen=True, slots=True)
class Click:
    target: Target
    button: Button = Button.LEFT
    count: int = 1


@dataclass(frozen=True, slots=True)
class Hover:
    target: Target


@dataclass(frozen=True, slots=True)
class Type:
    text: str
    into: Target | None = None
    """The label of a field, a picture or a place; None for what has the focus."""

    replaces: bool = False
    """True when what the field holds is cleared first."""


@dataclass(frozen=True, slots=True)
class Clear:
    field: Target | None = None


@dataclass(frozen=True, slots=True)
class Press:
    keys: str
    """Chords as the tool `key` takes them."""


@dataclass(frozen=True, slots=True)
class Scroll:
    direction: Direction
    amount: int
    over: Target | None = None


@dataclass(frozen=True, slots=True)
class Drag:
    start: Target
    end: Target


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class WaitUntil:
    things: tuple[Thing, ...]
    """Any of these."""

    is_gone: bool = False
    """True when all of them must disappear instead."""


@dataclass(frozen=True, slots=True)
class ReadText:
    side: Side
    of: Thing
    to: Destination
    is_paragraph: bool = False


@dataclass(frozen=True, slots=True)
class ReadTable:
    under: Thing
    to: Destination
    columns: tuple[str, ...] = ()
    """Names for the columns instead of the printed ones, from left to right."""


@dataclass(frozen=True, slots=True)
class ReadScreen:
    to: Destination


@dataclass(frozen=True, slots=True)
class CheckVisible:
    things: tuple[Thing, ...]
    to: Destination


@dataclass(frozen=True, slots=True)
class Copy:
    """Ctrl+C, and the clipboard's text."""

    to: Destination


@dataclass(frozen=True, slots=True)
class Remember:
    text: str
    name: str


@dataclass(frozen=True, slots=True)
class Fail:
    reason: str


@dataclass(frozen=True, slots=True)
class Succeed:
    text: str | None = None


@dataclass(frozen=True, slots=True)
class SaveScreenshot:
    filename: str


@dataclass(frozen=True, slots=True)
class ExportFile:
    path: str


@dataclass(frozen=True, slots=True)
class RunCommand:
    command: str


@dataclass(frozen=True, slots=True)
class Focus:
    """Steps that are done live, also when the rest is replayed."""

    instruction: str
    """The steps as a prompt of their own."""

    block: "Block"


Reading = ReadText | ReadTable | ReadScreen | CheckVisible
"""What is read from a screenshot."""

Action = (
    Click
    | Hover
    | Type
    | Clear
    | Press
    | Scroll
    | Drag
    | Pause
    | WaitUntil
    | Reading
    | Copy
    | Remember
    | Fail
    | Succeed
    | SaveScreenshot
    | ExportFile
    | RunCommand
    | Focus
)


@dataclass(frozen=True, slots=True)
class Visible:
    """Any of these is on the screen."""

    things: tuple[Thing, ...]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """A value is, contains, or is not another."""

    value: str
    comparison: Literal["is", "contains", "is empty"]
    other: str = ""
    is_negated: bool = False


Condition = Visible | Compared


@dataclass(frozen=True, slots=True)
class Do:
    """One action of one line."""

    action: Action
    line: Line
    is_optional: bool = False
    """True when a label that is missing, or a tool that fails, is passed over."""

    patience_seconds: float | None = None
    """How long its labels may take to appear; None for the usual time."""


@dataclass(frozen=True, slots=True)
class If:
    condition: Condition
    line: Line
    then: "Block"
    otherwise: "Block" = ()


@dataclass(frozen=True, slots=True)
class ForEach:
    """A block once for every item."""

    source: Placeholder | int | tuple[str, ...]
    """A list or number that is a value, how often, or the items themselves."""

    line: Line
    body: "Block"
    item: Placeholder | None = None
    """How the block calls the item."""


Statement = Do | If | ForEach
Block = Sequence[Statement]

Bindings = Mapping[tuple[str, str], Placeholder | str]
"""What loops call their items (kind and name), and what these stand for: a place in a list, or a value."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a line is no step."""

    line: Line
    reason: str


@dataclass(frozen=True, slots=True)
class Script:
    """A whole prompt."""

    block: Block
    unreadable: tuple[Unreadable, ...] = ()
