"""Places in vaults outside of the database that are to be emptied."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table

from cyberdesk_server.store.tables.shared import metadata
from cyberdesk_server.store.types import UtcDateTime

places_to_discard = Table(
    "places_to_discard",
    metadata,
    Column("place", LargeBinary, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    # Not before: the write that may make use of the place is given its time.
    Column("due_at", UtcDateTime, nullable=False, index=True),
    Column("failures", Integer, nullable=False, server_default="0"),
)
