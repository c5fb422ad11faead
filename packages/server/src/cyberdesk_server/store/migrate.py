"""Bringing a database to the shape this server needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from cyberdesk_server.store import migrations

MIGRATION_LOCK = 0x43594D49
"""Key of the advisory lock that lets one process migrate at a time on PostgreSQL."""


async def migrate(url: str) -> None:
    """Run every migration the database at `url` lacks; all of them or none.

    Any number of processes may call this at once: they wait for each other.
    """
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            await connection.run_sync(upgrade)
    finally:
        await engine.dispose()


def upgrade(connection: Connection) -> None:
    """Run the migrations on this connection, inside its transaction."""
    command.upgrade(configuration(connection), "head")


def configuration(connection: Connection) -> Config:
    """Alembic's settings, made here so that no file has to travel with the server."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    return config
