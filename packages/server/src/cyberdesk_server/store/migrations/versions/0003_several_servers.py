"""Several servers on one database: who they are, who holds which tunnel, in whose hands a run is."""

import sqlalchemy as sa
from alembic import op

from cyberdesk_server.store.types import UtcDateTime, Words

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

IDLE = sa.text(
    "status = 'connected' AND connection_id IS NOT NULL AND is_available AND held_by_run_id IS NULL"
    " AND reserved_session_id IS NULL"
)

OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "servers",
        sa.Column("id", Words(), nullable=False),
        sa.Column("folder", Words(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_servers"),
    )
    op.add_column("machines", sa.Column("server_id", Words(), nullable=True))
    op.drop_index("ix_machines_idle", "machines", postgresql_where=IDLE, sqlite_where=IDLE)
    op.create_index(
        "ix_machines_idle",
        "machines",
        ["organization_id", "server_id", "id"],
        postgresql_where=IDLE,
        sqlite_where=IDLE,
    )
    # Until now there was one process, and it has ended: nobody will ever say this of its tunnels.
    op.execute(
        "UPDATE connections SET status = 'disconnected', disconnected_at = last_ping"
        " WHERE id IN (SELECT connection_id FROM machines WHERE connection_id IS NOT NULL)"
    )
    op.execute(
        "UPDATE machines SET status = 'disconnected', connection_id = NULL WHERE connection_id IS NOT NULL"
    )
    op.execute("ALTER TABLE runs RENAME COLUMN worker_id TO server_id")
    op.create_index("ix_sessions_open", "sessions", ["created_at"], postgresql_where=OPEN, sqlite_where=OPEN)
