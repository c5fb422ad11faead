"""A script as a list of operations with jumps, so that a place in it is one number and the loops around it.

If A: B otherwise C   ->   Branch(A, to C)  B  Jump(end)  C
For each: B           ->   Enter(end)  B  Again(Enter)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cyberdesk_server.executor.steps.language import Condition, Do, ForEach, If, Script, Statement


@dataclass(frozen=True, slots=True)
class Branch:
    """Go on if the condition holds, else at `otherwise`."""

    statement: If
    otherwise: int

    @property
    def condition(self) -> Condition:
        return self.statement.condition


@dataclass(frozen=True, slots=True)
class Jump:
    to: int


@dataclass(frozen=True, slots=True)
class Enter:
    """Begin the loop with its first item, or go on at `end` when there is none."""

    loop: ForEach
    end: int


@dataclass(frozen=True, slots=True)
class Again:
    """Take the next item of the innermost loop and go to its body, or go on when there is none."""

    enter: int


Operation = Do | Branch | Jump | Enter | Again
Program = tuple[Operation, ...]


def program_of(script: Script) -> Program:
    """The operations of a script, in order."""
    return tuple(_operations(script.block, 0))


def _operations(block: Sequence[Statement], start: int) -> list[Operation]:
    """The operations of a block whose first one is number `start`."""
    operations: list[Operation] = []
    for statement in block:
        here = start + len(operations)
        match statement:
            case Do():
                operations.append(statement)
            case If():
                then = _operations(statement.then, here + 1)
                behind = here + 1 + len(then) + bool(statement.otherwise)
                otherwise = _operations(statement.otherwise, behind)
                jump = [Jump(behind + len(otherwise))] if otherwise else []
                operations += [Branch(statement, behind), *then, *jump, *otherwise]
            case ForEach():
                body = _operations(statement.body, here + 1)
                operations += [Enter(statement, here + len(body) + 2), *body, Again(here)]
    return operations
