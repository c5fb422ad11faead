"""What do variables stand for at one place of a program: inputs, runtime values, and the items of loops."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompts import (
    EMPTY,
    LOOP_ITEM,
    Kind,
    Placeholder,
    fill,
    fill_secrets,
    lookup,
    parts,
    template,
    value_text,
)
from cyberdesk_server.executor.steps.language import Bindings, Compared, ForEach


class NoItems(Exception):
    """What a loop shall go over is no list."""


@dataclass(frozen=True)
class Values:
    """The values that hold at one place of a program."""

    inputs: JsonObject
    runtime: Mapping[str, JsonValue]
    bindings: Bindings

    @classmethod
    def at(
        cls,
        inputs: JsonObject,
        runtime: Mapping[str, JsonValue],
        loops: Sequence[tuple[ForEach, int]],
    ) -> "Values":
        """The values inside these loops, the outermost first, each at its item."""
        values = cls(inputs, runtime, {})
        for loop, number in loops:
            item = values._item(loop, number)
            names = {LOOP_ITEM, loop.item.name} if loop.item else {LOOP_ITEM}
            bound = {(kind.value, name): item for name in names for kind in (Kind.INPUT, Kind.RUNTIME)}
            values = replace(values, bindings={**values.bindings, **bound})
        return values

    def items(self, loop: ForEach) -> Sequence[JsonValue]:
        """What a loop goes over. A number counts from 0; nothing is no items. Raises `NoItems`."""
        match loop.source:
            case int() as how_often:
                return range(how_often)
            case tuple() as texts:
                return [self.filled(text) for text in texts]
        match _from_text(self._value(loop.source)):
            case None | "" | "__EMPTY__":
                return ()
            case bool() | str() | float() | Mapping() as other:
                found = value_text(other)[:80]
                raise NoItems(f"{loop.source} is neither a list nor a whole number: {found}")
            case int() as count:
                return range(max(count, 0))
            case items:
                return items

    def bound(self, text: str) -> str:
        """The template with items of loops as places in their lists: `{item.name}` is `{items[0].name}`."""
        return template([part if isinstance(part, str) else self._bound(part) for part in parts(text)])

    def bound_with_runtime(self, text: str) -> str:
        """As `bound`, with runtime values filled in."""
        pieces = parts(self.bound(text))
        return template(
            [
                value_text(lookup(piece, self.runtime))
                if isinstance(piece, Placeholder) and piece.kind is Kind.RUNTIME
                else piece
                for piece in pieces
            ]
        )

    def filled(self, text: str) -> str:
        """What a template says; secrets, which nobody may see, are empty."""
        return fill_secrets(fill(self.bound(text), self.inputs, self.runtime), {})

    def holds(self, compared: Compared) -> bool:
        """True when the comparison does. Case and spaces around do not count."""
        value, other = (self.filled(text).strip().casefold() for text in (compared.value, compared.other))
        match compared.comparison:
            case "is":
                holds = value == other
            case "contains":
                holds = other in value
            case "is empty":
                holds = value in ("", EMPTY.casefold(), "[]", "{}")
        return holds != compared.is_negated

    def _value(self, placeholder: Placeholder) -> JsonValue:
        bound = self._bound(placeholder)
        if isinstance(bound, str):
            return bound
        return lookup(bound, self.inputs if bound.kind is Kind.INPUT else self.runtime)

    def _bound(self, placeholder: Placeholder) -> Placeholder | str:
        stands_for = self.bindings.get((placeholder.kind.value, placeholder.name))
        match stands_for:
            case None:
                return placeholder
            case Placeholder():
                return replace(stands_for, path=stands_for.path + placeholder.path)
            case str() if not placeholder.path:
                return stands_for
            case str():
                root = Placeholder(Kind.INPUT, placeholder.name, placeholder.path)
                return value_text(lookup(root, {placeholder.name: _from_text(stands_for)}))

    def _item(self, loop: ForEach, number: int) -> Placeholder | str:
        match loop.source:
            case Placeholder():
                source = self._bound(loop.source)
                if isinstance(source, Placeholder) and _is_list(self._value(loop.source)):
                    return replace(source, path=(*source.path, number))
            case tuple() as texts if number < len(texts):
                match parts(texts[number]):
                    case (Placeholder() as variable,):
                        return self._bound(variable)
        items = self.items(loop)
        return value_text(items[number]) if number < len(items) else EMPTY


def _is_list(value: JsonValue) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _from_text(value: JsonValue) -> JsonValue:
    """A list, object or number that was handed over as text."""
    if not isinstance(value, str) or value.strip()[:1] not in "[{-0123456789":
        return value
    try:
        read: JsonValue = json.loads(value or "null")
    except ValueError:
        return value
    return read if value else value
