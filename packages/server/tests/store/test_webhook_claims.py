"""Deliveries are claimed by one server at a time, and what came of them is written once."""

import asyncio
from datetime import timedelta

import pytest
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import OrganizationId, ServerId, WebhookEndpointId
from cyberdesk_server.domain.webhooks import (
    WebhookDelivery,
    WebhookDeliveryStatus,
    WebhookMessage,
)
from cyberdesk_server.store import webhook_claims as store
from cyberdesk_server.store import webhook_deliveries, webhook_endpoints
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.webhook_claims import ClaimedDelivery, Outcome
from cyberdesk_server.testing.rows import HERE, NOON, an_organization
from cyberdesk_server.testing.webhook_rows import LEASE_SECONDS, a_message, an_endpoint, claimed
from cyberdesk_server.testing.webhooks import an_answer

ORGANIZATION = OrganizationId("org_test")
VAULT = EnvelopeVault(MasterKey(b"m" * 32))
A, B = HERE, ServerId("there")
LATER = NOON + timedelta(seconds=LEASE_SECONDS)


async def the_delivery(database: Database, message: WebhookMessage) -> WebhookDelivery:
    async with database.read() as conn:
        [delivery] = (await webhook_deliveries.of_messages(conn, [message.id]))[message.id]
    return delivery


@pytest.fixture
async def endpoint_id(database: Database) -> WebhookEndpointId:
    async with database.transaction() as conn:
        return (await an_endpoint(conn, await an_organization(conn), VAULT)).id


async def test_the_longest_due_is_claimed_first_and_by_nobody_else(
    database: Database, endpoint_id: WebhookEndpointId
) -> None:
    async with database.transaction() as conn:
        late = await a_message(conn, ORGANIZATION, endpoint_id, now=NOON)
        early = await a_message(conn, ORGANIZATION, endpoint_id, now=NOON - timedelta(hours=1))
        await a_message(conn, ORGANIZATION, endpoint_id, now=NOON + timedelta(seconds=1))

        first = await claimed(conn, endpoint_id, at_most=1)
        second = await claimed(conn, endpoint_id, B)
        third = await claimed(conn, endpoint_id)

    assert [[one.message_id for one in batch] for batch in (first, second, third)] == [
        [early.id],
        [late.id],
        [],
    ]


async def test_two_servers_that_claim_at_once_share_what_there_is(
    database: Database, endpoint_id: WebhookEndpointId
) -> None:
    async with database.transaction() as conn:
        for _ in range(20):
            await a_message(conn, ORGANIZATION, endpoint_id)

    async def some(server_id: ServerId) -> list[ClaimedDelivery]:
        found: list[ClaimedDelivery] = []
        for _ in range(5):
            async with database.transaction() as conn:
                found += await claimed(conn, endpoint_id, server_id, at_most=3)
        return found

    both = await asyncio.gather(some(A), some(B))

    ids = [one.id for batch in both for one in batch]
    assert len(ids) == len(set(ids)) == 20


async def test_what_a_server_has_claimed_is_due_again_when_its_lease_is_over(
    database: Database, endpoint_id: WebhookEndpointId
) -> None:
    async with database.transaction() as conn:
        await a_message(conn, ORGANIZATION, endpoint_id)
        [mine] = await claimed(conn, endpoint_id)

        before = await claimed(conn, endpoint_id, B, now=LATER - timedelta(seconds=1))
        [theirs] = await claimed(conn, endpoint_id, B, now=LATER)

    assert before == ()
    assert (theirs.id, theirs.message_id) == (mine.id, mine.message_id)
    assert theirs.claim != mine.claim


async def test_what_a_dead_server_has_claimed_is_due_at_once(
    database: Database, endpoint_id: WebhookEndpointId
) -> None:
    async with database.transaction() as conn:
        await a_message(conn, ORGANIZATION, endpoint_id)
        await claimed(conn, endpoint_id)

        await store.release(conn, A, now=NOON)

        assert len(await claimed(conn, endpoint_id, B)) == 1


