"""One attempt of a delivery: what is sent, and what its answer means for it and for its endpoint."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import WebhookEndpointId
from cyberdesk_server.domain.webhooks import (
    WAITS_SECONDS,
    Answer,
    WebhookDeliveryStatus,
    WebhookEndpoint,
    WebhookEventType,
    judged,
    next_attempt,
    signed_headers,
)
from cyberdesk_server.ports import SecretUnreadable, Vault
from cyberdesk_server.store import outbox, webhook_claims, webhook_deliveries
from cyberdesk_server.store import webhook_endpoints as endpoints
from cyberdesk_server.store.webhook_claims import ClaimedDelivery, Outcome
from cyberdesk_server.usecases.sealing import open_one

UNREADABLE = "the endpoint's secret cannot be opened with this server's master key; rotate it"


class Courier(Protocol):
    """Carries a message to an endpoint."""

    async def carry(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What came back. Does not raise: an endpoint that cannot be reached is an answer, too."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a delivery is tried again, and when."""

    luck: Callable[[], float]
    """A number between 0 and 1, another one each time: see `domain.webhooks.next_attempt`."""

    waits_seconds: Sequence[float] = WAITS_SECONDS


async def attempt(delivery: ClaimedDelivery, courier: Courier, vault: Vault, *, now: datetime) -> Answer:
    """Send the message once, signed with the secrets of its endpoint."""
    sealed = [delivery.secret]
    if delivery.old_secret is not None and _is_after(delivery.old_secret_valid_until, now):
        sealed.append(delivery.old_secret)
    try:
        secrets = [str(await open_one(vault, delivery.organization_id, one)) for one in sealed]
    except SecretUnreadable:
        return Answer(now, 0, delivery.url, {}, error=UNREADABLE)
    body = delivery.payload.encode()
    headers = signed_headers(delivery.message_id, body, secrets, now=now)
    return await courier.carry(delivery.url, headers, body)


async def note(
    conn: AsyncConnection,
    answers: Sequence[tuple[ClaimedDelivery, Answer]],
    patience: Patience,
    *,
    now: datetime,
) -> None:
    """Write what came of attempts, in the order of their ends.

    An endpoint that is gone or has failed for too long is disabled, and others of its organization that want
    to know are told of it.
    """
    before = await endpoints.held(conn, {delivery.endpoint_id for delivery, _ in answers})
    after = dict(before)
    for delivery, answer in answers:
        if delivery.endpoint_id in after:
            after[delivery.endpoint_id] = judged(after[delivery.endpoint_id], answer, now=now)
    outcomes = [
        _outcome(delivery, answer, after.get(delivery.endpoint_id), patience, now)
        for delivery, answer in answers
    ]
    await webhook_claims.note(conn, outcomes, now=now)
    await _write_changes(conn, before, after, now)


def _outcome(
    delivery: ClaimedDelivery,
    answer: Answer,
    endpoint: WebhookEndpoint | None,
    patience: Patience,
    now: datetime,
) -> Outcome:
    if answer.is_success:
        return Outcome(delivery, answer, WebhookDeliveryStatus.DELIVERED, None)
    due_at = None
    if endpoint is not None and endpoint.is_enabled:
        failures = delivery.failures + 1
        due_at = next_attempt(
            failures, answer, now=now, luck=patience.luck(), waits_seconds=patience.waits_seconds
        )
    status = WebhookDeliveryStatus.FAILED if due_at is None else WebhookDeliveryStatus.WAITING
    return Outcome(delivery, answer, status, due_at)


async def _write_changes(
    conn: AsyncConnection,
    before: Mapping[WebhookEndpointId, WebhookEndpoint],
    after: Mapping[WebhookEndpointId, WebhookEndpoint],
    now: datetime,
) -> None:
    for endpoint_id, endpoint in after.items():
        if endpoint == before[endpoint_id]:
            continue
        await endpoints.replace(conn, endpoint)
        if before[endpoint_id].is_enabled and not endpoint.is_enabled:
            await webhook_deliveries.give_up(conn, endpoint_id, now=now)
            await _tell_disabled(conn, endpoint, now)


async def _tell_disabled(conn: AsyncConnection, endpoint: WebhookEndpoint, now: datetime) -> None:
    facts = {
        "organization_id": endpoint.organization_id,
        "endpoint_id": endpoint.id,
        "url": endpoint.url,
        "reason": endpoint.disabled_reason,
        "failing_since": endpoint.failing_since,
    }
    await outbox.happened(conn, WebhookEventType.WEBHOOK_ENDPOINT_DISABLED, [facts], now=now)


def _is_after(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now
