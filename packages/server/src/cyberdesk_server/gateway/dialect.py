"""What a driver of this generation understands: questions put into its words, and how many it takes at once.

below 1.0            one request at a time; refuses nulls; cannot hold keys
from 1.0             four at a time, which may overtake each other
with features        as many as the protocol allows; orders its inputs itself
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cyberdesk_wire import Limits

from cyberdesk_server.questions import ACTION_JOURNAL, DriverAnswer, Question

DEFAULT_COMMAND_SECONDS = 30

_KEY_PATH = "/computer/input/keyboard/key"
_EXEC_PATH = "/computer/shell/powershell/exec"
_ALWAYS_FORWARDED = frozenset({"content-type", "x-idempotency-key"})
_FORWARDED_WITH_FEATURES = _ALWAYS_FORWARDED | {"x-action-id", "if-none-match"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one driver wants to be spoken to."""

    max_in_flight: int
    """Requests that may wait for an answer at the same time."""

    orders_inputs: bool
    """True when the driver carries inputs out in the order it gets them, however many come at once."""

    holds_keys: bool
    keeps_journal: bool
    headers: frozenset[str]
    """Names that are forwarded; all others stay here."""

    def put(self, question: Question) -> Question | DriverAnswer:
        """The question as this driver understands it, or the answer it would not have given itself."""
        if "x-action-id" in question.headers and not self.keeps_journal:
            # Whoever sends the id relies on it; without a journal it would be a promise nobody keeps.
            return _refusal(501, "this driver keeps no journal of actions")
        headers = {name: value for name, value in question.headers.items() if name in self.headers}
        body = question.body
        if b"null" in body or question.path in (_KEY_PATH, _EXEC_PATH):
            fields = _object_in(body)
            if fields is not None:
                fields = {name: value for name, value in fields.items() if value is not None}
                if question.path == _KEY_PATH and "down" in fields and not self.holds_keys:
                    return _refusal(422, "down: this driver cannot hold keys; it needs version 1.0 or newer")
                if question.path == _EXEC_PATH:
                    fields.setdefault("timeout", DEFAULT_COMMAND_SECONDS)
                body = json.dumps(fields, separators=(",", ":")).encode()
        return replace(question, headers=headers, body=body)


def dialect_of(version: str | None, features: frozenset[str]) -> Dialect:
    """The dialect of a driver that says this about itself; an unreadable version counts as the oldest."""
    if features:
        # Half of what the wire allows: requests given up on still count until their answers have come.
        limit = Limits().max_outstanding_requests // 2
        return Dialect(limit, True, True, ACTION_JOURNAL in features, _FORWARDED_WITH_FEATURES)
    major = (version or "").partition(".")[0]
    if major.isascii() and major.isdigit() and int(major) >= 1:
        return Dialect(4, False, True, False, _ALWAYS_FORWARDED)
    return Dialect(1, False, False, False, _ALWAYS_FORWARDED)


def is_input(path: str) -> bool:
    """True for what moves the pointer or presses keys, copying included."""
    return path.startswith("/computer/input/") or path == "/computer/copy_to_clipboard"


def _object_in(body: bytes) -> Mapping[str, object] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _refusal(status: int, detail: str) -> DriverAnswer:
    return DriverAnswer(status, {"content-type": "application/json"}, json.dumps({"detail": detail}).encode())
