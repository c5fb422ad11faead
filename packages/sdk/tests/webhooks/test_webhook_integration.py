"""The example receiver takes what Cyberdesk signed, once, and nothing else."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib.util
import json
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cyberdesk import webhooks
from cyberdesk.testing import a_run

pytest.importorskip("svix", reason='needs pip install ".[testing]"')
pytest.importorskip("fastapi", reason='needs pip install ".[testing]"')
pytest.importorskip("dotenv", reason='needs pip install ".[testing]"')

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATH = "/webhooks/cyberdesk"


def an_event(status: str = "success", **fields: Any) -> dict[str, Any]:
    return {"event_id": str(uuid4()), "event_type": "run_complete", "run": a_run(status=status), **fields}


@cache
def example() -> ModuleType:
    """The example receiver, found beside this file, wherever the tests are started."""
    file = Path(__file__).with_name("example_webhook_handler.py")
    spec = importlib.util.spec_from_file_location("example_webhook_handler", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # FastAPI looks annotations up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The events that the receiver worked on, while it expects `SECRET`."""
    events: list[Any] = []
    monkeypatch.setattr(example(), "handle", events.append)
    monkeypatch.setenv("SVIX_WEBHOOK_SECRET", SECRET)
    return events


def post(body: str, headers: dict[str, str]) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(example().app)
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            return await client.post(PATH, content=body, headers=headers)

    return asyncio.run(ask())


def deliver(event: dict[str, Any], *, secret: str = SECRET, age_seconds: float = 0) -> httpx.Response:
    moment = dt.datetime.now(dt.timezone.utc) - dt.timedelta(seconds=age_seconds)
    body = json.dumps(event)
    message_id = str(event["event_id"])
    return post(body, webhooks.signed_headers(body, secret, message_id=message_id, now=lambda: moment))


@pytest.mark.parametrize("status", ["success", "task_failed", "error", "cancelled"])
def test_each_ending_of_a_run_is_taken(handled: list[Any], status: str) -> None:
    answer = deliver(an_event(status))

    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert [event.run.status for event in handled] == [status]


def test_a_message_that_comes_again_is_worked_on_once(handled: list[Any]) -> None:
    event = an_event()

    assert [deliver(event).status_code for _ in range(3)] == [200, 200, 200]
    assert len(handled) == 1


def test_a_forged_message_is_refused(handled: list[Any]) -> None:
    assert deliver(an_event(), secret="whsec_" + "A" * 32).status_code == 400
    assert handled == []


def test_a_changed_message_is_refused(handled: list[Any]) -> None:
    body = json.dumps(an_event())
    headers = webhooks.signed_headers(body, SECRET, message_id="1")

    assert post(body.replace("success", "error"), headers).status_code == 400
    assert handled == []


def test_an_old_message_is_refused(handled: list[Any]) -> None:
    assert deliver(an_event(), age_seconds=600).status_code == 400
    assert handled == []


def test_a_message_without_a_signature_is_refused(handled: list[Any]) -> None:
    assert post(json.dumps(an_event()), {}).status_code == 400
    assert handled == []


@pytest.mark.parametrize(
    "event",
    [
        {"event_type": "downed_machines", "organization_id": "o", "machines": []},
        {"event_type": "session_released", "organization_id": "o", "session_id": str(uuid4())},
        {"event_type": "of_the_future", "a": 1},
    ],
)
def test_other_events_are_taken_too(handled: list[Any], event: dict[str, Any]) -> None:
    assert deliver({"event_id": str(uuid4()), **event}).status_code == 200
    assert [one.event_type if hasattr(one, "event_type") else one["event_type"] for one in handled] == [
        event["event_type"]
    ]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (an_event("success"), "completed"),
        (an_event("error"), "ended error"),
        ({"event_type": "of_the_future"}, "does not know"),
    ],
)
def test_the_handler_says_what_it_does(
    caplog: pytest.LogCaptureFixture, event: dict[str, Any], said: str
) -> None:
    with caplog.at_level("INFO"):
        example().handle(webhooks.parse(json.dumps(event)))

    assert said in caplog.text
