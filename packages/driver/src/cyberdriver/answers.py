"""What a command answers: a status, a body, and the shapes every command shares."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response without the id of the request it answers."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(value: object, status: int = 200) -> Answer:
    """This value as JSON."""
    return Answer(status, json.dumps(value, separators=(",", ":")).encode(), {"content-type": JSON})


DONE = json_answer({})
"""What an input answers: `200 {}`."""

NOTHING = Answer(204)


def problem(status: int, detail: object, **facts: object) -> Answer:
    """An error in the shape of the published drivers: `{"detail": ...}`, with further facts beside it."""
    return json_answer({"detail": detail, **facts}, status)


class Refused(Exception):
    """A command says no before anything happened; the dispatcher turns it into this answer."""

    def __init__(self, status: int, detail: object) -> None:
        super().__init__(status, detail)
        self.answer = problem(status, detail)


class InvalidField(Refused):
    """A field of the request cannot be taken; the answer has the shape of FastAPI's validation errors."""

    def __init__(self, where: str, name: str, reason: str) -> None:
        super().__init__(422, [{"loc": [where, name], "msg": f"{name} {reason}", "type": "value_error"}])
