"""Organizations with something to start stand in line; the steps of a chain are found by it."""

import sqlalchemy as sa
from alembic import op

from cyberdesk_server.store.types import Words

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CHAINED = sa.text("chain_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "standings",
        sa.Column("server_id", Words(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("last_claim", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("server_id", "organization_id", name="pk_standings"),
    )
    op.create_index("ix_standings_line", "standings", ["server_id", "last_claim", "organization_id"])
    op.execute(
        "INSERT INTO standings (server_id, organization_id, last_claim)"
        " SELECT DISTINCT openings.server_id, organizations.id, organizations.last_claim"
        " FROM openings JOIN organizations ON organizations.id = openings.organization_id"
    )
    op.create_index(
        "ix_runs_chain", "runs", ["chain_id"], postgresql_where=CHAINED, sqlite_where=CHAINED
    )
