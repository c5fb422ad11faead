"""Trajectories on trial, and what came of it."""

import sqlalchemy as sa
from alembic import op

from cyberdesk_server.store.types import Json

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "trajectories", sa.Column("is_on_trial", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("trajectories", sa.Column("trial", Json, nullable=True))
