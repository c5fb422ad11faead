"""What the scheduler knows: news it has not looked at, offers of machines, openings, who stands in line."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, false, text

from cyberdesk_server.store.tables.shared import metadata
from cyberdesk_server.store.types import Id, UtcDateTime, Words

# None of these has foreign keys: what they name may be gone, and a decision waits for nobody's lock.

news = Table(
    "news",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    # New runs are written here by a trigger of `runs`.
    # Either a machine that takes more or less than before, or a demand that a run began to wait with.
    Column("machine_id", Id),
    Column("organization_id", String(64)),
    Column("demand", String(64)),
    # The demand is of a set of pools that was never asked for before.
    Column("is_new_set", Boolean, nullable=False, server_default=false()),
)

offers = Table(
    "offers",
    metadata,
    # A free machine, the server that holds its tunnel, and a demand it satisfies.
    Column("server_id", Words, primary_key=True),
    Column("organization_id", String(64), primary_key=True),
    Column("demand", String(64), primary_key=True),
    Column("machine_id", Id, primary_key=True, index=True),
)

openings = Table(
    "openings",
    metadata,
    # A demand that runs wait with and machines of the server satisfy.
    Column("server_id", Words, primary_key=True),
    Column("organization_id", String(64), primary_key=True),
    Column("demand", String(64), primary_key=True),
    # No waiting run of this demand is better than that; the best may be worse by now.
    Column("is_priority", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(
        "ix_openings_best",
        "server_id",
        "organization_id",
        text("is_priority DESC"),
        "created_at",
        "demand",
    ),
)

standings = Table(
    "standings",
    metadata,
    # An organization that has an opening at the server.
    Column("server_id", Words, primary_key=True),
    Column("organization_id", String(64), primary_key=True),
    # The number of its last claim, or of an earlier one: it may be later in line by now.
    Column("last_claim", BigInteger, nullable=False),
    Index("ix_standings_line", "server_id", "last_claim", "organization_id"),
)
