"""Deliveries are given up, sent again and forgotten, and go with their endpoint."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import OrganizationId, WebhookEndpointId
from cyberdesk_server.domain.webhooks import (
    WebhookDelivery,
    WebhookDeliveryStatus,
    WebhookDeliveryTrigger,
    WebhookMessage,
)
from cyberdesk_server.store import webhook_claims, webhook_endpoints, webhook_messages
from cyberdesk_server.store import webhook_deliveries as store
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.webhook_claims import ClaimedDelivery, Outcome
from cyberdesk_server.testing.rows import NOON, an_organization
from cyberdesk_server.testing.webhook_rows import a_message, an_endpoint, claimed
from cyberdesk_server.testing.webhooks import an_answer
from sqlalchemy.ext.asyncio import AsyncConnection

VAULT = EnvelopeVault(MasterKey(b"m" * 32))
ORGANIZATION = OrganizationId("org_test")


@pytest.fixture
async def endpoint_id(database: Database) -> WebhookEndpointId:
    async with database.transaction() as conn:
        return (await an_endpoint(conn, await an_organization(conn), VAULT)).id


def delivered(claimed: ClaimedDelivery) -> Outcome:
    return Outcome(claimed, an_answer(), WebhookDeliveryStatus.DELIVERED, None)


async def deliveries_of(conn: AsyncConnection, message: WebhookMessage) -> list[WebhookDelivery]:
    return list((await store.of_messages(conn, [message.id])).get(message.id, ()))


async def test_what_is_given_up_has_failed_and_can_be_sent_again(
    database: Database, endpoint_id: WebhookEndpointId
) -> None:
    async with database.transaction() as conn:
        old = await a_message(conn, ORGANIZATION, endpoint_id, now=NOON - timedelta(hours=2))
        new = await a_message(conn, ORGANIZATION, endpoint_id)
        await store.give_up(conn, endpoint_id, now=NOON)
        assert await claimed(conn, endpoint_id) == ()

        hour_ago = NOON - timedelta(hours=1)
        recent = await store.failed(conn, endpoint_id, since=hour_ago, until=None, at_most=10)
        before = await store.failed(
            conn, endpoint_id, since=NOON - timedelta(days=1), until=hour_ago, at_most=10
        )
        await store.send_again(conn, recent, trigger=WebhookDeliveryTrigger.RECOVERY, now=NOON)
        [again] = await claimed(conn, endpoint_id)

        assert again.message_id == new.id
        assert [one.id for one in await deliveries_of(conn, old)] == list(before)


async def test_what_is_under_way_is_neither_given_up_nor_sent_again(
    database: Database, endpoint_id: WebhookEndpointId
) -> None:
    async with database.transaction() as conn:
        message = await a_message(conn, ORGANIZATION, endpoint_id)
        [mine] = await claimed(conn, endpoint_id)
        await store.give_up(conn, endpoint_id, now=NOON)
        await store.send_again(conn, [mine.id], trigger=WebhookDeliveryTrigger.REPLAY, now=NOON)
        await webhook_claims.note(conn, [delivered(mine)], now=NOON)

    async with database.read() as conn:
        [delivery] = await deliveries_of(conn, message)
    assert (delivery.status, delivery.trigger) == (
        WebhookDeliveryStatus.DELIVERED,
        WebhookDeliveryTrigger.EVENT,
    )


async def test_messages_that_wait_for_nothing_are_forgotten(
    database: Database, endpoint_id: WebhookEndpointId
) -> None:
    old = NOON - timedelta(days=31)
    async with database.transaction() as conn:
        done = await a_message(conn, ORGANIZATION, now=old)
        waits = await a_message(conn, ORGANIZATION, endpoint_id, now=old)
        young = await a_message(conn, ORGANIZATION)

        assert await webhook_messages.forget(conn, before=NOON - timedelta(days=30), at_most=10) == 1

        left = [await webhook_messages.get(conn, ORGANIZATION, one.id) for one in (done, waits, young)]
    assert left == [None, waits, young]


async def test_an_endpoint_takes_its_deliveries_along(
    database: Database, endpoint_id: WebhookEndpointId
) -> None:
    async with database.transaction() as conn:
        message = await a_message(conn, ORGANIZATION, endpoint_id)
        [mine] = await claimed(conn, endpoint_id)
        await webhook_endpoints.delete(conn, ORGANIZATION, endpoint_id)

        await webhook_claims.note(conn, [delivered(mine)], now=NOON)

        assert await deliveries_of(conn, message) == []
        assert await webhook_messages.get(conn, ORGANIZATION, message.id) == replace(message)
