"""Decisions of the scheduler look only at what has changed; organizations come one after the other."""

import sqlalchemy as sa
from alembic import op

from cyberdesk_server.store.types import Id, UtcDateTime, Words

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

IDLE = sa.text(
    "status = 'connected' AND connection_id IS NOT NULL AND is_available AND held_by_run_id IS NULL"
    " AND reserved_session_id IS NULL"
)


def upgrade() -> None:
    op.create_table(
        "news",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("machine_id", Id(), nullable=True),
        sa.Column("organization_id", sa.String(length=64), nullable=True),
        sa.Column("demand", sa.String(length=64), nullable=True),
        sa.Column("is_new_set", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_news"),
    )
    op.create_table(
        "offers",
        sa.Column("server_id", Words(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("demand", sa.String(length=64), nullable=False),
        sa.Column("machine_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("server_id", "organization_id", "demand", "machine_id", name="pk_offers"),
    )
    op.create_index("ix_offers_machine_id", "offers", ["machine_id"])
    op.create_table(
        "openings",
        sa.Column("server_id", Words(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("demand", sa.String(length=64), nullable=False),
        sa.Column("is_priority", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("server_id", "organization_id", "demand", name="pk_openings"),
    )
    best = ["server_id", "organization_id", sa.text("is_priority DESC"), "created_at", "demand"]
    op.create_index("ix_openings_best", "openings", best)
    op.add_column("organizations", sa.Column("last_claim", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_organizations_last_claim", "organizations", ["last_claim", "id"])
    op.drop_index("ix_machines_idle", "machines", postgresql_where=IDLE, sqlite_where=IDLE)
    op.add_column("pool_sets", sa.Column("rarest_pool_id", Id(), nullable=True))
    op.create_index("ix_pool_sets_rarest_pool_id", "pool_sets", ["rarest_pool_id"])
    op.execute(
        "UPDATE pool_sets SET rarest_pool_id = pool_id WHERE NOT EXISTS (SELECT 1 FROM pool_sets AS other"
        " WHERE other.demand = pool_sets.demand AND other.pool_id < pool_sets.pool_id)"
    )
    # What waits and what is free already is news to the first decision.
    op.execute("INSERT INTO news (machine_id) SELECT id FROM machines")
    op.execute(
        "INSERT INTO news (organization_id, demand)"
        " SELECT DISTINCT organization_id, demand FROM runs WHERE status = 'scheduling'"
    )
