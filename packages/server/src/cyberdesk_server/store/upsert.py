"""INSERT … ON CONFLICT in the dialect of the connection."""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert(conn: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert into `table` that knows `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return insert_of(conn.dialect.name, table)


def insert_of(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """The same, for statements that are put together once."""
    if dialect == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
