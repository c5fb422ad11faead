"""Every attempt is told to hooks and to the log, and neither hears a secret."""

from __future__ import annotations

import logging
import subprocess
import sys

import httpx
import pytest

from cyberdesk import Attempt, CyberdeskClient, RetryConfig, RunCreate
from cyberdesk.testing import Scripted, a_page, a_run

RUN = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"
QUICK = RetryConfig(min_delay_seconds=0)


@pytest.fixture
def quiet_logger():
    """The logger as it was before the test."""
    logger = logging.getLogger("cyberdesk")
    before = (logger.level, list(logger.handlers))
    yield logger
    logger.setLevel(before[0])
    logger.handlers[:] = before[1]


def test_hooks_hear_of_every_attempt_in_order(api, call):
    heard = []
    api.answers(Scripted(503, headers={"X-Request-Id": "a"}), Scripted(0), Scripted(200, json=a_page()))

    with CyberdeskClient(
        "key", api.base_url, retry=QUICK, on_request=heard.append, on_response=heard.append
    ) as client:
        call(client.runs, "list", search="Ada")

    attempts, results = heard[::2], heard[1::2]
    assert attempts == [Attempt("GET", "/v1/runs", number) for number in range(3)]
    assert [result.attempt for result in results] == attempts
    assert [(result.status, result.request_id) for result in results] == [
        (503, "a"),
        (None, None),
        (200, None),
    ]
    assert [type(result.error) for result in results] == [type(None), httpx.RemoteProtocolError, type(None)]
    assert all(result.seconds >= 0 for result in results)


@pytest.mark.parametrize("hook", ["on_request", "on_response"])
def test_what_a_hook_raises_ends_the_call(api, call, hook):
    def stop(about):
        raise LookupError(hook)

    api.answers(Scripted(503), Scripted(200, json=a_page()))

    with CyberdeskClient("key", api.base_url, retry=QUICK, **{hook: stop}) as client:
        response = call(client.runs, "list")

    assert isinstance(response.error, LookupError)
    assert len(api.asked) == (hook == "on_response")


async def test_async_calls_await_async_listeners(api):
    heard = []

    async def listen(about):
        heard.append(about)

    api.answers(Scripted(503), Scripted(200, json=a_run(status="success")))
    retry = RetryConfig(min_delay_seconds=0, on_retry=listen)

    async with CyberdeskClient(
        "key", api.base_url, retry=retry, on_request=listen, on_response=listen
    ) as client:
        response = await client.runs.wait(RUN, on_update=listen)

    assert response.error is None
    assert [type(about).__name__ for about in heard] == [
        *("Attempt", "AttemptResult", "dict", "Attempt", "AttemptResult", "RunResponseWithIncludes")
    ]


def test_blocking_calls_refuse_async_listeners(api):
    async def listen(about):
        """Never awaited."""

    with CyberdeskClient("key", api.base_url, on_request=listen) as client:
        response = client.runs.list_sync()

    assert isinstance(response.error, TypeError)
    assert "listen: is asynchronous" in str(response.error)
    assert api.asked == []


def test_a_view_has_the_hooks_of_its_client(api, call):
    heard = []
    api.answers(Scripted(200, json=a_page()))

    with CyberdeskClient("key", api.base_url, on_response=heard.append) as client:
        call(client.with_options(timeout=5).runs, "list")

    assert len(heard) == 1


def test_the_log_has_a_line_for_each_attempt(api, call, caplog):
    caplog.set_level(logging.INFO, logger="cyberdesk")
    api.answers(Scripted(503, headers={"X-Request-Id": "req-7"}), Scripted(0), Scripted(200, json=a_page()))

    with CyberdeskClient("key", api.base_url, retry=QUICK) as client:
        call(client.runs, "list")

    lines = [record.getMessage() for record in caplog.records if record.name == "cyberdesk"]
    assert [line.split(" ms ")[1] for line in lines] == [
        "attempt 1 request req-7",
        "attempt 2 request -",
        "attempt 3 request -",
    ]
    assert [line.split(" ")[:3] for line in lines] == [
        ["GET", "/v1/runs", "503"],
        ["GET", "/v1/runs", "RemoteProtocolError"],
        ["GET", "/v1/runs", "200"],
    ]


def test_the_log_tells_of_waits_when_asked_for_everything(api, call, caplog):
    caplog.set_level(logging.DEBUG, logger="cyberdesk")
    api.answers(Scripted(503, headers={"Retry-After": "0.002"}), Scripted(200, json=a_page()))

    with CyberdeskClient("key", api.base_url) as client:
        call(client.runs, "list")

    lines = [record.getMessage() for record in caplog.records if record.name == "cyberdesk"]
    assert [line.partition(" ms ")[0].rpartition(" ")[0] if " ms " in line else line for line in lines] == [
        "GET /v1/runs attempt 1",
        "GET /v1/runs 503",
        "waiting 0.002 s before attempt 2",
        "GET /v1/runs attempt 2",
        "GET /v1/runs 200",
    ]


def test_the_log_tells_no_secret(api, call, caplog):
    caplog.set_level(logging.DEBUG, logger="cyberdesk")
    api.answers(Scripted(200, json=a_page()), Scripted(201, json=a_run(output_data={"ssn": "s3cret"})))

    with CyberdeskClient("key-s3cret", api.base_url) as client:
        call(client.with_options(headers={"X-A": "s3cret"}).runs, "list", search="s3cret")
        call(client.runs, "create", RunCreate(RUN, sensitive_input_values={"password": "s3cret"}))

    lines = [record.getMessage() for record in caplog.records if record.name == "cyberdesk"]
    assert len(lines) == 4
    assert not any("s3cret" in line for line in lines)


@pytest.mark.parametrize("wish", ["", "info", "DEBUG"])
def test_the_environment_switches_the_log_on(monkeypatch, quiet_logger, wish):
    monkeypatch.setenv("CYBERDESK_LOG", wish)
    quiet_logger.setLevel(logging.NOTSET)

    CyberdeskClient("key")

    assert quiet_logger.level == getattr(logging, wish.upper() or "NOTSET")


def test_a_wish_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("CYBERDESK_LOG", "loud")

    with pytest.raises(ValueError, match=r"^CYBERDESK_LOG: 'loud' is neither debug nor info$"):
        CyberdeskClient("key")


@pytest.mark.parametrize(
    ("setup", "lines"),
    [("pass", 1), ("logging.basicConfig(format='%(message)s')", 1)],
    ids=["alone", "set up"],
)
def test_a_line_is_shown_once(api, setup, lines):
    program = (
        f"import logging; {setup}\n"
        "from cyberdesk import CyberdeskClient\n"
        f"for _ in range(2): client = CyberdeskClient('key', {api.base_url!r})\n"
        "client.runs.list_sync()"
    )
    api.answers(Scripted(200, json=a_page()))

    done = subprocess.run(  # our own interpreter
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path), "CYBERDESK_LOG": "info"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stderr.count("GET /v1/runs 200") == lines
