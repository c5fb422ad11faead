"""Replays: what trajectories were recorded for, and what the guard said of them."""

import sqlalchemy as sa
from alembic import op

from cyberdesk_server.store.types import Json, Words

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("anchors", "volatile", "detection"):
        op.add_column("steps", sa.Column(name, Json, nullable=True))
    for name in ("prompt_digest", "calls_digest"):
        op.add_column("trajectories", sa.Column(name, Words(), nullable=True))
