"""A sender: every message reaches its endpoint, whatever happens to the server or to other endpoints."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import OrganizationId, ServerId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.webhooks import Answer, WebhookDeliveryStatus, WebhookEndpoint, WebhookEventType
from cyberdesk_server.store import webhook_claims, webhook_deliveries, webhook_endpoints, webhook_messages
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.webhook_messages import Wanted
from cyberdesk_server.testing.ports import ManualClock
from cyberdesk_server.testing.rows import HERE, NOON, a_run, a_workflow, an_organization
from cyberdesk_server.testing.webhook_rows import a_message, an_endpoint
from cyberdesk_server.testing.webhooks import Carried, ScriptedCourier, an_answer
from cyberdesk_server.topics import WEBHOOKS_WAITING
from cyberdesk_server.usecases import servers
from cyberdesk_server.usecases.webhook_deliveries import Patience
from cyberdesk_server.worker.sender import Sender, SenderLimits

ORGANIZATION = OrganizationId("org_test")
VAULT = EnvelopeVault(MasterKey(b"m" * 32))


@dataclass
class Post:
    """Where senders work: one organization on one database."""

    database: Database
    bus: InProcessBus = field(default_factory=InProcessBus)
    courier: ScriptedCourier = field(default_factory=ScriptedCourier)

    def sender(
        self,
        courier: ScriptedCourier | None = None,
        server_id: ServerId = HERE,
        waits_seconds: tuple[float, ...] = (0.0,) * 7,
        **limits: Any,
    ) -> Sender:
        # Nobody is woken by the sweep unless a test says so: a lost wake-up makes it hang.
        chosen = SenderLimits(**{"sweep_seconds": 600.0, "lease_seconds": 600.0} | limits)
        patience = Patience(luck=lambda: 0.0, waits_seconds=waits_seconds)
        used = courier or self.courier
        return Sender(server_id, self.database, self.bus, ManualClock(), used, VAULT, patience, chosen)

    @asynccontextmanager
    async def sending(self, sender: Sender | None = None) -> AsyncIterator[None]:
        """While the context is open the sender runs; at its end it stops gracefully."""
        sender = sender or self.sender()
        running = asyncio.create_task(sender.run())
        try:
            yield
        finally:
            await sender.stop()
            await running

    async def endpoint(self, url: str = "https://receiver.test", **fields: Any) -> WebhookEndpoint:
        async with self.database.transaction() as conn:
            return await an_endpoint(conn, ORGANIZATION, VAULT, url=url, **fields)

    async def message(self, *endpoints: WebhookEndpoint) -> str:
        async with self.database.transaction() as conn:
            made = await a_message(conn, ORGANIZATION, *(endpoint.id for endpoint in endpoints))
        await self.bus.publish(WEBHOOKS_WAITING)
        return str(made.id)

    async def statuses(self) -> list[tuple[WebhookDeliveryStatus, int]]:
        """Of all deliveries: how they stand and how many attempts they took."""
        async with self.database.read() as conn:
            messages, _ = await webhook_messages.find(conn, ORGANIZATION, Wanted())
            found = await webhook_deliveries.of_messages(conn, [message.id for message in messages])
        return [(one.status, one.attempts) for deliveries in found.values() for one in deliveries]

    async def now(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        async with self.database.read() as conn:
            found = await webhook_endpoints.get(conn, ORGANIZATION, endpoint.id)
        assert found is not None
        return found


@pytest.fixture
async def post(any_database: Database) -> Post:
    async with any_database.transaction() as conn:
        await an_organization(conn)
    return Post(any_database)


async def test_the_end_of_a_run_is_told_to_those_who_want_to_know(post: Post) -> None:
    await post.endpoint("https://told.test")
    await post.endpoint("https://of-sessions.test", event_types=(WebhookEventType.SESSION_RELEASED,))
    async with post.database.transaction() as conn:
        workflow = await a_workflow(conn, ORGANIZATION, is_webhooks_enabled=True)
        await a_run(conn, workflow, status=RunStatus.CANCELLED)

    async with post.sending():
        carried = await post.courier.until(lambda carried: len(carried) == 1)

    assert [one.url for one in carried] == ["https://told.test"]
    assert await post.statuses() == [(WebhookDeliveryStatus.DELIVERED, 1)]


async def test_a_sender_that_sleeps_is_woken(post: Post) -> None:
    endpoint = await post.endpoint()

    async with post.sending():
        ids = {await post.message(endpoint) for _ in range(3)}
        carried = await post.courier.until(lambda carried: len(carried) == 3)

    assert {one.message_id for one in carried} == ids


async def test_what_fails_is_tried_again_under_the_same_id_until_it_arrives(post: Post) -> None:
    def respond(_: Carried) -> Answer:
        return an_answer(500 if len(post.courier.carried) < 5 else 204)

    post.courier.respond = respond
    id_ = await post.message(await post.endpoint())

    async with post.sending(post.sender(sweep_seconds=0.01)):
        carried = await post.courier.until(lambda carried: len(carried) == 5)

    assert {one.message_id for one in carried} == {id_}
    assert {one.body for one in carried} == {carried[0].body}
    assert await post.statuses() == [(WebhookDeliveryStatus.DELIVERED, 5)]


async def test_after_the_last_attempt_a_delivery_has_failed(post: Post) -> None:
    post.courier.respond = lambda _: an_answer(None, error="no answer")
    endpoint = await post.endpoint()
    await post.message(endpoint)

    async with post.sending(post.sender(sweep_seconds=0.01)):
        await post.courier.until(lambda carried: len(carried) == 8)

    assert await post.statuses() == [(WebhookDeliveryStatus.FAILED, 8)]
    assert (await post.now(endpoint)).failing_since is not None


async def test_an_endpoint_that_does_not_answer_keeps_no_other_waiting(post: Post) -> None:
    dead, alive = await post.endpoint("https://dead.test"), await post.endpoint("https://alive.test")
    post.courier.held.add(dead.url)
    for _ in range(50):
        await post.message(dead)

    async with post.sending(post.sender(concurrency=8)):
        await post.courier.until(lambda carried: len(carried) >= 2)
        for _ in range(20):
            await post.message(alive)
        carried = await post.courier.until(lambda carried: sum(one.url == alive.url for one in carried) == 20)
        assert sum(one.url == dead.url for one in carried) <= 2
        await post.courier.release(dead.url)
        await post.courier.until(lambda carried: len(carried) == 70)


async def test_an_endpoint_that_is_gone_gets_nothing_more(post: Post) -> None:
    post.courier.respond = lambda _: an_answer(410)
    endpoint = await post.endpoint()
    for _ in range(5):
        await post.message(endpoint)

    async with post.sending():
        await post.courier.until(lambda carried: len(carried) >= 1)

    assert not (await post.now(endpoint)).is_enabled
    assert {status for status, _ in await post.statuses()} == {WebhookDeliveryStatus.FAILED}


async def test_a_stopping_sender_writes_what_came_back_and_leaves_the_rest(post: Post) -> None:
    slow, fast = await post.endpoint("https://slow.test"), await post.endpoint("https://fast.test")
    post.courier.held.add(slow.url)
    await post.message(slow, fast)

    async with post.sending(post.sender(shutdown_seconds=0.05)):
        await post.courier.until(lambda carried: len(carried) == 2)
    async with post.database.transaction() as conn:
        await webhook_claims.release(conn, HERE, now=NOON)
    next_one = ScriptedCourier()
    async with post.sending(post.sender(next_one)):
        [taken_over] = await next_one.until(lambda carried: len(carried) == 1)

    assert taken_over.url == slow.url
    assert sorted(await post.statuses()) == [(WebhookDeliveryStatus.DELIVERED, 1)] * 2


async def test_two_senders_send_each_message_once(post: Post) -> None:
    endpoints = [await post.endpoint(f"https://receiver-{number}.test") for number in range(5)]
    ids = [await post.message(*endpoints) for _ in range(20)]

    async with post.sending(), post.sending(post.sender(server_id=ServerId("other"))):
        await post.courier.until(lambda carried: len(carried) >= 100)

    sent = [(one.message_id, one.url) for one in post.courier.carried]
    assert sorted(sent) == sorted((id_, endpoint.url) for id_ in ids for endpoint in endpoints)


async def test_what_a_dead_server_had_under_way_is_sent_by_the_next(post: Post) -> None:
    endpoint = await post.endpoint()
    post.courier.held.add(endpoint.url)
    await servers.begin(post.database, HERE, folder="folder", now=NOON)
    id_ = await post.message(endpoint)
    dying = asyncio.create_task(post.sender().run())
    await post.courier.until(lambda carried: len(carried) == 1)
    dying.cancel()  # as kill -9 would: nothing is written any more
    await asyncio.wait([dying])

    await servers.begin(post.database, ServerId("next"), folder="folder", now=NOON)
    next_one = ScriptedCourier()
    async with post.sending(post.sender(next_one, ServerId("next"))):
        [again] = await next_one.until(lambda carried: len(carried) == 1)

    assert again.message_id == id_


async def test_a_secret_that_does_not_open_is_told_as_an_attempt(post: Post) -> None:
    endpoint = await post.endpoint()
    async with post.database.transaction() as conn:
        secrets = await webhook_endpoints.secrets(conn, ORGANIZATION, endpoint.id)
        assert secrets is not None
        broken = (secrets[0][0], b"broken")
        await webhook_endpoints.set_secret(conn, endpoint.id, broken, old_valid_until=NOON)
        message = await a_message(conn, ORGANIZATION, endpoint.id)

    async with post.sending(post.sender(waits_seconds=())):
        await post.message(await post.endpoint("https://other.test"))
        [other] = await post.courier.until(lambda carried: len(carried) == 1)

    async with post.database.read() as conn:
        [attempt], _ = await webhook_deliveries.attempts(conn, message.id)
    assert other.url == "https://other.test"
    assert "rotate it" in (attempt.answer.error or "")
