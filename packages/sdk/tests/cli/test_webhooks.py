"""`cyberdesk webhooks`: endpoints and messages are listed, sent again, and heard on a laptop."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from cyberdesk import webhooks
from cyberdesk.testing import Scripted, a_page, a_run

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"
ENDPOINT = "5f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"
MOMENT = "2030-01-01T12:00:00Z"


def a_message(id_=MESSAGE, **changes):
    delivery = {
        "id": ENDPOINT,
        "endpoint_id": ENDPOINT,
        "status": "delivered",
        "trigger": "event",
        "attempts": 2,
    }
    return {
        "id": id_,
        "organization_id": "org",
        "event_type": "run_complete",
        "created_at": MOMENT,
        "deliveries": [delivery],
        "payload": {"event_type": "run_complete", "run": a_run(status="success")},
        **changes,
    }


def test_endpoints_are_listed_with_why_they_get_nothing(run, api):
    endpoint = {
        "id": ENDPOINT,
        "organization_id": "org",
        "url": "https://a.example",
        "event_types": ["run_complete"],
        "is_enabled": False,
        "disabled_reason": "gone",
        "created_at": MOMENT,
        "updated_at": MOMENT,
    }
    api.answers(Scripted(200, json=a_page(endpoint)))

    ran = run("webhooks", "endpoints")

    assert "https://a.example" in ran.stdout
    assert "gone" in ran.stdout


def test_messages_are_listed_by_status(run, api):
    api.answers(Scripted(200, json=a_page(a_message())))

    ran = run("webhooks", "messages", "--status", "delivered")

    assert "delivered after 2" in ran.stdout
    assert ("status", "delivered") in api.asked[0].query


def test_a_message_is_sent_again(run, api):
    api.answers(Scripted(200, json=a_message()))

    ran = run("webhooks", "replay", MESSAGE)

    assert ran.exit_code == 0
    assert (api.asked[0].method, api.asked[0].path) == ("POST", f"/v1/webhooks/messages/{MESSAGE}/replay")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_messages_are_printed_once_as_they_come(run, api, options):
    other = ENDPOINT
    api.answers(
        Scripted(200, json=a_page(a_message())),
        Scripted(200, json=a_page(a_message(other), a_message())),
    )

    ran = run("webhooks", "listen", "--every", "0.1", "--count", "2", *options)

    lines = ran.stdout.splitlines()
    assert len(lines) == 2
    assert all("run_complete" in line for line in lines)
    if options:
        assert [json.loads(line)["run"]["status"] for line in lines] == ["success"] * 2
    else:
        assert [MESSAGE in lines[0], other in lines[1]] == [True, True]


def test_messages_are_forwarded_signed(run, api):
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.rfile.read(int(self.headers["content-length"])), dict(self.headers)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    api.answers(Scripted(200, json=a_page(a_message())))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/hook"
        ran = run(
            *("webhooks", "listen", "--count", "1", "--forward-to", url), env={"SVIX_WEBHOOK_SECRET": SECRET}
        )
        server.shutdown()

    [(body, headers)] = received
    assert webhooks.read(body, headers, SECRET).run.status == "success"
    assert f"{url} answered 200" in ran.stderr


@pytest.mark.parametrize("secret", [None, "whsec_%%%"])
def test_forwarding_needs_a_secret(run, api, secret):
    api.answers(Scripted(200, json=a_page(a_message())))

    ran = run(
        *("webhooks", "listen", "--count", "1", "--forward-to", "http://127.0.0.1:9"),
        env={"SVIX_WEBHOOK_SECRET": secret},
    )

    assert ran.exit_code == 2
    assert "SVIX_WEBHOOK_SECRET" in ran.stderr


def test_a_receiver_that_is_not_there_is_told(run, api):
    api.answers(Scripted(200, json=a_page(a_message())))

    ran = run(
        *("webhooks", "listen", "--count", "1", "--forward-to", "http://127.0.0.1:1/hook"),
        env={"SVIX_WEBHOOK_SECRET": SECRET},
    )

    assert ran.exit_code == 0
    assert "was not reached" in ran.stderr
