"""Rate limits: buckets, and what callers see of them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.app import create_app
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.rates import Allowance, Rates
from cyberdesk_server.domain.ids import ApiKeyId
from cyberdesk_server.testing.rows import NOON
from hypothesis import given
from hypothesis import strategies as st

KEY = ApiKeyId(uuid4())
OTHER = ApiKeyId(uuid4())
SECOND = timedelta(seconds=1)


def test_a_quiet_key_may_ask_all_at_once_and_then_one_by_one() -> None:
    rates = Rates(2, 10)

    answers = [rates.take(KEY, NOON + seconds * SECOND) for seconds in (0, 0, 0, 4, 5, 5)]

    assert answers == [
        Allowance(2, 1, NOON + 5 * SECOND),
        Allowance(2, 0, NOON + 10 * SECOND),
        Allowance(2, 0, NOON + 10 * SECOND, wait=5 * SECOND),
        Allowance(2, 0, NOON + 10 * SECOND, wait=1 * SECOND),
        Allowance(2, 0, NOON + 15 * SECOND),
        Allowance(2, 0, NOON + 15 * SECOND, wait=5 * SECOND),
    ]


@given(st.integers(1, 1000), st.floats(0.001, 86_400))
def test_a_full_bucket_holds_exactly_so_many(requests: int, seconds: float) -> None:
    rates = Rates(requests, seconds)

    remaining = [rates.take(KEY, NOON).remaining for _ in range(requests)]

    assert (remaining[0], remaining[-1]) == (requests - 1, 0)
    assert rates.take(KEY, NOON).wait


def test_keys_do_not_share() -> None:
    rates = Rates(1, 10)

    assert not rates.take(KEY, NOON).wait
    assert not rates.take(OTHER, NOON).wait
    assert rates.take(KEY, NOON).wait


def test_what_is_kept_is_bounded_by_the_keys_of_one_window() -> None:
    rates = Rates(100, 10)

    for number in range(1000):
        rates.take(ApiKeyId(uuid4()), NOON + number * SECOND)

    assert len(rates) <= 10


def test_a_clock_that_was_set_back_locks_nobody_out() -> None:
    rates = Rates(1, 10)
    rates.take(KEY, NOON + timedelta(days=1))

    assert rates.take(KEY, NOON).wait <= 10 * SECOND


@pytest.fixture
async def limited(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that allows two requests in an hour."""
    transport = httpx.ASGITransport(create_app(replace(parts, rates=Rates(2, 3600))))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://server", headers={"Authorization": "Bearer cd_own"}
    ) as client:
        yield client


async def test_a_caller_sees_what_is_left_and_when_to_come_back(limited: httpx.AsyncClient) -> None:
    answers = [await limited.get("/v1/runs"), await limited.get("/v1/runs/x"), await limited.get("/v1/runs")]

    told = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after")
    noon = int(NOON.timestamp())
    assert [answer.status_code for answer in answers] == [200, 422, 429]
    assert [[answer.headers.get(name) for name in told] for answer in answers] == [
        ["2", "1", str(noon + 1 + 1800), None],
        ["2", "0", str(noon + 1 + 3600), None],
        ["2", "0", str(noon + 1 + 3600), "1798"],
    ]
    assert answers[2].json() == {"detail": "too many requests with this API key; try again in 1798 seconds"}


async def test_a_request_too_many_does_nothing_and_is_not_remembered(
    limited: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    key = {"Idempotency-Key": "k-1"}
    for _ in range(2):
        await limited.get("/v1/runs")

    too_many = await limited.post("/v1/workflows", json={"name": "A"}, headers=key)
    none = (await client.get("/v1/workflows")).json()["total"]
    again = await client.post("/v1/workflows", json={"name": "A"}, headers=key)

    assert (too_many.status_code, none, again.status_code) == (429, 0, 201)


@pytest.mark.parametrize(
    "path", ["/", "/health", "/health/ready", "/v1/health", "/v1/health/db", "/v1/health/machines"]
)
async def test_health_is_outside_the_limit(limited: httpx.AsyncClient, path: str) -> None:
    answers = [await limited.get(path) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert "x-ratelimit-limit" not in answers[0].headers


async def test_a_wrong_key_is_refused_and_takes_nothing_from_others(limited: httpx.AsyncClient) -> None:
    for _ in range(4):
        wrong = await limited.get("/v1/runs", headers={"Authorization": "Bearer cd_wrong"})
        assert wrong.status_code == 401

    assert (await limited.get("/v1/runs")).headers["x-ratelimit-remaining"] == "1"


async def test_without_the_setting_there_is_no_limit(client: httpx.AsyncClient) -> None:
    answers = [await client.get("/v1/runs") for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}
    assert "x-ratelimit-limit" not in answers[0].headers
