"""Limits of runs and workflows."""

import sqlalchemy as sa
from alembic import op

from cyberdesk_server.store.types import UtcDateTime

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None

WAITING_WITH_A_LIMIT = sa.text("status = 'scheduling' AND start_by IS NOT NULL")


def upgrade() -> None:
    for table in ("runs", "workflows"):
        for name in ("run_time_limit_seconds", "max_turns", "wait_time_limit_seconds"):
            op.add_column(table, sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("start_within_seconds", sa.Float(), nullable=True))
    op.add_column("runs", sa.Column("start_by", UtcDateTime(), nullable=True))
    op.create_index(
        "ix_runs_overdue",
        "runs",
        ["start_by"],
        postgresql_where=WAITING_WITH_A_LIMIT,
        sqlite_where=WAITING_WITH_A_LIMIT,
    )
