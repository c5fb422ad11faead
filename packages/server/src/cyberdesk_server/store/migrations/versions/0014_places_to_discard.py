"""Places of secrets outside of the database, from the moment nobody needs them until they are empty."""

import sqlalchemy as sa
from alembic import op

from cyberdesk_server.store.types import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "places_to_discard",
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_places_to_discard"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_places_to_discard_organization_id"
        ),
    )
    op.create_index("ix_places_to_discard_due_at", "places_to_discard", ["due_at"])
