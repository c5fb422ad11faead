"""The way through a program as far as values alone decide it: jumps, loops, and conditions on values."""

from collections.abc import Mapping
from dataclasses import dataclass

from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompts import PathError
from cyberdesk_server.executor.steps.cursor import Cursor
from cyberdesk_server.executor.steps.language import Do, ForEach, If, Visible
from cyberdesk_server.executor.steps.program import Again, Branch, Enter, Jump, Operation, Program
from cyberdesk_server.executor.steps.values import NoItems, Values
from cyberdesk_server.ports import ModelError


@dataclass(frozen=True)
class Course:
    """A program with the values that hold now."""

    program: Program
    inputs: JsonObject
    runtime_values: Mapping[str, JsonValue]

    def values(self, cursor: Cursor) -> Values:
        """The values inside the loops around a place of the program."""
        around = [
            operation.loop
            for number, operation in enumerate(self.program[: cursor.position])
            if isinstance(operation, Enter) and number < cursor.position < operation.end
        ]
        return Values.at(self.inputs, self.runtime_values, list(zip(around, cursor.items, strict=True)))

    def step(self, operation: Operation, cursor: Cursor) -> Cursor:
        """The cursor behind an operation that values alone decide. Raises `ModelError`."""
        match operation:
            case Jump(to):
                return Cursor(to, cursor.items)
            case Branch(statement, otherwise):
                return cursor.next if self._holds(statement, cursor) else Cursor(otherwise, cursor.items)
            case Enter(loop, end):
                if self._count(loop, cursor):
                    return Cursor(cursor.position + 1, (*cursor.items, 0))
                return Cursor(end, cursor.items)
            case Again(enter):
                return self._again(enter, cursor)
            case Do():
                raise AssertionError("what has to be done is no matter of values alone")

    def _holds(self, statement: If, cursor: Cursor) -> bool:
        assert not isinstance(statement.condition, Visible)
        try:
            return self.values(cursor).holds(statement.condition)
        except PathError as problem:
            raise failure(statement, str(problem)) from None

    def _count(self, loop: ForEach, cursor: Cursor) -> int:
        try:
            return len(self.values(cursor).items(loop))
        except (NoItems, PathError) as problem:
            raise failure(loop, str(problem)) from None

    def _again(self, enter: int, cursor: Cursor) -> Cursor:
        operation = self.program[enter]
        assert isinstance(operation, Enter)
        *outer, item = cursor.items
        count = self._count(operation.loop, Cursor(enter, tuple(outer)))
        if item + 1 < count:
            return Cursor(enter + 1, (*outer, item + 1))
        return Cursor(cursor.position + 1, tuple(outer))


def failure(statement: Do | If | ForEach, reason: str) -> ModelError:
    """Why a run cannot go on at this line of its prompt."""
    line = statement.line
    return ModelError(f"line {line.number} ({line.text}): {reason}")
