"""Files inside request bodies."""

from collections.abc import Iterator
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema

from cyberdesk_server.domain.base64_text import Base64Text


def _file_content(value: object) -> Base64Text:
    if isinstance(value, Base64Text):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a text: the file as base64")
    return Base64Text(value)


FileContent = Annotated[
    Base64Text,
    PlainValidator(_file_content),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
    Field(repr=False),
]
"""A file as base64."""

FileName = Annotated[str, Field(min_length=1, max_length=255)]


def places_of_files(body: Any) -> frozenset[tuple[str, ...]]:
    """Where a body of this type holds files: names of members from the outermost in."""
    return frozenset(_places(body))


def _places(type_: Any) -> Iterator[tuple[str, ...]]:
    if type_ is Base64Text:
        yield ()
    elif isinstance(type_, type) and issubclass(type_, BaseModel):
        for name, field in type_.model_fields.items():
            yield from ((name, *place) for place in _places(field.annotation))
    else:
        for inner in get_args(type_):
            yield from _places(inner)
