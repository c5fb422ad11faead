"""Is a recorded turn what a program asks for next? Told from the place in the program, not from the screen.

What the screen decides is left open here: `Retrace.ON_A_LOOK`. What values decide is decided anew, so that
loops have as many rounds as there are items now, and conditions go by the values of this run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompts import PathError, Placeholder, parts
from cyberdesk_server.domain.recordings import WAIT, RecordedTurn
from cyberdesk_server.domain.steps import Step, ToolCall
from cyberdesk_server.executor.steps.calls import calls_of
from cyberdesk_server.executor.steps.course import Course
from cyberdesk_server.executor.steps.cursor import Cursor
from cyberdesk_server.executor.steps.language import Do, If, Reading, Target, Visible, WaitUntil
from cyberdesk_server.executor.steps.program import Branch
from cyberdesk_server.executor.steps.targets import needed_by, texts_of
from cyberdesk_server.ports import ModelError, Retrace

_MOST_WAYS = 64
"""Through conditions on the screen between one thing to do and the next."""


def start_of(recorded: RecordedTurn) -> Cursor | None:
    """The place of the program a recorded turn was made for; None when it is of no program."""
    try:
        after = Cursor.of(recorded.memo) if recorded.memo else None
    except (ValueError, TypeError):
        return None
    if after is None or after.waits:
        return after
    return Cursor(after.position - after.covered, after.items, covered=after.covered)


def retraced(
    course: Course, cursor: Cursor, last_turn: Sequence[Step], recorded: RecordedTurn | None
) -> Retrace:
    """Whether the recorded turn comes next from this cursor; without one, whether the program ends here."""
    goal = Cursor(len(course.program)) if recorded is None else start_of(recorded)
    if goal is None:
        return Retrace.NEVER
    ways = _Ways(course, last_turn)
    try:
        ways.walk(cursor, is_sure=True)
        is_sure = ways.ends.get((goal.position, goal.items))
        if is_sure is None or (recorded is not None and not _says_the_same(course, goal, recorded)):
            return Retrace.NEVER
    except (ModelError, PathError):
        return Retrace.NEVER
    is_wait = recorded is not None and recorded.tools == (WAIT,)
    return Retrace.SURELY if is_sure or is_wait else Retrace.ON_A_LOOK


def has_arrived(cursor: Cursor, recorded: RecordedTurn | None, program_length: int) -> bool:
    """Whether this is the place the recorded turn was made for, or the end of the program."""
    if recorded is None:
        return cursor.position >= program_length
    goal = start_of(recorded)
    return goal is not None and (goal.position, goal.items) == (cursor.position, cursor.items)


@dataclass
class _Ways:
    """All places a program can get to before something has to be done."""

    course: Course
    last_turn: Sequence[Step]
    ends: dict[tuple[int, tuple[int, ...]], bool] = field(default_factory=dict)
    """Each place, and whether it is the only one."""

    _walked: int = 0

    def walk(self, cursor: Cursor, *, is_sure: bool) -> None:
        program = self.course.program
        self._walked += 1
        while cursor.position < len(program) and self._walked < _MOST_WAYS:
            operation = program[cursor.position]
            match operation:
                case Do(action=WaitUntil()) if cursor.waits and self.last_turn:
                    cursor = cursor.next
                case Do(action=WaitUntil()):
                    self._end(cursor, is_sure=False)
                    cursor, is_sure = cursor.next, False
                case Do(is_optional=True):
                    self._end(cursor, is_sure=False)
                    cursor, is_sure = cursor.next, False
                case Do():
                    break
                case Branch(statement=If(condition=Visible()), otherwise=otherwise):
                    self.walk(cursor.next, is_sure=False)
                    cursor, is_sure = Cursor(otherwise, cursor.items), False
                case _:
                    cursor = self.course.step(operation, cursor)
        self._end(cursor, is_sure=is_sure)

    def _end(self, cursor: Cursor, *, is_sure: bool) -> None:
        place = (cursor.position, cursor.items)
        self.ends[place] = is_sure and place not in self.ends


def _says_the_same(course: Course, goal: Cursor, recorded: RecordedTurn) -> bool:
    """Whether the program would ask for the recorded calls, wherever on the screen they point.

    Not when what they point at depends on a value: another run has another one.
    """
    if recorded.tools == (WAIT,):
        return True
    values = course.values(goal)
    asked: list[ToolCall] = []
    for operation in course.program[goal.position : goal.position + goal.covered]:
        if not isinstance(operation, Do):
            return False
        action = operation.action
        if not isinstance(action, Reading) and any(map(_depends_on_values, needed_by(action))):
            return False
        asked += calls_of(action, _Anywhere(), values, goal.items)
    return list(map(_pointing_nowhere, asked)) == list(map(_pointing_nowhere, recorded.calls))


def _depends_on_values(target: Target) -> bool:
    return any(isinstance(part, Placeholder) for text in texts_of(target) for part in parts(text))


class _Anywhere:
    """A ground on which everything is found, at the same place."""

    size = Size(2, 2)

    def locate(self, target: Target) -> Box:
        return Box(0, 0, 1, 1)

    def field(self, target: Target) -> Box:
        return Box(0, 0, 1, 1)

    def anchors(self, target: Target) -> tuple[Box, ...]:
        return ()


def _pointing_nowhere(call: ToolCall) -> tuple[str, JsonObject]:
    places = ("x", "y", "start_x", "start_y", "to_x", "to_y")
    return call.tool, {name: _plain(value) for name, value in call.arguments.items() if name not in places}


def _plain(value: JsonValue) -> JsonValue:
    """The value as it comes out of a journal, where there are no tuples."""
    match value:
        case Mapping():
            return {name: _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value
