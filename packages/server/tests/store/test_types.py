"""Values survive the database, on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.domain.json import uuid_as_text
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.outbox import payload
from cyberdesk_server.store.types import from_json, storable_text, to_json
from cyberdesk_server.testing.rows import NOON, a_machine, an_organization
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("żółw 漢 \U0001f600 '%_\\", "żółw 漢 \U0001f600 '%_\\"),
        ("a\0b", "a�b"),
        ("a\ud800b", "a�b"),
    ],
)
async def test_text_is_kept_or_made_keepable(database: Database, written: str, read: str) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)

        machine = await a_machine(
            conn, organization, name=written, machine_parameters={written: [written, {"n": 2**80}]}
        )

    assert machine.name == read
    assert machine.machine_parameters in (
        {read: [read, {"n": str(2**80)}]},
        {written: [written, {"n": str(2**80)}]},
    )


async def test_times_are_read_in_utc_to_the_microsecond(database: Database) -> None:
    moment = datetime(2030, 1, 1, 0, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    async with database.transaction() as conn:
        machine = await a_machine(conn, await an_organization(conn), last_seen=moment)

    assert machine.last_seen == moment
    assert machine.last_seen.tzinfo is UTC


async def test_what_was_read_is_written_as_json_like_what_was_made(database: Database) -> None:
    """Drivers have classes of their own for UUIDs and times."""
    async with database.transaction() as conn:
        machine = await a_machine(conn, await an_organization(conn), last_seen=NOON)
    read = {"id": machine.id, "at": machine.last_seen}
    made = {"id": UUID(str(machine.id)), "at": NOON}

    assert read == made
    assert to_json(read) == to_json(made)
    assert JsonAnswer(read).body == JsonAnswer(made).body
    assert _payload(read) == _payload(made)


def _payload(facts: dict[str, Any]) -> str:
    return payload(facts["id"], "machine.connected", facts, occurred_at=facts["at"])


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="object is not JSON"):
        uuid_as_text(object())


@given(st.text())
def test_text_that_can_be_kept_is_not_touched(text: str) -> None:
    kept = storable_text(text)

    assert kept.encode().decode() == kept
    assert "\0" not in kept
    if "\0" not in text and kept == text.encode("utf-8", "replace").decode():
        assert kept == text


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(ANY)
def test_any_json_value_can_be_kept(value: Any) -> None:
    from_json(to_json(value))
