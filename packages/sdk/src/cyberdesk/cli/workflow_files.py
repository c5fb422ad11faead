"""A workflow as a file that people read, edit and keep in version control.

    ---
    id: 6d3f0a52-6f0c-4f0e-9a51-6b3f5c1d2e4a
    name: Register a patient
    input_schema: {
        "type": "object"
      }
    ---
    Wait until "First name" appears

Between the dashes stand members of the API, each as `member: value`. The value is JSON and may go on over
further lines; text that cannot be taken for anything else needs no quotes. A member that is left out has its
default. Everything after the second line of dashes is the prompt; the last line break belongs to the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import attrs

from cyberdesk.models import (
    Model,
    WorkflowCreate,
    WorkflowModelMetadata,
    WorkflowPostRunCheckUpsert,
    WorkflowResponse,
    WorkflowUpdate,
)

FENCE = "---"
LONGEST_LINE = 100

SCHEMAS = ("input_schema", "output_schema")
"""Texts in the API; objects in the file where their text is one."""

DEFAULTS: Mapping[str, Any] = {
    "name": None,
    "description": None,
    "input_schema": None,
    "output_schema": None,
    "includes_file_exports": False,
    "is_webhooks_enabled": False,
    "terminal_command_allowlist": None,
    "model_metadata": None,
    "post_run_check_failure_cleanup_prompt": None,
    "run_time_limit_seconds": None,
    "max_turns": None,
    "wait_time_limit_seconds": None,
    "cost_limit_usd": None,
    "post_run_checks": None,
}
"""Member -> what it is where a file leaves it out; in the order in which they are written."""

_TEXT = ("text", (str,))
_WHOLE_NUMBER = ("a whole number", (int,))
_BOOLEAN = ("true or false", (bool,))
_TYPES: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "id": _TEXT,
    "name": _TEXT,
    "description": _TEXT,
    "input_schema": ("a JSON object, or text", (dict, str)),
    "output_schema": ("a JSON object, or text", (dict, str)),
    "includes_file_exports": _BOOLEAN,
    "is_webhooks_enabled": _BOOLEAN,
    "terminal_command_allowlist": ("a JSON list", (list,)),
    "model_metadata": ("a JSON object", (dict,)),
    "post_run_check_failure_cleanup_prompt": _TEXT,
    "run_time_limit_seconds": _WHOLE_NUMBER,
    "max_turns": _WHOLE_NUMBER,
    "wait_time_limit_seconds": _WHOLE_NUMBER,
    "cost_limit_usd": ("a number", (int, float)),
    "post_run_checks": ("a JSON list", (list,)),
}

_MODELS = tuple(one.name for one in attrs.fields(WorkflowModelMetadata) if one.init)

_MEMBER = re.compile(r"(\w+):[ \t]*")
_PLAIN = re.compile(r"[^\W\d_](?:[\w .,()/&+'-]*[\w.,()/&+'-])?")
"""Text that reads as itself, to us and to programs that take the front matter for YAML."""
_WORDS_OF_YAML = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


class UnreadableFile(ValueError):
    """Not a workflow; the message names the line and says what is wrong there."""


@dataclass(frozen=True)
class WorkflowFile:
    """What a file says about a workflow. `members` holds only what differs from `DEFAULTS`."""

    prompt: str
    id: str | None = None
    members: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, workflow: WorkflowResponse) -> WorkflowFile:
        """The workflow as the API has it."""
        told = workflow.to_dict()
        members = {name: _as_filed(name, told.get(name)) for name in DEFAULTS}
        return cls(workflow.main_prompt, str(workflow.id), _without_defaults(members))

    @classmethod
    def read(cls, text: str) -> WorkflowFile:
        """What this text says. Raises `UnreadableFile`, and `MalformedModel` for a check that is none."""
        first, line_break, rest = text.removeprefix("\N{BYTE ORDER MARK}").partition("\n")
        if first.rstrip("\r") != FENCE or not line_break:
            raise UnreadableFile(f"line 1: a workflow begins with a line {FENCE}")
        if first.endswith("\r"):  # the whole file was given the line ends of Windows
            rest = rest.replace("\r\n", "\n")
        members, prompt = _Reader(rest).read()
        file_id = _id(members.pop("id", None))
        for check in members.get("post_run_checks") or ():
            _refuse_unknown(WorkflowPostRunCheckUpsert.from_dict(check))
        _refuse_unknown(WorkflowModelMetadata.from_dict(members.get("model_metadata") or {}))
        filed = {name: _as_filed(name, value) for name, value in members.items()}
        return cls(prompt.removesuffix("\n"), file_id, _without_defaults(filed))

    @property
    def name(self) -> str:
        """The name, or words for not having one."""
        return str(self.members.get("name") or "(no name)")

    def text(self) -> str:
        """The text of the file; `read` makes the same value of it."""
        own_id = [f"id: {self.id}"] if self.id else []
        members = [f"{name}: {_written(self.members[name])}" for name in DEFAULTS if name in self.members]
        return "\n".join([FENCE, *own_id, *members, FENCE, self.prompt]) + "\n"

    def creation(self) -> WorkflowCreate:
        """The request that creates it."""
        told = {name: _as_sent(name, value) for name, value in self.members.items()}
        for check in told.get("post_run_checks", ()):
            check.pop("id", None)
        return WorkflowCreate.from_dict({**told, "main_prompt": self.prompt})

    def differences(self, other: WorkflowFile) -> list[str]:
        """The members in which the other file says something else, `main_prompt` among them."""
        differing = [name for name in DEFAULTS if not _same(self.members.get(name), other.members.get(name))]
        return differing if self.prompt == other.prompt else [*differing, "main_prompt"]

    def update(self, names: list[str]) -> WorkflowUpdate:
        """The request that gives these members what the file says."""
        values = {**DEFAULTS, **self.members, "main_prompt": self.prompt}
        return WorkflowUpdate.from_dict({name: _as_sent(name, values[name]) for name in names})


class _Reader:
    """Reads the text after the first fence: members up to the second one, then the prompt."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._after = 0
        """Where the line after the member that was read last begins."""

    def read(self) -> tuple[dict[str, Any], str]:
        members: dict[str, Any] = {}
        while (line := self._line()) != FENCE:
            if self._at + len(line) >= len(self._text):
                raise self._wrong(f"the line {FENCE} before the prompt is missing")
            if not line.strip() or line.startswith("#"):
                self._at += len(line) + 1
                continue
            name, value = self._member(line)
            if name in members:
                raise self._wrong(f"{name} is there twice")
            members[name] = value
        return members, self._text[self._at + len(FENCE) + 1 :]

    def _line(self) -> str:
        end = self._text.find("\n", self._at)
        return self._text[self._at :] if end < 0 else self._text[self._at : end]

    def _member(self, line: str) -> tuple[str, Any]:
        match = _MEMBER.match(line)
        if match is None:
            raise self._wrong("expected `member: value`")
        name = match[1]
        if name not in _TYPES:
            raise self._wrong(f"{name} is none of {', '.join(_TYPES)}")
        value = self._value(name, line[match.end() :], self._at + match.end())
        expected, types = _TYPES[name]
        if value is not None and type(value) not in types:
            raise self._wrong(f"{name} must be {expected}")
        self._at = min(self._after, len(self._text))
        return name, value

    def _value(self, name: str, rest: str, at: int) -> Any:
        self._after = at + len(rest) + 1
        if not rest.startswith(("{", "[", '"')):
            return _scalar(rest.strip())
        try:
            value, end = json.JSONDecoder().raw_decode(self._text, at)
        except ValueError as error:
            raise self._wrong(f"{name} is not JSON: {error}") from error
        line_end = self._text.find("\n", end)
        line_end = len(self._text) if line_end < 0 else line_end
        if self._text[end:line_end].strip():
            raise self._wrong(f"{name}: something follows its JSON")
        self._after = line_end + 1
        return value

    def _wrong(self, reason: str) -> UnreadableFile:
        return UnreadableFile(f"line {self._text.count(chr(10), 0, self._at) + 2}: {reason}")


