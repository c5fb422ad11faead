"""Webhooks: signatures that receivers know, and patience with those that do not answer."""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cyberdesk_server.domain.ids import OrganizationId, WebhookEndpointId, WebhookMessageId
from cyberdesk_server.domain.webhooks import (
    FAILING_LIMIT,
    Answer,
    WebhookDisabledReason,
    WebhookEndpoint,
    is_secret,
    judged,
    new_secret,
    next_attempt,
    signed_headers,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
MESSAGE = WebhookMessageId(UUID(int=1))


def an_answer(status_code: int | None = 500, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(NOW, 3, "https://receiver", {}, status_code, named)


def an_endpoint(**fields: Any) -> WebhookEndpoint:
    usual = (WebhookEndpointId(UUID(int=2)), OrganizationId("org"), "https://receiver", ())
    return WebhookEndpoint(*usual, created_at=NOW, updated_at=NOW, **fields)


def waits_seconds(answer: Answer, *, luck: float = 0.0) -> list[float | None]:
    next_ones = [next_attempt(failures, answer, now=NOW, luck=luck) for failures in range(1, 9)]
    return [None if moment is None else (moment - NOW).total_seconds() for moment in next_ones]


def test_a_delivery_is_tried_eight_times_in_about_a_day() -> None:
    assert waits_seconds(an_answer()) == [5, 300, 1800, 7200, 18_000, 36_000, 36_000, None]


@given(st.floats(0, 1))
def test_jitter_makes_a_wait_longer_by_a_fifth_at_most(luck: float) -> None:
    for plain, wait in zip(waits_seconds(an_answer()), waits_seconds(an_answer(), luck=luck), strict=True):
        assert (plain is None) == (wait is None)
        assert plain is None or wait is None or plain <= wait <= plain * 1.2 + 0.001


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("60", 60),
        (" 120 ", 120),
        ("Tue, 01 Jan 2030 12:10:00 GMT", 600),
        ("999999999999999999", 86_400),
        ("1", 5),
        ("-7", 5),
        ("Mon, 31 Dec 2029 12:00:00 GMT", 5),
        ("soon", 5),
        ("", 5),
    ],
)
def test_an_endpoint_may_ask_for_more_patience_and_not_for_less(said: str, seconds: float) -> None:
    assert waits_seconds(an_answer(503, retry_after=said))[0] == seconds


def test_no_patience_makes_another_attempt_after_the_last() -> None:
    assert waits_seconds(an_answer(429, retry_after="60"))[-1] is None


@pytest.mark.parametrize(
    ("status_code", "is_success"),
    [
        (200, True),
        (204, True),
        (299, True),
        (199, False),
        (302, False),
        (410, False),
        (500, False),
        (None, False),
    ],
)
def test_only_2xx_is_a_success(status_code: int | None, is_success: bool) -> None:
    assert an_answer(status_code).is_success is is_success


def test_an_endpoint_is_given_up_after_five_days_without_a_success() -> None:
    failing = judged(an_endpoint(), an_answer(500), now=NOW)
    nearly = judged(failing, an_answer(None), now=NOW + FAILING_LIMIT - timedelta(seconds=1))
    given_up = judged(nearly, an_answer(500), now=NOW + FAILING_LIMIT)

    assert (failing.failing_since, failing.is_enabled) == (NOW, True)
    assert nearly == failing
    assert (given_up.disabled_at, given_up.disabled_reason) == (
        NOW + FAILING_LIMIT,
        WebhookDisabledReason.FAILING,
    )


def test_a_success_is_a_new_beginning() -> None:
    assert judged(an_endpoint(failing_since=NOW), an_answer(204), now=NOW) == an_endpoint()


def test_an_endpoint_that_is_gone_is_given_up_at_once() -> None:
    gone = judged(an_endpoint(), an_answer(410), now=NOW)

    assert (gone.disabled_at, gone.disabled_reason) == (NOW, WebhookDisabledReason.GONE)


def test_why_an_endpoint_was_disabled_first_stays() -> None:
    disabled = an_endpoint(disabled_at=NOW, disabled_reason=WebhookDisabledReason.REQUESTED)

    assert judged(disabled, an_answer(410), now=NOW).disabled_reason is WebhookDisabledReason.REQUESTED


@given(st.binary(max_size=100))
def test_each_secret_signs_in_both_spellings(body: bytes) -> None:
    secrets = [new_secret(), new_secret()]

    headers = signed_headers(MESSAGE, body, secrets, now=NOW)

    signed = b"%s.%d.%s" % (str(MESSAGE).encode(), NOW.timestamp(), body)
    expected = [
        "v1," + base64.b64encode(hmac.digest(base64.b64decode(secret[6:]), signed, "sha256")).decode()
        for secret in secrets
    ]
    assert headers == {
        f"{prefix}-{name}": value
        for prefix in ("webhook", "svix")
        for name, value in {
            "id": str(MESSAGE),
            "timestamp": str(int(NOW.timestamp())),
            "signature": " ".join(expected),
        }.items()
    }


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        pytest.param(new_secret(), True, id="new"),
        ("whsec_" + base64.b64encode(b"k" * 24).decode(), True),
        ("whsec_" + base64.b64encode(b"k" * 23).decode(), False),
        ("whsec_" + base64.b64encode(b"k" * 65).decode(), False),
        (base64.b64encode(b"k" * 32).decode(), False),
        ("whsec_ä", False),
        ("whsec_%%%", False),
        ("", False),
    ],
)
def test_a_secret_has_a_key_of_24_to_64_bytes(text: str, is_one: bool) -> None:
    assert is_secret(text) is is_one
