"""Conditions on lists of any length, as one and the same statement.

SQLAlchemy's `in_` writes a statement for each length: it is put together anew every time, and PostgreSQL
has to plan as many statements as there are lengths. Here a list is one parameter.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, Boolean, ColumnElement, Dialect, String, Text, TypeDecorator, bindparam
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from cyberdesk_server.store.types import Id, to_json


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The condition that the column has one of the values in the parameter of this name: a collection."""
    element = bindparam(name, type_=_ListOf(isinstance(column.type, Id)))
    return _Among(column, element)


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_Among, "postgresql")
def _on_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(_Among, "sqlite")
def _on_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"


class _ListOf(TypeDecorator[Collection[Any]]):
    """Ids or words: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, are_ids: bool) -> None:
        super().__init__()
        self.are_ids = are_ids

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            one = postgresql.UUID(as_uuid=True) if self.are_ids else String()
            return dialect.type_descriptor(ARRAY(one))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        given = list(value or ())
        return given if dialect.name == "postgresql" else to_json(given)
