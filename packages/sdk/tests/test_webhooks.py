"""Only messages that Cyberdesk signed are read."""

from __future__ import annotations

import base64
import datetime as dt
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberdesk import (
    DownedMachinesEvent,
    RunCompletedEvent,
    SessionReleasedEvent,
    WebhookEndpointDisabledEvent,
)
from cyberdesk.models import Model
from cyberdesk.testing import a_run
from cyberdesk.webhooks import UntrustedWebhook, parse, read, sign, signed_headers, verify

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"another-secret-of-24-byt").decode()
ID = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"
NOW = dt.datetime(2025, 1, 31, 12, tzinfo=dt.timezone.utc)
EVENT = {"event_type": "run_complete", "run": a_run(status="success", output_data={"a": 1})}


def headers_of(body, *, prefix="webhook", at=NOW, secret=SECRET):
    timestamp = str(int(at.timestamp()))
    signature = sign(body, "msg_1", timestamp, secret)
    return {
        f"{prefix}-id": "msg_1",
        f"{prefix}-timestamp": timestamp,
        f"{prefix}-signature": f"v1a,foreign v1,{signature}",
    }


def read_now(body, headers, secret=SECRET):
    return read(body, headers, secret, now=lambda: NOW)


@pytest.mark.parametrize("prefix", ["webhook", "svix", "Webhook", "SVIX"])
@pytest.mark.parametrize("as_text", [True, False])
def test_a_signed_message_is_read(prefix, as_text):
    body = json.dumps(EVENT).encode()

    event = read_now(body.decode() if as_text else body, headers_of(body, prefix=prefix))

    assert isinstance(event, RunCompletedEvent)
    assert event.run.output_data == {"a": 1}


def test_each_event_has_its_class():
    downed = json.dumps({"event_type": "downed_machines", "organization_id": "o", "machines": []}).encode()
    released = json.dumps({"event_type": "session_released", "organization_id": "o", "session_id": ID})
    disabled = {"organization_id": "o", "endpoint_id": ID, "url": "https://a", "reason": "gone"}
    disabled = json.dumps({"event_type": "webhook_endpoint_disabled", **disabled})
    future = json.dumps({"event_type": "of_the_future", "a": 1}).encode()

    assert isinstance(read_now(downed, headers_of(downed)), DownedMachinesEvent)
    assert isinstance(parse(released), SessionReleasedEvent)
    assert isinstance(parse(disabled), WebhookEndpointDisabledEvent)
    assert type(read_now(future, headers_of(future))) is Model
    assert read_now(future, headers_of(future))["a"] == 1


@given(st.binary(), st.binary())
def test_another_body_does_not_fit_the_signature(body, other):
    headers = headers_of(body)

    verify(body, headers, SECRET, now=lambda: NOW)
    if body != other:
        with pytest.raises(UntrustedWebhook, match="webhook-signature"):
            verify(other, headers, SECRET, now=lambda: NOW)


def test_another_secret_does_not_fit_the_signature():
    with pytest.raises(UntrustedWebhook, match="webhook-signature"):
        read_now(b"{}", headers_of(b"{}", secret=OTHER_SECRET))


@pytest.mark.parametrize("minutes", [-6, 6, -100000])
def test_a_message_of_another_time_is_refused(minutes):
    with pytest.raises(UntrustedWebhook, match="webhook-timestamp"):
        read_now(b"{}", headers_of(b"{}", at=NOW + dt.timedelta(minutes=minutes)))


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", ["", "x", "²", "v1,", "v1,%%%"])
def test_a_wrong_header_is_named(name, value):
    headers = {**headers_of(b"{}"), name: value}

    with pytest.raises(UntrustedWebhook, match=r"^webhook-"):
        read_now(b"{}", headers)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64", "whsec_ä"])
def test_a_secret_that_is_none_is_a_value_error(secret):
    with pytest.raises(ValueError, match=r"^secret: ") as refusal:
        read_now(b"{}", headers_of(b"{}"), secret=secret)

    assert not isinstance(refusal.value, UntrustedWebhook)


def test_the_published_example_of_the_standard_fits():
    body = b'{"test": 2432232314}'
    headers = {
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "svix-timestamp": "1614265330",
        "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    sent = dt.datetime.fromtimestamp(1614265330, dt.timezone.utc)

    verify(body, headers, "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", now=lambda: sent)


@pytest.mark.parametrize("body", [json.dumps(EVENT), json.dumps(EVENT).encode()])
def test_a_message_that_a_test_signs_is_read(body):
    headers = signed_headers(body, SECRET, message_id="msg_1", now=lambda: NOW)

    assert read_now(body, headers).run.output_data == {"a": 1}
    assert {name.split("-")[0] for name in headers} == {"svix", "webhook"}


@pytest.mark.parametrize("body", ["[]", '"text"', "{"])
def test_what_is_no_event_is_a_value_error(body):
    with pytest.raises(ValueError, match=r"."):
        parse(body)


def test_the_module_is_the_one_that_checks_whatever_was_imported_before():
    program = (
        "from cyberdesk import RunCompletedEvent, WebhookEndpointCreate, webhooks; print(webhooks.__name__)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "cyberdesk.webhooks"
