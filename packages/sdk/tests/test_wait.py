"""`runs.wait` returns when the run has ended, and not before."""

from __future__ import annotations

import datetime as dt
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberdesk import (
    CyberdeskClient,
    HTTPValidationError,
    RunCreate,
    RunStatus,
    RunStillGoing,
    UnexpectedStatus,
)
from cyberdesk._flow import Answer, Pause, ReadClock, Reading, Send
from cyberdesk._resources.runs import TERMINAL_STATUSES
from cyberdesk.testing import Scripted, a_run

RUN = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"
QUICK = {"poll_interval_seconds": 0.001}


def states(*statuses):
    return [
        Scripted(200, json=a_run(id=RUN, created_at="2025-01-31T12:00:00Z", status=one)) for one in statuses
    ]


@pytest.mark.parametrize("last", sorted(TERMINAL_STATUSES))
def test_a_run_that_ended_is_the_answer_however_it_ended(api, client, call, last):
    api.answers(*states("scheduling", "running", "running", "running_checks", last))

    response = call(client.runs, "wait", RUN, **QUICK)

    assert response.error is None
    assert response.data.status == last
    assert len(api.asked) == 5


def test_every_status_is_known_to_end_a_run_or_not():
    going = {RunStatus.SCHEDULING, RunStatus.RUNNING, RunStatus.RUNNING_CHECKS}

    assert {status.value for status in set(RunStatus) - going} == TERMINAL_STATUSES


def test_a_status_of_the_future_does_not_end_the_wait(api, client, call):
    api.answers(*states("paused", "success"))

    assert call(client.runs, "wait", RUN, **QUICK).data.status == "success"


def test_each_new_state_is_told_once(api, client, call):
    told = []
    run = a_run(id=RUN)
    later = {**run, "status": "running"}
    api.answers(*[Scripted(200, json=one) for one in (run, run, later, later, {**later, "status": "error"})])

    call(client.runs, "wait", RUN, on_update=lambda one: told.append(one.status), **QUICK)

    assert told == ["scheduling", "running", "error"]


def test_what_on_update_raises_is_the_error(api, client, call):
    def stop(run):
        raise LookupError(run.status)

    api.answers(*states("running"))

    assert isinstance(call(client.runs, "wait", RUN, on_update=stop).error, LookupError)


def test_a_run_that_takes_too_long_goes_on(api, client, call):
    api.answers(*states("running"))

    response = call(client.runs, "wait", RUN, timeout_seconds=0)

    assert isinstance(response.error, RunStillGoing)
    assert isinstance(response.error, TimeoutError)
    assert str(response.error) == f"run {RUN} is still running after 0 seconds"


def test_a_run_that_waits_too_long_says_why(api, client, call):
    api.answers(Scripted(200, json=a_run(id=RUN, waiting_reason="there is no machine")))

    error = call(client.runs, "wait", RUN, timeout_seconds=0).error

    assert error.waiting_reason == "there is no machine"
    assert str(error) == f"run {RUN} is still scheduling after 0 seconds: there is no machine"


def test_what_the_api_refuses_is_the_error(api, client, call):
    api.answers(*states("running"), Scripted(404, json={"detail": "Run not found"}))

    response = call(client.runs, "wait", RUN, **QUICK)

    assert isinstance(response.error, UnexpectedStatus)


def test_a_passing_failure_does_not_end_the_wait(api, patient_client, call):
    api.answers(*states("running"), Scripted(503), *states("success"))

    assert call(patient_client.runs, "wait", RUN, **QUICK).data.status == "success"


def test_a_new_run_is_waited_for(api, client, call):
    told = []
    api.answers(Scripted(201, json=a_run(id=RUN)), *states("running", "success"))

    response = call(
        client.runs, "create_and_wait", RunCreate(RUN), on_update=lambda one: told.append(one.status), **QUICK
    )

    assert response.unwrap().status == "success"
    assert told == ["running", "success"]
    assert [(asked.method, asked.path) for asked in api.asked] == [
        ("POST", "/v1/runs"),
        ("GET", f"/v1/runs/{RUN}"),
        ("GET", f"/v1/runs/{RUN}"),
    ]


def test_a_run_that_was_refused_is_not_waited_for(api, client, call):
    api.answers(Scripted(422, json={"detail": []}))

    response = call(client.runs, "create_and_wait", RunCreate(RUN))

    assert isinstance(response.data, HTTPValidationError)
    assert len(api.asked) == 1


def test_a_new_run_that_takes_too_long_can_be_found_again(api, client, call):
    api.answers(Scripted(201, json=a_run(id=RUN)), *states("running"))

    response = call(client.runs, "create_and_wait", RunCreate(RUN), timeout_seconds=0)

    assert isinstance(response.error, RunStillGoing)
    assert response.error.run_id == RUN


def waited(timeout_seconds, poll_interval_seconds, request_seconds):
    """How many seconds a wait lasts for a run that never ends, when each request takes so long."""
    runs = CyberdeskClient("key").runs
    flow = inspect.unwrap(type(runs).wait)(
        runs, RUN, timeout_seconds=timeout_seconds, poll_interval_seconds=poll_interval_seconds
    )
    now, answer = 0.0, None
    while True:
        try:
            action = flow.send(answer)
        except RunStillGoing:
            return now
        match action:
            case Send():
                now, answer = now + request_seconds, Answer(200, {}, states("running")[0].body)
            case Pause(seconds):
                now, answer = now + seconds, None
            case ReadClock():
                answer = Reading(now, dt.datetime.now(dt.timezone.utc))


@given(st.floats(0, 100), st.floats(0.5, 20), st.floats(0, 5))
def test_the_limit_is_overstepped_by_one_request_at_most(timeout, interval, request):
    seconds = waited(timeout, interval, request)

    assert timeout <= seconds + 1e-6
    assert seconds <= timeout + request + 1e-6