def _id(text: str | None) -> str | None:
    try:
        return None if text is None else str(UUID(text))
    except ValueError:
        raise UnreadableFile(f"id: {text!r} is not the id of a workflow") from None


def _scalar(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        return text or None


def _refuse_constant(word: str) -> None:
    """NaN and Infinity are numbers to Python; to JSON, and in a name, they are words."""
    raise ValueError(word)


def _as_filed(name: str, value: Any) -> Any:
    """What the file says for what the API tells."""
    if name in SCHEMAS and isinstance(value, str):
        schema = _object_of(value)
        return value if schema is None else schema
    if name == "post_run_checks" and value:
        return [_check(check) for check in value]
    if name == "model_metadata" and value:
        return {key: item for key, item in value.items() if item is not None}
    return value


def _as_sent(name: str, value: Any) -> Any:
    """What the API takes for what the file says."""
    if name in SCHEMAS and isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if name == "model_metadata" and value:
        return {
            **dict.fromkeys(_MODELS),
            **value,
        }  # the file is the whole truth, in the parts of a member too
    if name == "post_run_checks":
        return [dict(check) for check in value or ()]
    return value


def _refuse_unknown(model: Model) -> None:
    if model.additional_keys:
        raise UnreadableFile(f"{type(model).__name__} has no member {model.additional_keys[0]}")


def _object_of(schema: str) -> dict[str, Any] | None:
    try:
        value = json.loads(schema)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _check(check: Mapping[str, Any]) -> dict[str, Any]:
    """A check without what the API adds to it, and without what nobody set."""
    kept = WorkflowPostRunCheckUpsert.from_dict(check)
    kept.additional_properties.clear()
    return {key: value for key, value in kept.to_dict().items() if value is not None}


def _without_defaults(members: Mapping[str, Any]) -> dict[str, Any]:
    nothing: Mapping[str, Any] = {"post_run_checks": [], "model_metadata": {}}
    return {
        name: value
        for name, value in members.items()
        if not _same(value, DEFAULTS[name]) and value is not None and value != nothing.get(name)
    }


def _same(one: Any, other: Any) -> bool:
    """Whether both are the same JSON; to Python 1, 1.0 and True are alike."""
    return json.dumps(one) == json.dumps(other)


def _written(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML:
        return value
    short = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or (isinstance(value, list) and len(short) <= LONGEST_LINE):
        return short
    # Further lines are indented, as YAML wants them below their member.
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n  ")
