"""Endpoints of webhooks: made, changed, tested; and messages sent again."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, WebhookEndpointId, WebhookMessageId
from cyberdesk_server.domain.networks import Reach
from cyberdesk_server.domain.refusals import (
    Unknown,
    WebhookEndpointDisabled,
    WebhookSecretUnreadable,
    invalid,
)
from cyberdesk_server.domain.webhooks import (
    WebhookDeliveryTrigger,
    WebhookDisabledReason,
    WebhookEndpoint,
    WebhookEventType,
    WebhookMessage,
    is_secret,
    new_secret,
)
from cyberdesk_server.ports import SecretUnreadable, Vault
from cyberdesk_server.store import outbox, webhook_deliveries, webhook_messages
from cyberdesk_server.store import webhook_endpoints as store
from cyberdesk_server.usecases.sealing import open_one, seal_one

NOUN = "webhook endpoint"
MESSAGE = "webhook message"

RECOVERED_AT_ONCE = 10_000
"""Deliveries that one call recovers."""


async def create(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    fields: Mapping[str, Any],
    *,
    secret: str | None,
    reach: Reach,
    vault: Vault,
    now: datetime,
) -> WebhookEndpoint:
    """A new endpoint. `fields` are members of `WebhookEndpoint`; without a `secret` one is made up.

    Raises `InvalidFields` for a URL that must not be reached, and for a secret that is none.
    """
    _check_url(fields["url"], reach)
    secret_id, sealed = await seal_one(vault, organization_id, _checked(secret))
    endpoint = WebhookEndpoint(
        id=WebhookEndpointId(uuid4()),
        organization_id=organization_id,
        created_at=now,
        updated_at=now,
        secret_id=secret_id,
        **fields,
    )
    await store.add(conn, endpoint, sealed)
    return endpoint


async def update(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    endpoint_id: WebhookEndpointId,
    changes: Mapping[str, Any],
    *,
    is_enabled: bool | None,
    reach: Reach,
    now: datetime,
) -> WebhookEndpoint:
    """The endpoint with these members changed. Raises `Unknown`, `InvalidFields`.

    A disabled one gets nothing, and what waited for it has failed; enabled again it has a clean record.
    """
    before = await _get(conn, organization_id, endpoint_id, for_update=True)
    if "url" in changes:
        _check_url(changes["url"], reach)
    after = replace(before, **changes, updated_at=now)
    if is_enabled is False and before.is_enabled:
        after = replace(after, disabled_at=now, disabled_reason=WebhookDisabledReason.REQUESTED)
        await webhook_deliveries.give_up(conn, endpoint_id, now=now)
    elif is_enabled is True:
        after = replace(after, disabled_at=None, disabled_reason=None)
        if not before.is_enabled:
            after = replace(after, failing_since=None)
    await store.replace(conn, after)
    return after


async def delete(
    conn: AsyncConnection, organization_id: OrganizationId, endpoint_id: WebhookEndpointId
) -> None:
    """Remove the endpoint and its deliveries; the messages stay. Raises `Unknown`."""
    if not await store.delete(conn, organization_id, endpoint_id):
        raise Unknown(NOUN, endpoint_id)


async def rotate(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    endpoint_id: WebhookEndpointId,
    *,
    secret: str | None,
    old_valid_seconds: int,
    vault: Vault,
    now: datetime,
) -> WebhookEndpoint:
    """Sign with a new secret, and for so long with the old one as well. Raises `Unknown`, `InvalidFields`."""
    before = await _get(conn, organization_id, endpoint_id, for_update=True)
    sealed = await seal_one(vault, organization_id, _checked(secret))
    until = now + timedelta(seconds=old_valid_seconds)
    await store.set_secret(conn, endpoint_id, sealed, old_valid_until=until)
    return replace(before, secret_id=sealed[0], old_secret_valid_until=until)


async def secrets(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    endpoint_id: WebhookEndpointId,
    *,
    vault: Vault,
    now: datetime,
) -> tuple[str, str | None, datetime | None]:
    """The endpoint's secret; the one before it, and until when that signs too, while it does.

    Raises `Unknown`, and `WebhookSecretUnreadable` when the server's master key is not the one it was sealed
    with.
    """
    endpoint = await _get(conn, organization_id, endpoint_id)
    sealed = await store.secrets(conn, organization_id, endpoint_id)
    if sealed is None:
        raise Unknown(NOUN, endpoint_id)
    current, old = sealed
    until = endpoint.old_secret_valid_until
    try:
        secret = str(await open_one(vault, organization_id, current))
        if old is None or until is None or until <= now:
            return secret, None, None
        return secret, str(await open_one(vault, organization_id, old)), until
    except SecretUnreadable:
        raise WebhookSecretUnreadable(endpoint_id) from None


async def send_test(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    endpoint_id: WebhookEndpointId,
    event_type: WebhookEventType,
    facts: Mapping[str, Any],
    *,
    now: datetime,
) -> WebhookMessage:
    """A message with these made-up facts, on its way to this endpoint alone, whatever it wants to be told.

    Raises `Unknown`, `WebhookEndpointDisabled`.
    """
    await _enabled(conn, organization_id, endpoint_id)
    message_id = WebhookMessageId(uuid4())
    payload = outbox.payload(message_id, event_type, facts, occurred_at=now)
    message = WebhookMessage(message_id, organization_id, event_type, now, payload=payload)
    await webhook_messages.add_test(conn, message)
    await webhook_deliveries.add(
        conn, [(message_id, endpoint_id)], trigger=WebhookDeliveryTrigger.TEST, now=now
    )
    return message


async def replay(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    message_id: WebhookMessageId,
    endpoint_ids: Collection[WebhookEndpointId] | None,
    *,
    now: datetime,
) -> WebhookMessage:
    """The message, on its way again to these endpoints, also if it was never sent to them. It keeps its id.

    None means all endpoints that it was sent to and that are not disabled.

    Raises `Unknown` for the message or an endpoint, and `WebhookEndpointDisabled`.
    """
    message = await webhook_messages.get(conn, organization_id, message_id)
    if message is None or message.payload is None:
        raise Unknown(MESSAGE, message_id)
    deliveries = (await webhook_deliveries.of_messages(conn, [message_id])).get(message_id, ())
    known = {delivery.endpoint_id: delivery.id for delivery in deliveries}
    if endpoint_ids is None:
        endpoints = await store.held(conn, known)
        chosen = {endpoint.id for endpoint in endpoints.values() if endpoint.is_enabled}
    else:
        chosen = {(await _enabled(conn, organization_id, id_)).id for id_ in endpoint_ids}
    again = [known[id_] for id_ in chosen & known.keys()]
    await webhook_deliveries.send_again(conn, again, trigger=WebhookDeliveryTrigger.REPLAY, now=now)
    new = [(message_id, id_) for id_ in chosen - known.keys()]
    await webhook_deliveries.add(conn, new, trigger=WebhookDeliveryTrigger.REPLAY, now=now)
    return message


async def recover(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    endpoint_id: WebhookEndpointId,
    *,
    since: datetime,
    until: datetime | None,
    now: datetime,
) -> int:
    """Send again what has failed to reach the endpoint, of messages since then and before `until`; how many.

    At most `RECOVERED_AT_ONCE`, the oldest first. Raises `Unknown`, `WebhookEndpointDisabled`.
    """
    await _enabled(conn, organization_id, endpoint_id)
    ids = await webhook_deliveries.failed(
        conn, endpoint_id, since=since, until=until, at_most=RECOVERED_AT_ONCE
    )
    await webhook_deliveries.send_again(conn, ids, trigger=WebhookDeliveryTrigger.RECOVERY, now=now)
    return len(ids)


async def _enabled(
    conn: AsyncConnection, organization_id: OrganizationId, endpoint_id: WebhookEndpointId
) -> WebhookEndpoint:
    endpoint = await _get(conn, organization_id, endpoint_id, for_update=True)
    if not endpoint.is_enabled:
        raise WebhookEndpointDisabled(endpoint_id)
    return endpoint


async def _get(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    endpoint_id: WebhookEndpointId,
    *,
    for_update: bool = False,
) -> WebhookEndpoint:
    endpoint = await store.get(conn, organization_id, endpoint_id, for_update=for_update)
    if endpoint is None:
        raise Unknown(NOUN, endpoint_id)
    return endpoint


def _check_url(url: str, reach: Reach) -> None:
    problem = reach.problem_of(url)
    if problem is not None:
        raise invalid(("body", "url"), problem)


def _checked(secret: str | None) -> str:
    if secret is None:
        return new_secret()
    if not is_secret(secret):
        raise invalid(("body", "secret"), "must be whsec_ and the base64 of 24 to 64 bytes")
    return secret
