"""What callers want typed, and what they were promised: numbers, each in parts that are typed once."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import uuid4

TOKEN = re.compile(rb"<(\d{6})\.(\d)(?:![0-9a-f]+)?>")
SECRET_PART = 2
"""Which part of a run is a secret, where it has one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A workflow that types a number in parts, each a token of its own."""

    parts: int
    has_secret: bool = False
    filler: str = ""
    """Hexadecimal digits that make a part long, so that a driver is killed in the middle of it."""

    @property
    def prompt(self) -> str:
        return "\n".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        for part in range(1, self.parts + 1):
            is_secret = self.has_secret and part == SECRET_PART
            filler = f"!{self.filler}" if self.filler else ""
            yield "Type {$word}" if is_secret else f'Type "<{{number}}.{part}{filler}>"'
            yield "Press enter"


KINDS = (Kind(2), Kind(3, has_secret=True), Kind(5, filler="0123456789abcdef" * 40))


@dataclass(frozen=True, slots=True)
class Order:
    """A run somebody wants."""

    number: int
    kind: Kind
    secret: str = field(default="", repr=False)
    """What is typed for its second part; empty where that is no secret."""

    group: int | None = None
    """The number of the first run of its session; None without a session."""

    @property
    def inputs(self) -> dict[str, str]:
        return {"number": f"{self.number:06}"}

    @property
    def secrets(self) -> dict[str, str] | None:
        return {"word": self.secret} if self.secret else None


def an_order(number: int, kind: Kind, group: int | None = None) -> Order:
    """A new order, with a new secret where its kind has one."""
    secret = f"<{number:06}.{SECRET_PART}!{uuid4().hex}>" if kind.has_secret else ""
    return Order(number, kind, secret, group)


class Ledger:
    """What all callers ordered and what became of it; used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self.orders: dict[int, Order] = {}
        """All of them, by number."""

        self.accepted: dict[int, str] = {}
        """Ids of the runs that the API answered with 201, by number."""

        self.refused: Counter[str] = Counter()
        """Why others were refused."""

    def order(self, kind: Kind, group: int | None = None) -> Order:
        """A new order, with the next number. A group of 0 is one that it begins."""
        with self._lock:
            self._last += 1
            order = an_order(self._last, kind, self._last if group == 0 else group)
            self.orders[order.number] = order
            return order

    def accept(self, order: Order, run_id: str) -> None:
        with self._lock:
            self.accepted[order.number] = run_id

    def refuse(self, order: Order, reason: str) -> None:
        """Nothing is promised: forget the order."""
        with self._lock:
            self.refused[reason] += 1
            del self.orders[order.number]
