"""Limits of money, and steps that are parts of a step."""

import sqlalchemy as sa
from alembic import op

from cyberdesk_server.store.types import Id

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("runs", "workflows"):
        op.add_column(table, sa.Column("cost_limit_usd", sa.Float(), nullable=True))
    op.add_column(
        "runs", sa.Column("cost_before_usd", sa.Float(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("steps", sa.Column("within", Id(), nullable=True))
