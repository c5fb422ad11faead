"""A new run that waits is news by itself."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # It tells of each row. Many that are made together mostly have one demand: what was told last need not
        # be told again.
        op.execute(
            "CREATE TRIGGER tell_of_new_run AFTER INSERT ON runs WHEN NEW.status = 'scheduling' BEGIN"
            " INSERT INTO news (organization_id, demand) SELECT NEW.organization_id, NEW.demand"
            " WHERE (NEW.organization_id, NEW.demand)"
            " IS NOT (SELECT organization_id, demand FROM news ORDER BY id DESC LIMIT 1); END"
        )
        return
    op.execute(
        "CREATE FUNCTION tell_of_new_runs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO news (organization_id, demand)"
        " SELECT DISTINCT organization_id, demand FROM made WHERE status = 'scheduling';"
        " RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER tell_of_new_runs AFTER INSERT ON runs REFERENCING NEW TABLE AS made"
        " FOR EACH STATEMENT EXECUTE FUNCTION tell_of_new_runs()"
    )
