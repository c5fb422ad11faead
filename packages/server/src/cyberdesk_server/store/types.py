"""Column types that mean the same on SQLite and on PostgreSQL, and JSON as the database keeps it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import CHAR, JSON, DateTime, Dialect, Text, TypeDecorator
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from cyberdesk_server.domain.json import JsonValue, uuid_as_text


class _NativeOnPostgresql(TypeDecorator[Any]):
    """A type whose values the driver of PostgreSQL takes and gives as they are.

    Its UUIDs are of a class of its own. Making them Python's, in a codec of the connection, would cost a
    sixth of the runs per second; JSON writes them by `uuid_as_text`.
    """

    def bind_processor(self, dialect: Dialect) -> Any:
        return None if dialect.name == "postgresql" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        return None if dialect.name == "postgresql" else super().result_processor(dialect, coltype)


class Id(_NativeOnPostgresql):
    """A UUID: native on PostgreSQL, 36 readable characters on SQLite."""

    impl = CHAR(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        return dialect.type_descriptor(CHAR(36))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> UUID | None:
        return None if value is None else UUID(value)


class UtcDateTime(_NativeOnPostgresql):
    """An aware time in UTC, to the microsecond. SQLite keeps it without the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Words(TypeDecorator[str]):
    """Text. What no database can keep (NUL, half a surrogate pair) is kept as U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable_text(value)


Json = JSON(none_as_null=True)


def storable_text(text: str) -> str:
    """`text` without characters a database refuses."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "�").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def storable(value: JsonValue) -> JsonValue:
    """`value` without characters and numbers the database's JSON refuses.

    Whole numbers beyond 64 bits become text, so that no digit is lost.
    """
    match value:
        case str():
            return storable_text(value)
        case bool():
            return value
        case int() if not -(2**63) <= value < 2**64:
            return str(value)
        case dict():
            return {storable_text(str(name)): storable(item) for name, item in value.items()}
        case list() | tuple():
            return [storable(item) for item in value]
        case _:
            return value


def to_json(value: Any) -> str:
    """JSON text for a column."""
    try:
        return orjson.dumps(value, uuid_as_text).decode()
    except TypeError:
        return orjson.dumps(storable(value), uuid_as_text).decode()


def from_json(text: str | bytes) -> Any:
    return orjson.loads(text)
