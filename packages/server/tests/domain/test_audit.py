"""A chain of entries holds, and shows where it does not."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.domain.audit import Broken, Chained, Entry, Head, by_operator, chained, verify
from cyberdesk_server.domain.ids import ApiKeyId, OrganizationId
from cyberdesk_server.testing.rows import NOON

OWN = OrganizationId("org_a")
ENTRIES = [
    Entry(OWN, NOON, ApiKeyId(uuid4()), "ci", "POST /v1/runs", ("a", str(n)), 201, f"r{n}") for n in range(3)
]
CHANGES: list[dict[str, Any]] = [
    {"organization_id": OrganizationId("org_b")},
    {"at": NOON.replace(microsecond=1)},
    {"api_key_id": None},
    {"actor": "someone"},
    {"operation": "GET /v1/runs"},
    {"targets": ("a",)},
    {"status_code": 200},
    {"request_id": ""},
]


def test_a_chain_holds_in_one_piece_and_in_parts() -> None:
    links = chained(ENTRIES, Head())

    half = verify(links[:2], Head())

    assert isinstance(half, Head)
    assert verify(links[2:], half) == verify(links, Head()) == Head(3, links[-1].hash)
    assert links[2:] == chained(ENTRIES[2:], half)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_a_changed_entry_is_found(change: dict[str, Any]) -> None:
    links = chained(ENTRIES, Head())
    links[1] = replace(links[1], entry=replace(links[1].entry, **change))

    assert verify(links, Head()) == Broken(2, "it is not what was written")


def test_a_removed_entry_is_found() -> None:
    one, _, three = chained(ENTRIES, Head())

    assert verify([one, three], Head()) == Broken(2, "it is missing: 3 comes next")
    assert verify([one, replace(three, number=2)], Head()) == Broken(2, "it is not what was written")


def test_a_hash_that_was_made_anew_breaks_what_follows() -> None:
    one, _, three = chained(ENTRIES, Head())
    [forged] = chained([replace(ENTRIES[1], actor="someone")], Head(one.number, one.hash))

    assert verify([one, forged, three], Head()) == Broken(3, "it is not what was written")


def test_what_the_operator_does_has_no_key_and_no_request() -> None:
    entry = by_operator(OWN, "keys revoke", ("k",), NOON)

    assert (entry.api_key_id, entry.actor, entry.status_code, entry.request_id) == (None, "operator", 0, "")
    assert verify([Chained(1, entry, chained([entry], Head())[0].hash)], Head()) != Head()
