"""Webhooks: who is told of what, how a message is signed, and when it is sent again.

message    what happened, once; its id is the same for every endpoint and on every attempt
delivery   one message on its way to one endpoint
attempt    one request of a delivery, and what came back
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from uuid import UUID

from cyberdesk_server.domain.ids import (
    OrganizationId,
    RunId,
    SecretId,
    WebhookDeliveryId,
    WebhookEndpointId,
    WebhookMessageId,
)


class WebhookEventType(StrEnum):
    """What an endpoint can be told of. The first two are the contract's."""

    RUN_COMPLETE = "run_complete"
    DOWNED_MACHINES = "downed_machines"
    SESSION_RELEASED = "session_released"
    WEBHOOK_ENDPOINT_DISABLED = "webhook_endpoint_disabled"


class WebhookDisabledReason(StrEnum):
    """Why an endpoint gets nothing."""

    REQUESTED = "requested"
    """Its owner said so."""

    GONE = "gone"
    """It answered 410."""

    FAILING = "failing"
    """Nothing reached it for `FAILING_LIMIT`."""


class WebhookDeliveryStatus(StrEnum):
    WAITING = "waiting"
    """For its first attempt or its next."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """It is not tried again, unless somebody asks for it."""


class WebhookDeliveryTrigger(StrEnum):
    """Why a delivery was last put on its way."""

    EVENT = "event"
    TEST = "test"
    REPLAY = "replay"
    RECOVERY = "recovery"


FAILING_LIMIT = timedelta(days=5)
"""An endpoint that fails for so long without one success is disabled."""

WAITS_SECONDS = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 36_000.0)
"""After the first attempt, which is made at once, and after each that follows; the last has none."""

JITTER = 0.2
"""How much longer a wait may be, as a part of it: not everything that failed together comes back together."""

LONGEST_RETRY_AFTER = timedelta(hours=24)
"""An endpoint that asks for more patience gets this much."""

KEY_BYTES = range(24, 65)
"""How long the key of a secret is."""

PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Where an organization wants to be told. Its secrets are kept sealed beside it."""

    id: WebhookEndpointId
    organization_id: OrganizationId
    url: str
    event_types: tuple[WebhookEventType, ...]
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    disabled_at: datetime | None = None
    disabled_reason: WebhookDisabledReason | None = None
    failing_since: datetime | None = None
    """When the first attempt failed after which none succeeded; None while it works."""

    secret_id: SecretId | None = field(default=None, repr=False)
    old_secret_valid_until: datetime | None = None
    """Until when messages are signed with the secret before this one as well."""

    @property
    def is_enabled(self) -> bool:
        return self.disabled_at is None


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """What happened, as endpoints are told."""

    id: WebhookMessageId
    organization_id: OrganizationId
    event_type: str
    created_at: datetime
    run_id: RunId | None = None
    payload: str | None = None
    """JSON, byte by byte as it is sent; None until it is put together."""


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """A message on its way to an endpoint."""

    id: WebhookDeliveryId
    message_id: WebhookMessageId
    endpoint_id: WebhookEndpointId
    status: WebhookDeliveryStatus
    trigger: WebhookDeliveryTrigger
    attempts: int
    """How many were made."""

    due_at: datetime | None
    """When the next attempt is made; None when there is none."""

    created_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request to an endpoint."""

    started_at: datetime
    duration_ms: int
    url: str
    request_headers: Mapping[str, str]
    status_code: int | None = None
    """None when there was no answer."""

    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str = ""
    """Its beginning."""

    error: str | None = None
    """Why there was no answer."""

    @property
    def is_success(self) -> bool:
        return self.error is None and self.status_code is not None and 200 <= self.status_code < 300

    @property
    def is_gone(self) -> bool:
        return self.status_code == 410


@dataclass(frozen=True, slots=True)
class WebhookAttempt:
    """One request of a delivery, as it is kept."""

    id: UUID
    delivery_id: WebhookDeliveryId
    endpoint_id: WebhookEndpointId
    number: int
    """Counted from 1 over the whole life of the delivery."""

    answer: Answer


def new_secret() -> str:
    """A secret nobody can guess."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_secret(text: str) -> bool:
    """True for `whsec_` and the base64 of 24 to 64 bytes."""
    if not text.startswith(PREFIX):
        return False
    try:
        return len(base64.b64decode(text.removeprefix(PREFIX), validate=True)) in KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def signed_headers(
    message_id: WebhookMessageId, body: bytes, secrets_: Sequence[str], *, now: datetime
) -> dict[str, str]:
    """The headers by which a receiver knows the message: a signature for each secret, in both spellings.

    As Standard Webhooks says: HMAC-SHA256 over `id.timestamp.body`, its base64 behind `v1,`.
    """
    timestamp = str(int(now.timestamp()))
    signed = b".".join((str(message_id).encode(), timestamp.encode(), body))
    keys = [base64.b64decode(secret.removeprefix(PREFIX)) for secret in secrets_]
    signatures = [base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
    values = {
        "id": str(message_id),
        "timestamp": timestamp,
        "signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
    return {f"{prefix}-{name}": value for prefix in ("webhook", "svix") for name, value in values.items()}


def next_attempt(
    failures: int,
    answer: Answer,
    *,
    now: datetime,
    luck: float,
    waits_seconds: Sequence[float] = WAITS_SECONDS,
) -> datetime | None:
    """When to try again after this many failures in a row, this answer the last; None: never again.

    `luck`, between 0 and 1, is the part of the jitter that is added. What the endpoint asks for in
    `Retry-After` is waited for at least.
    """
    if failures > len(waits_seconds):
        return None
    wait = timedelta(seconds=waits_seconds[failures - 1] * (1 + JITTER * luck))
    return now + max(wait, _retry_after(answer, now))


def judged(endpoint: WebhookEndpoint, answer: Answer, *, now: datetime) -> WebhookEndpoint:
    """The endpoint after this answer: working, failing since when, or given up."""
    if answer.is_success:
        return replace(endpoint, failing_since=None)
    failing_since = endpoint.failing_since or now
    failing = replace(endpoint, failing_since=failing_since)
    if not endpoint.is_enabled:
        return failing
    if answer.is_gone:
        return replace(failing, disabled_at=now, disabled_reason=WebhookDisabledReason.GONE)
    if now - failing_since >= FAILING_LIMIT:
        return replace(failing, disabled_at=now, disabled_reason=WebhookDisabledReason.FAILING)
    return failing


def _retry_after(answer: Answer, now: datetime) -> timedelta:
    said = next((value for name, value in answer.response_headers.items() if name == "retry-after"), "")
    return min(max(_time_told(said.strip(), now), timedelta()), LONGEST_RETRY_AFTER)


def _time_told(said: str, now: datetime) -> timedelta:
    if said.isascii() and said.isdigit():
        return timedelta(seconds=int(said[:9]))
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return timedelta()
    return moment.replace(tzinfo=moment.tzinfo or UTC) - now
