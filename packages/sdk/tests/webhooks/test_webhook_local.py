"""Sends signed messages to a receiver on this computer, without a server and without the internet.

python -m tests.webhooks.test_webhook_local
python -m tests.webhooks.test_webhook_local --status error --url http://127.0.0.1:8000/webhooks/cyberdesk
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx

from cyberdesk import webhooks
from cyberdesk.testing import a_run

DEFAULT_URL = "http://127.0.0.1:8000/webhooks/cyberdesk"
STATUSES = ("success", "task_failed", "error", "cancelled")
TIMEOUT_SECONDS = 15.0


def a_completed_event(status: str = "success", **run: Any) -> dict[str, Any]:
    """The body of `run_complete` for a made-up run."""
    outcome = {"output_data": {"patient_name": "John Doe"}} if status == "success" else {"error": ["made up"]}
    return {
        "event_id": str(uuid4()),
        "event_type": "run_complete",
        "occurred_at": "2030-01-01T12:00:00Z",
        "run": a_run(status=status, **{**outcome, **run}),
    }


def send(url: str, event: Mapping[str, Any], secret: str) -> httpx.Response:
    """What the receiver answers to this event, signed as the server signs it."""
    body = json.dumps(event)
    headers = webhooks.signed_headers(body, secret, message_id=event["event_id"])
    headers["content-type"] = "application/json"
    return httpx.post(url, content=body, headers=headers, timeout=TIMEOUT_SECONDS)


def main() -> int:
    """Send one message for each status; 0 when all were taken and a forged one was refused."""
    from dotenv import load_dotenv

    load_dotenv()
    parser = argparse.ArgumentParser(description="Send signed webhooks to a receiver on this computer.")
    parser.add_argument("--url", default=os.environ.get("WEBHOOK_URL", DEFAULT_URL))
    parser.add_argument("--status", choices=STATUSES, action="append", help="only these; again for more")
    asked = parser.parse_args()
    secret = os.environ.get("SVIX_WEBHOOK_SECRET")
    if not secret:
        print("SVIX_WEBHOOK_SECRET is not set: cp .env.example .env", file=sys.stderr)
        return 2
    try:
        answers = {
            status: send(asked.url, a_completed_event(status), secret).status_code
            for status in asked.status or STATUSES
        }
        forged = send(asked.url, a_completed_event(), "whsec_" + "A" * 32).status_code
    except httpx.HTTPError as error:
        print(f"{asked.url} was not reached: {error}", file=sys.stderr)
        return 1
    for status, code in answers.items():
        print(f"run_complete {status}: {code}")
    print(f"forged: {forged}")
    return 0 if all(200 <= code < 300 for code in answers.values()) and forged == 400 else 1


def test_a_made_up_message_is_one_the_sdk_reads() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    for status in STATUSES:
        event = a_completed_event(status)
        body = json.dumps(event)
        headers = webhooks.signed_headers(body, secret, message_id=event["event_id"])

        read = webhooks.read(body, headers, secret)

        assert read.run.status == status


if __name__ == "__main__":
    raise SystemExit(main())
