"""Codes decide what happens next, texts never do."""

import pytest
from cyberdriver.errors import KeyRefused, TurnedAway
from cyberdriver.tunnel.verdicts import Stop, TryAgain, Verdict, WaitFor, after_close, after_status
from hypothesis import given
from hypothesis import strategies as st

FINAL_CLOSES = {4001}
TIMED_CLOSES = {4008, 4009}


@given(code=st.integers(1000, 4999), reason=st.text(max_size=123))
def test_only_4001_ends_for_good(code: int, reason: str) -> None:
    assert isinstance(after_close(code, reason), Stop) == (code in FINAL_CLOSES)
    assert isinstance(after_close(code, reason), WaitFor) == (code in TIMED_CLOSES)


@given(status=st.integers(100, 599), text=st.text(max_size=50))
def test_only_401_and_403_refuse_the_key(status: int, text: str) -> None:
    assert isinstance(after_status(status, None, text), Stop) == (status in {401, 403})


@pytest.mark.parametrize(
    ("reason", "seconds"),
    [
        ("Wait 7 seconds", 7),
        ("please wait 12 s", 12),
        ("retry-after=30", 30),
        ("Wait 9999 seconds", 300),
        ("later", 60),
        ("", 60),
    ],
)
def test_4008_says_how_long_to_wait(reason: str, seconds: float) -> None:
    verdict = after_close(4008, reason)

    assert isinstance(verdict, WaitFor)
    assert verdict.seconds == seconds


@pytest.mark.parametrize(
    ("status", "retry_after", "expected"),
    [
        (429, "5", WaitFor(5, "the server is busy (HTTP 429)")),
        (503, "9999", WaitFor(300, "the server is busy (HTTP 503)")),
        (503, "Wed, 21 Oct 2015 07:28:00 GMT", TryAgain("the server answered HTTP 503")),
        (429, None, TryAgain("the server answered HTTP 429")),
        (404, "5", TryAgain("the server has no tunnel at this address (HTTP 404)")),
        (500, None, TryAgain("the server answered HTTP 500")),
    ],
)
def test_an_http_answer_says_when_to_come_back(
    status: int, retry_after: str | None, expected: Verdict
) -> None:
    assert after_status(status, retry_after, None) == expected


def test_a_redirect_is_named_and_not_followed() -> None:
    verdict = after_status(308, None, "https://elsewhere.example")

    assert isinstance(verdict, TryAgain)
    assert "https://elsewhere.example" in verdict.why


def test_the_end_says_why() -> None:
    assert str(TurnedAway(4001, "disabled")).endswith("(close code 4001): disabled")
    assert "HTTP 403" in str(KeyRefused(403))
