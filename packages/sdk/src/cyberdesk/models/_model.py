"""What every model can do: keep what was given, read JSON, write JSON.

A field that nobody gave reads as `None` and is not sent; a field given as `None` is sent as `null`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar
from uuid import UUID

import attrs
from attrs import define, field, setters

from cyberdesk.errors import MalformedModel, MissingField
from cyberdesk.models._readers import Mismatch, Reader, Reads
from cyberdesk.models._unset import UNSET

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")


class TextEnum(str, Enum):
    """A closed set of words; each member is its word, also in `str()` and f-strings."""

    __str__ = str.__str__

    def __format__(self, format_spec: str) -> str:
        return format(self.value, format_spec)


def given(instance: Model, attribute: attrs.Attribute[Any], value: Any) -> Any:
    """Note that a field was assigned, so that it is sent from now on (attrs hook `on_setattr`)."""
    return instance._given(attribute.name, value)


def masked(value: object) -> str:
    """The `repr` of something secret: its keys at most."""
    if value is None:
        return "None"
    return repr(dict.fromkeys(value, "***")) if isinstance(value, Mapping) else "'***'"


@define
class Model:
    """A JSON object of the API with named fields.

    `model["key"]`, `"key" in model` and `model.get("key")` use the names of the JSON and reach declared
    fields and those that the API added since (`additional_properties`) alike.
    """

    _reads: ClassVar[Reads] = {}
    """Field -> how its JSON becomes a value; fields that are not listed are taken as they are."""
    _keys: ClassVar[Mapping[str, str]] = {}
    """Field -> JSON key, where they differ."""
    _other_names: ClassVar[Mapping[str, str]] = {}
    """Second name of a field -> the field."""
    _required: ClassVar[tuple[str, ...]] = ()
    """Fields that must be given although a field before them may be left out."""
    _lenient: ClassVar[bool] = False
    """Whether `from_dict` fills missing required fields with None."""

    additional_properties: dict[str, Any] = field(
        init=False, factory=dict, repr=False, on_setattr=setters.NO_OP
    )
    _omitted: set[str] = field(init=False, factory=set, repr=False, on_setattr=setters.NO_OP)

    def __attrs_post_init__(self) -> None:
        for name in _shape(type(self)).fields:
            if getattr(self, name) is UNSET:
                self._omit(name)
        for other, name in self._other_names.items():
            self._agree(other, name)
        for name in self._required:
            if name in self._omitted:
                raise TypeError(f"{type(self).__name__}: {name!r} is required")

    @classmethod
    def from_dict(cls, source: Mapping[str, Any]) -> Self:
        """The model that this JSON object describes.

        Unknown keys are kept in `additional_properties`; ids, times and enum members that cannot be read stay
        as they came. Raises `MalformedModel` for another shape and `MissingField` for a missing required key.
        """
        if not _is_object(source):
            raise MalformedModel(f"{cls.__name__}: expected an object, got {type(source).__name__}")
        shape = _shape(cls)
        values: dict[str, Any] = {}
        try:
            for key, name, read in shape.columns:
                if key in source:
                    value = source[key]
                    values[name] = value if value is None or read is None else read(value)
        except Mismatch as mismatch:
            raise MalformedModel(f"{cls.__name__}.{key}: {mismatch}") from None
        for name in shape.required - values.keys():
            if not cls._lenient:
                raise MissingField(f"{cls.__name__}: {shape.fields[name]!r} is missing")
            values[name] = UNSET
        model = cls(**values)
        if not source.keys() <= shape.by_key.keys():
            model.additional_properties.update(
                (key, value) for key, value in source.items() if key not in shape.by_key
            )
        return model

    def to_dict(self) -> dict[str, Any]:
        """The JSON object: additional properties, then every field that was given or has a default."""
        shape = _shape(type(self))
        fields = {
            key: plain(getattr(self, name))
            for name, key in shape.fields.items()
            if name not in self._omitted and name not in self._other_names
        }
        return {**plain(self.additional_properties), **fields}

    @property
    def additional_keys(self) -> list[str]:
        """The keys of `additional_properties`."""
        return list(self.additional_properties)

    def get(self, key: str, default: Any = None) -> Any:
        """The value under this JSON key, or `default` when it is absent."""
        return self[key] if key in self else default  # noqa: SIM401  # this is what the shorter form calls

    def __contains__(self, key: object) -> bool:
        name = _shape(type(self)).by_key.get(key)
        return key in self.additional_properties if name is None else name not in self._omitted

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        name = _shape(type(self)).by_key.get(key)
        return self.additional_properties[key] if name is None else getattr(self, name)

    def __setitem__(self, key: str, value: Any) -> None:
        name = _shape(type(self)).by_key.get(key)
        if name is None:
            self.additional_properties[key] = value
        else:
            setattr(self, name, value)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        name = _shape(type(self)).by_key.get(key)
        if name is None:
            del self.additional_properties[key]
        else:
            setattr(self, name, UNSET)

    if not TYPE_CHECKING:
        __iter__ = None  # otherwise `iter` would count up from `model[0]`

    def _omit(self, name: str) -> None:
        object.__setattr__(self, name, None)
        self._omitted.add(name)

    def _agree(self, other: str, name: str) -> None:
        """Give a field and its second name the same value."""
        if name in self._omitted and other not in self._omitted:
            self._given(other, getattr(self, other))
        elif name not in self._omitted and other in self._omitted:
            self._given(name, getattr(self, name))
        elif getattr(self, other) != getattr(self, name):
            raise TypeError(f"{type(self).__name__}: {other!r} is another name of {name!r}; give one of them")

    def _given(self, name: str, value: Any) -> Any:
        names = {name, *(pair for both in self._other_names.items() if name in both for pair in both)}
        if value is UNSET:
            self._omitted |= names
            value = None
        else:
            self._omitted -= names
        for twin in names - {name}:
            object.__setattr__(self, twin, value)
        return value


@define
class Answered(Model):
    """A JSON object that the API answers with; a required key that it left out reads as `None`."""

    _lenient: ClassVar[bool] = True


@define
class Page(Answered, Generic[T]):
    """Part of a longer list. Iterating gives its items.

    `total` counts the whole list, `skip` the items before this page, `limit` is the size that was asked for.
    """

    if TYPE_CHECKING:
        items: list[T]
        total: int
        skip: int
        limit: int

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)


class FreeForm(dict[str, Any]):
    """An object with keys of the caller's choice: a plain dict under the name of its schema."""

    @classmethod
    def from_dict(cls, source: Mapping[str, Any]) -> Self:
        """A copy of the mapping."""
        return cls(source)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object."""
        return {key: plain(value) for key, value in self.items()}

    @property
    def additional_properties(self) -> dict[str, Any]:
        """The dict itself."""
        return self

    @additional_properties.setter
    def additional_properties(self, value: Mapping[str, Any]) -> None:
        self.clear()
        self.update(value)

    @property
    def additional_keys(self) -> list[str]:
        """The keys."""
        return list(self)


def plain(value: Any) -> Any:
    """The JSON form of a value: models as objects, ids and times as text, enum members as their word."""
    match value:
        case Model():
            return value.to_dict()
        case Enum():
            return value.value
        case Mapping():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case UUID():
            return str(value)
        case dt.datetime():
            return (value if value.tzinfo else value.replace(tzinfo=dt.timezone.utc)).isoformat()
        case _:
            return value


def _is_object(source: object) -> bool:
    return isinstance(source, Mapping)


@attrs.frozen
class _Shape:
    """The fields of one model: field -> key, key -> field, how each is read, and those without a default."""

    fields: Mapping[str, str]
    by_key: Mapping[Any, str]
    columns: tuple[tuple[str, str, Reader | None], ...]
    required: frozenset[str]


_SHAPES: dict[type[Model], _Shape] = {}


def _shape(model: type[Model]) -> _Shape:
    if model not in _SHAPES:
        _SHAPES[model] = _shaped(model)
    return _SHAPES[model]


def _shaped(model: type[Model]) -> _Shape:
    own = [attribute for attribute in attrs.fields(model) if attribute.init]
    fields = {attribute.name: model._keys.get(attribute.name, attribute.name) for attribute in own}
    return _Shape(
        fields=fields,
        by_key={key: name for name, key in fields.items()},
        columns=tuple((key, name, model._reads.get(name)) for name, key in fields.items()),
        required=frozenset(attribute.name for attribute in own if attribute.default is attrs.NOTHING),
    )
