"""How long an API key was made to last: a rotation ends it sooner, and its successor lasts as long as it was to."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("life_seconds", sa.Float(), nullable=True))
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    # Of a key that has been rotated before, all that is known is when it ends now.
    life = (
        "round((julianday(expires_at) - julianday(created_at)) * 86400)"
        if is_sqlite
        else "extract(epoch FROM expires_at - created_at)"
    )
    op.execute(f"UPDATE api_keys SET life_seconds = {life} WHERE expires_at IS NOT NULL")
