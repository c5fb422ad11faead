"""Webhooks: is this message from Cyberdesk, and what does it say?

    @app.post("/webhooks/cyberdesk")
    async def cyberdesk_webhook(request: Request):
        event = webhooks.read(await request.body(), request.headers, os.environ["SVIX_WEBHOOK_SECRET"])

Messages are signed as Standard Webhooks says (https://www.standardwebhooks.com): HMAC-SHA256 over id, time
and body. Both spellings of the headers are understood, `webhook-…` and `svix-…`.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cyberdesk import models

if TYPE_CHECKING:
    from typing import TypeAlias

    Event: TypeAlias = (
        models.RunCompletedEvent
        | models.DownedMachinesEvent
        | models.SessionReleasedEvent
        | models.WebhookEndpointDisabledEvent
        | models.Model
    )

TOLERANCE = dt.timedelta(minutes=5)
"""How far the time of a message may be from now: an older one may be an intercepted copy."""


class UntrustedWebhook(ValueError):
    """A message that is not from Cyberdesk, was changed, is too old, or that we cannot tell about."""


def read(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str,
    *,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.timezone.utc),
) -> Event:
    """The event in a message whose signature is right.

    `body` is the message as it arrived, byte by byte; `secret` starts with `whsec_`. Events of a later
    version of the API come as a plain `Model` with everything in `additional_properties`. Raises
    `UntrustedWebhook`, and ValueError for a secret that is none.
    """
    content = body.encode() if isinstance(body, str) else body
    verify(content, headers, secret, now=now)
    return parse(content)


def parse(body: bytes | str) -> Event:
    """The event in a message, for those who have checked its signature themselves; as `read` otherwise.

    Raises ValueError for what is no JSON object.
    """
    event = json.loads(body)
    if not isinstance(event, dict):
        raise ValueError("body: is no JSON object")
    match event.get("event_type"):
        case "run_complete":
            return models.RunCompletedEvent.from_dict(event)
        case "downed_machines":
            return models.DownedMachinesEvent.from_dict(event)
        case "session_released":
            return models.SessionReleasedEvent.from_dict(event)
        case "webhook_endpoint_disabled":
            return models.WebhookEndpointDisabledEvent.from_dict(event)
        case _:
            return models.Model.from_dict(event)


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secret: str,
    *,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.timezone.utc),
) -> None:
    """Nothing when the signature is right and the message recent. Raises `UntrustedWebhook` otherwise."""
    message_id, timestamp, signatures = (_header(headers, name) for name in ("id", "timestamp", "signature"))
    if not timestamp.isascii() or not timestamp.isdigit():
        raise UntrustedWebhook("webhook-timestamp: no number of seconds")
    age_seconds = abs(now().timestamp() - int(timestamp))
    if age_seconds > TOLERANCE.total_seconds():
        raise UntrustedWebhook("webhook-timestamp: too far from now")
    expected = sign(body, message_id, timestamp, secret)
    versions = [part.partition(",") for part in signatures.split(" ")]
    given = [signature for version, _, signature in versions if version == "v1"]
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in given):
        raise UntrustedWebhook("webhook-signature: does not fit the message")


def sign(body: bytes, message_id: str, timestamp: str, secret: str) -> str:
    """The base64 signature of a message, without its `v1,`: what tests of a receiver need."""
    key = _key(secret)
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed_headers(
    body: bytes | str,
    secret: str,
    *,
    message_id: str,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.timezone.utc),
) -> dict[str, str]:
    """The headers of a message as the server sends it, in both spellings: what tests of a receiver send."""
    content = body.encode() if isinstance(body, str) else body
    timestamp = str(int(now().timestamp()))
    signature = f"v1,{sign(content, message_id, timestamp, secret)}"
    values = {"id": message_id, "timestamp": timestamp, "signature": signature}
    return {f"{prefix}-{name}": value for prefix in ("webhook", "svix") for name, value in values.items()}


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:  # not base64, or not even ASCII
        raise ValueError("secret: is not base64 after whsec_") from None
    if not key:
        raise ValueError("secret: is empty, so everybody could sign with it")
    return key


def _header(headers: Mapping[str, str], name: str) -> str:
    lower = {key.lower(): value for key, value in headers.items()}
    value = lower.get(f"webhook-{name}") or lower.get(f"svix-{name}")
    if not value:
        raise UntrustedWebhook(f"webhook-{name}: is missing")
    return value
