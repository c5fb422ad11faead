"""docs/reference/http.md and the API say the same."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from cyberdesk_server.api.errors import DESKTOP_STATUS, IN_PROGRESS, PASSED_ON, STATUS
from cyberdesk_server.api.rates import Rates
from cyberdesk_server.api.schemas.common import MAX_KEY_LENGTH
from cyberdesk_server.api.writes import REPLAYED
from cyberdesk_server.domain.ids import ApiKeyId
from cyberdesk_server.store.idempotency import LIFE
from cyberdesk_server.testing.rows import NOON

OF_THE_EDGE = {401, 405, 413, 429, 500}
"""Statuses of no refusal: they come before an operation or of its failure."""


def test_every_status_of_a_refusal_has_its_row(page: Callable[[str], Any]) -> None:
    rows = page("http.md").section("Refusals").rows
    told = {int(status) for row in rows for status in row[0].split(", ")}

    assert told == {*STATUS.values(), *DESKTOP_STATUS.values(), *PASSED_ON, *OF_THE_EDGE}


def test_every_header_of_a_rate_limit_has_its_row(page: Callable[[str], Any]) -> None:
    rates, key_id = Rates(1, 10), ApiKeyId(uuid4())
    rates.take(key_id, NOON)
    told = {row[0].strip("`") for row in page("http.md").section("How often").rows}

    assert told == set(rates.take(key_id, NOON).headers())


def test_what_is_said_of_idempotency_keys_is_so(page: Callable[[str], Any]) -> None:
    section = page("http.md").section("A write that is sent again")
    rows = dict(section.rows)

    assert f"(1 to {MAX_KEY_LENGTH} characters)" in section.text
    assert f"kept for {LIFE.total_seconds() / 3600:g} hours" in section.text
    headers = {"was answered": REPLAYED, "belongs to a write that is going on": IN_PROGRESS}
    assert {name: dict(re.findall(r"`([\w-]+): (\w+)`", rows[name])) for name in headers} == headers
