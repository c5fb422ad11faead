"""A request as a command sees it: fields read once, each with a type, each refusal naming its field."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from cyberdesk_wire import Request

from cyberdriver.answers import Answer, InvalidField

_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Work:
    """A request that was found good: `run` does it and may block."""

    run: Callable[[], Answer]
    about: Mapping[str, str | int | float] = field(default_factory=dict)
    """What the audit log may say about it: places and amounts, never contents."""


class Fields:
    """Named values from a body or a query; a null counts as absent.

    Every method raises `InvalidField` (422) for a value of another type or out of range.
    """

    def __init__(self, where: str, values: Mapping[str, Any]) -> None:
        self._where = where
        self._values = values

    def has(self, name: str) -> bool:
        return self._values.get(name) is not None

    def wrong(self, name: str, reason: str) -> InvalidField:
        """The refusal of this field, to be raised."""
        return InvalidField(self._where, name, reason)

    def text(self, name: str, *, max_characters: int | None = None, is_filled: bool = True) -> str:
        """The text, which must be there and, unless said otherwise, not empty."""
        value = self.optional_text(name, max_characters=max_characters)
        if value is None:
            raise self.wrong(name, "is required")
        if is_filled and not value:
            raise self.wrong(name, "must not be empty")
        return value

    def optional_text(self, name: str, *, max_characters: int | None = None) -> str | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.wrong(name, "must be a string")
        if max_characters is not None and len(value) > max_characters:
            raise self.wrong(name, f"must not be longer than {max_characters} characters")
        return value

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        value = self.optional_text(name)
        value = default if value is None else value
        if value is None:
            raise self.wrong(name, "is required")
        if value not in choices:
            raise self.wrong(name, "must be one of " + ", ".join(choices))
        return value

    def integer(self, name: str, *, least: int = -_LARGEST, most: int = _LARGEST) -> int:
        value = self.optional_integer(name, least=least, most=most)
        if value is None:
            raise self.wrong(name, "is required")
        return value

    def optional_integer(self, name: str, *, least: int = -_LARGEST, most: int = _LARGEST) -> int | None:
        value = self._number(name)
        if value is None:
            return None
        if value != int(value):
            raise self.wrong(name, "must be a whole number")
        if not least <= value <= most:
            raise self.wrong(name, f"must be between {least} and {most}")
        return int(value)

    def optional_number(self, name: str, *, least: float, most: float) -> float | None:
        value = self._number(name)
        if value is not None and not least <= value <= most:
            raise self.wrong(name, f"must be between {least:g} and {most:g}")
        return value

    def optional_boolean(self, name: str) -> bool | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "must be true or false")
        return value

    def _number(self, name: str) -> float | None:
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, "must be a number")
        if isinstance(value, float) and not math.isfinite(value):
            raise self.wrong(name, "must be finite")
        return value


@dataclass(frozen=True, slots=True)
class Call:
    """The request of one command."""

    request: Request

    def body(self) -> Fields:
        """The fields of the JSON body; an empty body has none."""
        if not self.request.body:
            return Fields("body", {})
        try:
            values = json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise InvalidField("body", "body", "must be JSON") from None
        if values is not None and not isinstance(values, dict):
            raise InvalidField("body", "body", "must be a JSON object")
        return Fields("body", values or {})

    def query(self) -> Fields:
        """The parameters of the query, each a text; of two with one name the later wins."""
        return Fields("query", self._parameters())

    def query_numbers(self, *names: str) -> Fields:
        """These parameters as whole numbers, absent ones and empty ones left out."""
        parameters = self._parameters()
        numbers = {}
        for name in names:
            text = parameters.get(name)
            if text:
                try:
                    numbers[name] = int(text)
                except ValueError:
                    raise InvalidField("query", name, "must be a whole number") from None
        return Fields("query", numbers)

    def _parameters(self) -> dict[str, str]:
        try:
            return dict(parse_qsl(self.request.query, keep_blank_values=True, max_num_fields=64))
        except ValueError:
            raise InvalidField("query", "query", "has too many parameters") from None
