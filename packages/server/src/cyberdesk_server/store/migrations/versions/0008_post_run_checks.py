"""Runs that leave their machine before their post-run checks."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LEASED = sa.text("lease_expires_at IS NOT NULL")
HOLDING = sa.text("lease_expires_at IS NOT NULL AND NOT has_left_machine")


def upgrade() -> None:
    op.add_column(
        "runs", sa.Column("has_left_machine", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.drop_index("one_run_per_machine", "runs", postgresql_where=LEASED, sqlite_where=LEASED)
    op.create_index(
        "one_run_per_machine",
        "runs",
        ["machine_id"],
        unique=True,
        postgresql_where=HOLDING,
        sqlite_where=HOLDING,
    )
