"""Where in its program a run is: what `Turn.memo` keeps. Small, and all there is to remember."""

import json
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next operation, and which item each loop around it is at."""

    position: int = 0
    items: tuple[int, ...] = ()
    """Item numbers from 0, the outermost loop first."""

    waits: int = 0
    """How often this operation has waited for its labels."""

    covered: int = 1
    """How many operations the turn before this cursor did: one for each call when there are several."""

    @property
    def next(self) -> "Cursor":
        return Cursor(self.position + 1, self.items)

    def after(self, operations: int) -> "Cursor":
        """The cursor behind a turn that did so many operations in a row."""
        return Cursor(self.position + operations, self.items, covered=operations)

    @property
    def waited(self) -> "Cursor":
        return replace(self, waits=self.waits + 1)

    @property
    def memo(self) -> str:
        return json.dumps([self.position, self.items, self.waits, self.covered], separators=(",", ":"))

    @classmethod
    def of(cls, memo: str | None) -> "Cursor":
        """The cursor of a memo; the program's beginning for none."""
        if memo is None:
            return cls()
        position, items, waits, covered = json.loads(memo)
        return cls(position, tuple(items), waits, covered)
