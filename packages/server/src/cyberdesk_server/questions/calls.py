"""One POST to a driver: where to, with which fields, and how long it may take."""

import json
from dataclasses import dataclass, field

from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.questions.messages import DEFAULT_ANSWER_SECONDS, Question

SECONDS_PER_TYPED_CHARACTER = 0.05
COMMAND_ALLOWANCE_SECONDS = 10.0

_to_json = json.JSONEncoder(separators=(",", ":")).encode  # `json.dumps` would make an encoder per call


@dataclass(frozen=True, slots=True)
class Call:
    """What a driver is to do."""

    path: str
    fields: JsonObject = field(default_factory=dict, repr=False)
    """May hold a secret that is to be typed, hence not part of the `repr`."""

    def body(self) -> bytes:
        """JSON without the fields that are None: the published drivers refuse an explicit null."""
        present = {name: value for name, value in self.fields.items() if value is not None}
        return _to_json(present).encode()

    @property
    def answer_seconds(self) -> float:
        """The usual time, and more where the work itself takes longer."""
        match self.path, self.fields:
            case "/computer/input/keyboard/type", {"text": str(text)}:
                return DEFAULT_ANSWER_SECONDS + SECONDS_PER_TYPED_CHARACTER * len(text)
            case "/computer/input/mouse/drag", {"duration": int(seconds) | float(seconds)}:
                return DEFAULT_ANSWER_SECONDS + seconds
            case "/computer/shell/powershell/exec", {"timeout": int(seconds) | float(seconds)}:
                return max(DEFAULT_ANSWER_SECONDS, seconds + COMMAND_ALLOWANCE_SECONDS)
            case _:
                return DEFAULT_ANSWER_SECONDS

    def question(self, *, action_id: str | None, keeps_journal: bool) -> Question:
        """The request. Under an `action_id` a driver that keeps a journal does it at most once."""
        headers = {"content-type": "application/json"}
        if action_id is not None:
            headers["x-idempotency-key"] = action_id
            if keeps_journal:
                headers["x-action-id"] = action_id
        return Question(
            "POST", self.path, headers=headers, body=self.body(), answer_seconds=self.answer_seconds
        )
