"""A machine that takes more or fewer runs than before is news by itself, and no free one when a run holds it;
an organization with an opening stands in line by itself."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

WHERE_IT_STANDS = ("status", "connection_id", "server_id", "is_available", "reserved_session_id")
"""What decides, beside the run that holds it, which runs a machine takes."""

TELL = "INSERT INTO news (machine_id) VALUES ({}.{});"
FORGET_OFFERS = "DELETE FROM offers WHERE machine_id = NEW.id;"
STAND_IN_LINE = (
    "INSERT INTO standings (server_id, organization_id, last_claim)"
    " SELECT NEW.server_id, organizations.id, organizations.last_claim FROM organizations"
    " WHERE organizations.id = NEW.organization_id AND NOT EXISTS (SELECT 1 FROM standings"
    " WHERE server_id = NEW.server_id AND organization_id = NEW.organization_id);"
)


def upgrade() -> None:
    is_distinct = "IS NOT" if op.get_bind().dialect.name == "sqlite" else "IS DISTINCT FROM"
    old, new = (", ".join(f"{row}.{name}" for name in WHERE_IT_STANDS) for row in ("OLD", "NEW"))
    is_let_go = "OLD.held_by_run_id IS NOT NULL AND NEW.held_by_run_id IS NULL"
    changes = f"UPDATE OF {', '.join(WHERE_IT_STANDS)}, held_by_run_id"
    tells = f"({old}) {is_distinct} ({new}) OR ({is_let_go})"
    _trigger("tell_of_new_machine", "INSERT ON machines", TELL.format("NEW", "id"))
    _trigger("tell_of_changed_machine", f"{changes} ON machines", TELL.format("NEW", "id"), when=tells)
    _trigger("tell_of_gone_machine", "DELETE ON machines", TELL.format("OLD", "id"))
    _trigger("tell_of_member", "INSERT ON pool_machines", TELL.format("NEW", "machine_id"))
    _trigger("tell_of_former_member", "DELETE ON pool_machines", TELL.format("OLD", "machine_id"))
    is_held = "NEW.held_by_run_id IS NOT NULL"
    _trigger("forget_offers", "UPDATE OF held_by_run_id ON machines", FORGET_OFFERS, when=is_held)
    _trigger("stand_in_line", "INSERT ON openings", STAND_IN_LINE)
    _trigger("stand_in_line_again", "UPDATE ON openings", STAND_IN_LINE)


def _trigger(name: str, event: str, does: str, when: str = "") -> None:
    condition = f"WHEN ({when})" if when else ""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER {name} AFTER {event} {condition} BEGIN {does} END")
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does} RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} AFTER {event} FOR EACH ROW {condition} EXECUTE FUNCTION {name}()"
    )
