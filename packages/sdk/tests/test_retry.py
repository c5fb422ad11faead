"""When a request is sent again, and how long before: the rule alone, then both clients against a server."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberdesk import ClientClosed, CyberdeskClient, RetryConfig, RunCreate, UnexpectedStatus
from cyberdesk._flow import Answer, NoAnswer, Pause, ReadClock, Reading, Request, Send, sent
from cyberdesk._retry import (
    LONGEST_RETRY_AFTER_SECONDS,
    RETRIED_STATUSES,
    retry_after_seconds,
    retrying,
)
from cyberdesk.testing import Scripted, a_page, a_run

RUN = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"
NOW = dt.datetime(2025, 1, 31, 12, 0, 0, tzinfo=dt.timezone.utc)
REQUEST = Request("GET", "/v1/runs")
GOOD = Answer(200, {}, b"{}")
BROKEN = NoAnswer(httpx.ConnectError("refused"), "network_error")
HOPELESS = NoAnswer(httpx.UnsupportedProtocol("no scheme"), "network_error", is_permanent=True)

passing_failures = st.one_of(
    st.just(BROKEN),
    st.just(NoAnswer(httpx.ReadTimeout("slow"), "timeout")),
    st.sampled_from(sorted(RETRIED_STATUSES)).map(lambda status: Answer(status, {}, b"")),
    st.just(Answer(409, {"idempotency-status": "In_Progress"}, b"")),
)
final_outcomes = st.one_of(
    st.just(GOOD),
    st.just(HOPELESS),
    st.sampled_from([201, 204, 304, 400, 401, 403, 404, 409, 422, 425, 501, 520]).map(
        lambda status: Answer(status, {}, b"")
    ),
)


def performed(outcomes, retry, jitter=lambda longest: longest):
    """What the flow answers, how often it sent and what it paused, when sending has these outcomes."""
    flow = retrying(lambda number: sent(REQUEST), retry, jitter, is_promised=lambda status: status == 200)
    sends, pauses, answer = 0, [], None
    while True:
        try:
            action = flow.send(answer)
        except StopIteration as end:
            return end.value, sends, pauses
        match action:
            case Send():
                answer, sends = outcomes[min(sends, len(outcomes) - 1)], sends + 1
            case Pause(seconds):
                pauses.append(seconds)
                answer = None
            case ReadClock():
                answer = Reading(0.0, NOW)


@given(st.lists(passing_failures, max_size=12), final_outcomes, st.integers(0, 8))
def test_the_first_final_outcome_is_the_answer(failures, final, max_retries):
    outcome, sends, pauses = performed([*failures, final], RetryConfig(max_retries=max_retries))

    assert sends == min(len(failures), max_retries) + 1
    assert outcome == [*failures, final][sends - 1]
    assert len(pauses) == sends - 1


@given(
    st.integers(0, 20),
    st.floats(0.001, 10),
    st.floats(0.001, 100),
    st.floats(0, 1),
)
def test_a_wait_lies_between_nothing_and_the_doubling_limit(max_retries, min_delay, max_delay, share):
    retry = RetryConfig(max_retries, min_delay, max_delay)

    _, _, pauses = performed([BROKEN], retry, jitter=lambda longest: share * longest)

    assert pauses == [share * min(max_delay, min_delay * 2**number) for number in range(max_retries)]


@given(st.floats(0, LONGEST_RETRY_AFTER_SECONDS), st.sampled_from(sorted(RETRIED_STATUSES)))
def test_the_api_is_given_the_time_it_asks_for(seconds, status):
    busy = Answer(status, {"retry-after": f"{seconds:f}"}, b"")

    outcome, _, pauses = performed([busy, GOOD], RetryConfig(max_delay_seconds=0.001))

    assert (outcome, pauses) == (GOOD, [float(f"{seconds:f}")])


@given(st.integers(0, int(LONGEST_RETRY_AFTER_SECONDS)))
def test_the_api_may_ask_by_date(seconds):
    date = format_datetime(NOW + dt.timedelta(seconds=seconds), usegmt=True)

    _, _, pauses = performed([Answer(503, {"retry-after": date}, b""), GOOD], RetryConfig())

    assert pauses == [seconds]


def test_a_date_that_has_passed_is_no_wait():
    assert retry_after_seconds({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, NOW) == 0


@given(st.floats(min_value=LONGEST_RETRY_AFTER_SECONDS + 1, max_value=1e9))
def test_a_wait_beyond_the_limit_is_not_waited_at_all(seconds):
    closed = Answer(503, {"retry-after": str(seconds)}, b"")

    assert performed([closed, GOOD], RetryConfig()) == (closed, 1, [])


@pytest.mark.parametrize("text", ["", "-1", "soon", "nan", "inf", "1e400", "12:00", "Wed, 99 Foo 2015"])
def test_an_unclear_wish_is_no_wish(text):
    assert retry_after_seconds({"retry-after": text}, NOW) is None


@pytest.mark.parametrize("name", ["max_retries", "min_delay_seconds", "max_delay_seconds"])
def test_a_configuration_that_cannot_be_is_refused(name):
    with pytest.raises(ValueError, match=f"^{name}: -1 "):
        RetryConfig(**{name: -1})


def test_without_retries_nothing_is_sent_twice(api, client, call):
    api.answers(Scripted(503), Scripted(200, json=a_page()))

    response = call(client.runs, "list")

    assert isinstance(response.error, UnexpectedStatus)
    assert len(api.asked) == 1


def test_a_passing_failure_is_not_seen_by_the_caller(api, patient_client, call):
    api.answers(Scripted(503), Scripted(0), Scripted(429), Scripted(200, json=a_run(id=RUN)))

    response = call(patient_client.runs, "get", RUN)

    assert response.error is None
    assert len(api.asked) == 4


def test_after_the_last_attempt_its_failure_is_the_error(api, patient_client, call):
    api.answers(*[Scripted(500 + number, content=str(number).encode()) for number in (0, 2, 3, 4)])

    response = call(patient_client.runs, "get", RUN)

    assert (response.error.status_code, response.error.content) == (504, b"4")


def test_a_write_in_progress_elsewhere_is_asked_for_again(api, patient_client, call):
    in_progress = {"Idempotency-Status": "in_progress", "Retry-After": "0"}
    api.answers(Scripted(409, headers=in_progress), Scripted(201, json=a_run()))

    response = call(patient_client.runs, "create", RunCreate(workflow_id=RUN))

    assert response.error is None


def test_an_unmarked_write_is_sent_once(api, call):
    api.answers(Scripted(503), Scripted(201, json=a_run()))

    with CyberdeskClient("key", api.base_url, idempotency_enabled=False) as client:
        response = call(client.runs, "create", RunCreate(workflow_id=RUN))

    assert response.error.status_code == 503
    assert len(api.asked) == 1


def test_on_retry_hears_of_each_wait(api, call):
    heard = []
    retry = RetryConfig(max_retries=2, min_delay_seconds=0, on_retry=heard.append)
    api.answers(Scripted(503, headers={"Retry-After": "0.001"}), Scripted(0), Scripted(200, json=a_page()))

    with CyberdeskClient("key", api.base_url, retry=retry) as client:
        call(client.runs, "list")

    assert heard == [
        {"attempt": 0, "max_retries": 2, "delay_seconds": 0.001, "reason": "http_status", "status_code": 503},
        {"attempt": 1, "max_retries": 2, "delay_seconds": 0, "reason": "network_error"},
    ]


def test_what_on_retry_raises_ends_the_call(api, call):
    def give_up(about):
        raise LookupError(about["reason"])

    api.answers(Scripted(503), Scripted(200, json=a_page()))

    with CyberdeskClient("key", api.base_url, retry=RetryConfig(on_retry=give_up)) as client:
        response = call(client.runs, "list")

    assert isinstance(response.error, LookupError)
    assert len(api.asked) == 1


def test_an_error_that_stays_is_not_tried_again(call):
    heard = []
    retry = RetryConfig(on_retry=heard.append)

    with CyberdeskClient("key", "http://127.0.0.1:1", retry=retry) as client:
        client.close()
        response = call(client.runs, "list")

    assert isinstance(response.error, ClientClosed)
    assert heard == []
