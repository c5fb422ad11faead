"""What can be asked on the bus topic of a machine, and what comes back.

Whoever holds the machine's tunnel serves the topic. A question is an HTTP request without a connection; its
answer is the driver's, untouched, or the reason why there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from cyberdesk_server.domain.ids import MachineId
from cyberdesk_server.ports import Message

DEFAULT_ANSWER_SECONDS = 35.0
"""How long a driver may take. The published drivers give up on themselves after 30 s and say so."""


ACTION_JOURNAL = "action-journal"
"""A feature of drivers: a repeated `x-action-id` is answered with what was done, never done again."""

CONDITIONAL_SCREENSHOT = "conditional-screenshot"
"""A feature of drivers: `if-none-match` on an unchanged screen is answered with 304 and no picture."""


def machine_topic(machine_id: MachineId) -> str:
    return f"machine.{machine_id}"


@dataclass(frozen=True, slots=True)
class Question:
    """One request to a driver."""

    method: str
    """`GET` or `POST`."""

    path: str
    """Starts with `/`, such as `/computer/display/dimensions`."""

    query: str = ""
    """Percent-encoded, without the `?`."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""

    body: bytes = field(default=b"", repr=False)
    """May hold a secret that is to be typed, hence not part of the `repr`."""

    answer_seconds: float = DEFAULT_ANSWER_SECONDS
    """How long the driver may take, counted from the moment the request has left."""

    request_id: str = field(default_factory=lambda: str(uuid4()))

    def to_message(self) -> Message:
        head = {
            "request_id": self.request_id,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": dict(self.headers),
            "answer_seconds": self.answer_seconds,
        }
        return Message(head, self.body)

    @classmethod
    def from_message(cls, message: Message) -> "Question":
        return cls(**message.head, body=message.body)


@dataclass(frozen=True, slots=True)
class DriverAnswer:
    """What the driver said."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""

    body: bytes = field(default=b"", repr=False)

    def to_message(self) -> Message:
        return Message({"status": self.status, "headers": dict(self.headers)}, self.body)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why the driver said nothing."""

    reason: str
    """In plain words."""

    was_sent: bool
    """True when the request had left whole: the driver may have acted on it."""

    was_late: bool = False
    """True when the time was up, rather than the connection gone."""

    def to_message(self) -> Message:
        head = {"no_answer": self.reason, "was_sent": self.was_sent, "was_late": self.was_late}
        return Message(head)


def read_answer(message: Message) -> DriverAnswer | NoAnswer:
    """The answer as it was before `to_message`."""
    head = message.head
    if "no_answer" in head:
        return NoAnswer(head["no_answer"], head["was_sent"], head["was_late"])
    return DriverAnswer(status=head["status"], headers=head["headers"], body=message.body)