async def test_an_outcome_is_written_with_its_attempt(
    database: Database, endpoint_id: WebhookEndpointId
) -> None:
    async with database.transaction() as conn:
        message = await a_message(conn, ORGANIZATION, endpoint_id)
        [mine] = await claimed(conn, endpoint_id)
        again = NOON + timedelta(seconds=5)
        await store.note(
            conn, [Outcome(mine, an_answer(500), WebhookDeliveryStatus.WAITING, again)], now=NOON
        )
        [retried] = await claimed(conn, endpoint_id, now=again)
        await store.note(
            conn, [Outcome(retried, an_answer(), WebhookDeliveryStatus.DELIVERED, None)], now=again
        )

    delivery = await the_delivery(database, message)
    async with database.read() as conn:
        attempts, total = await webhook_deliveries.attempts(conn, message.id)
    assert (mine.failures, retried.failures) == (0, 1)
    assert (delivery.status, delivery.attempts, delivery.due_at, delivery.finished_at) == (
        WebhookDeliveryStatus.DELIVERED,
        2,
        None,
        again,
    )
    assert {(one.number, one.answer.status_code) for one in attempts} == {(1, 500), (2, 204)}
    assert total == 2


async def test_who_lost_the_lease_writes_nothing(database: Database, endpoint_id: WebhookEndpointId) -> None:
    async with database.transaction() as conn:
        message = await a_message(conn, ORGANIZATION, endpoint_id)
        [mine] = await claimed(conn, endpoint_id)
        [theirs] = await claimed(conn, endpoint_id, B, now=LATER)

        await store.note(conn, [Outcome(mine, an_answer(500), WebhookDeliveryStatus.FAILED, None)], now=LATER)
        await store.note(
            conn, [Outcome(theirs, an_answer(), WebhookDeliveryStatus.DELIVERED, None)], now=LATER
        )
        await store.note(
            conn, [Outcome(theirs, an_answer(500), WebhookDeliveryStatus.FAILED, None)], now=LATER
        )

    delivery = await the_delivery(database, message)
    assert (delivery.status, delivery.attempts) == (WebhookDeliveryStatus.DELIVERED, 1)


async def test_who_is_due_is_told_with_the_soonest_first(database: Database) -> None:
    async with database.transaction() as conn:
        organization_id = await an_organization(conn)
        ids = [(await an_endpoint(conn, organization_id, VAULT)).id for _ in range(4)]
        for hours, endpoint_id in enumerate(reversed(ids[1:])):
            for extra in (3, 0):
                moment = NOON + timedelta(hours=hours + extra)
                await a_message(conn, organization_id, endpoint_id, now=moment)
        [done] = await claimed(conn, ids[3], now=NOON)
        await store.note(conn, [Outcome(done, an_answer(), WebhookDeliveryStatus.DELIVERED, None)], now=NOON)

    async with database.read() as conn:
        due = await store.due(conn)

    hours = [(endpoint_id, (moment - NOON).total_seconds() / 3600) for endpoint_id, moment in due]
    assert hours == [(ids[2], 1), (ids[1], 2), (ids[3], 3)]


async def test_nobody_is_due_where_nothing_waits(database: Database) -> None:
    async with database.read() as conn:
        assert await store.due(conn) == []


async def test_secrets_come_with_a_claim_and_the_old_one_after_a_rotation(
    database: Database, endpoint_id: WebhookEndpointId
) -> None:
    async with database.transaction() as conn:
        secrets = await webhook_endpoints.secrets(conn, ORGANIZATION, endpoint_id)
        assert secrets is not None
        new = (secrets[0][0], b"new")
        await webhook_endpoints.set_secret(conn, endpoint_id, new, old_valid_until=LATER)
        await a_message(conn, ORGANIZATION, endpoint_id)

        [one] = await claimed(conn, endpoint_id)

    assert (one.secret, one.old_secret, one.old_secret_valid_until) == (new, secrets[0], LATER)
