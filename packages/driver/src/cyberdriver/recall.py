"""Answers kept for a minute under `x-idempotency-key`, the older promise of the tunnel (protocol, section 6).

A key is bound to its whole request: the same key on another request is another request.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from cyberdriver.answers import Answer

KEPT_SECONDS = 60.0
MAX_ANSWERS = 1000
MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    until_seconds: float


class RecentAnswers:
    """The newest answers, bounded in age, number and bytes; usable from any thread."""

    def __init__(self, monotonic_seconds: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_seconds = monotonic_seconds
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    def find(self, key: str) -> Answer | None:
        """The answer kept under this key, if it is not too old."""
        with self._lock:
            self._drop_what_is_too_much()
            kept = self._kept.get(key)
            return kept.answer if kept else None

    def keep(self, key: str, answer: Answer) -> None:
        """Keeps the answer, unless it is a failure of the desktop (5xx): that may be tried again."""
        if answer.status >= 500:
            return
        with self._lock:
            self._forget(key)
            self._kept[key] = _Kept(answer, self._monotonic_seconds() + KEPT_SECONDS)
            self._bytes += len(answer.body)
            self._drop_what_is_too_much()

    def _drop_what_is_too_much(self) -> None:
        now_seconds = self._monotonic_seconds()
        while self._kept:
            oldest = next(iter(self._kept))
            is_fresh = self._kept[oldest].until_seconds > now_seconds
            if is_fresh and len(self._kept) <= MAX_ANSWERS and self._bytes <= MAX_BYTES:
                return
            self._forget(oldest)

    def _forget(self, key: str) -> None:
        forgotten = self._kept.pop(key, None)
        if forgotten is not None:
            self._bytes -= len(forgotten.answer.body)
