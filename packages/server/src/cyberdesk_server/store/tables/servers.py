"""The processes that share this database."""

from sqlalchemy import Column, Table

from cyberdesk_server.store.tables.shared import metadata
from cyberdesk_server.store.types import UtcDateTime, Words

servers = Table(
    "servers",
    metadata,
    Column("id", Words, primary_key=True),
    # Which data folder it runs on: a process that starts there knows that the one before has ended.
    Column("folder", Words, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    # By the server's own clock. The others only look whether it changes.
    Column("seen_at", UtcDateTime, nullable=False),
)
