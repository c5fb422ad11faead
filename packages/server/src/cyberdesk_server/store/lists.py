"""Conditions on lists of any length, as one and the same statement.

SQLAlchemy's `in_` writes a statement for each length: it is put together anew every time, and PostgreSQL
has to plan as many statements as there are lengths. Here a list is one parameter.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Dialect,
    Select,
    String,
    Subquery,
    Text,
    TypeDecorator,
    bindparam,
    column,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from cyberdesk_server.store.types import Id, to_json


def among(one: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The condition that `one` is among the values in the parameter of this name: a collection."""
    return _Among(one, bindparam(name, type_=_ListOf(isinstance(one.type, Id))))


def each_id(name: str) -> Select[tuple[UUID]]:
    """A row for each of the ids in the parameter of this name: a collection."""
    ids = bindparam(name, type_=_ListOf(are_ids=True))
    return select(_Elements(ids).table_valued(column("value", Id)).c.value)


def each_pair_of_ids(one: str, other: str) -> Subquery:
    """A row for each two ids at the same place of the collections in these parameters, which are of one
    length: its columns are `one` and `other`."""
    return _each_pair(one, other, are_ids=True)


def each_pair_of_words(one: str, other: str) -> Subquery:
    """The same of words."""
    return _each_pair(one, other, are_ids=False)


def _each_pair(one: str, other: str, *, are_ids: bool) -> Subquery:
    lists = (bindparam(name, type_=_ListOf(are_ids)) for name in (one, other))
    type_ = Id if are_ids else String
    pairs = _Pairs(*lists).table_valued(column("one", type_), column("other", type_))
    return select(pairs.c.one, pairs.c.other).subquery()


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> "_Among":
        # A condition as it is. On SQLite it would be asked whether it equals 1, and no index serves that.
        return self


class _Elements(FunctionElement[Any]):
    inherit_cache = True


class _Pairs(FunctionElement[Any]):
    inherit_cache = True


@compiles(_Among, "postgresql")
def _on_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    one, values = (compiler.process(part, **options) for part in element.clauses)
    return f"{one} = ANY ({values})"


@compiles(_Among, "sqlite")
def _on_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    one, values = (compiler.process(part, **options) for part in element.clauses)
    return f"{one} IN (SELECT value FROM json_each({values}))"


@compiles(_Elements, "postgresql")
def _elements_on_postgresql(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT unnest({compiler.process(element.clauses, **options)}) AS value)"


@compiles(_Elements, "sqlite")
def _elements_on_sqlite(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Pairs, "postgresql")
def _pairs_on_postgresql(element: _Pairs, compiler: SQLCompiler, **options: Any) -> str:
    one, other = (compiler.process(part, **options) for part in element.clauses)
    return f"(SELECT unnest({one}) AS one, unnest({other}) AS other)"


@compiles(_Pairs, "sqlite")
def _pairs_on_sqlite(element: _Pairs, compiler: SQLCompiler, **options: Any) -> str:
    one, other = (f"json_each({compiler.process(part, **options)})" for part in element.clauses)
    columns = "ones.value AS one, others.value AS other"
    return f"(SELECT {columns} FROM {one} AS ones JOIN {other} AS others ON others.key = ones.key)"


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
