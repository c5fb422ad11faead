"""Remembered answers, on both databases."""

import asyncio
from datetime import timedelta

from cyberdesk_server.store import idempotency
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.idempotency import LIFE, Begun, Remembered
from cyberdesk_server.testing.rows import NOON, an_organization

ANSWER = Remembered("digest", 201, b"{}")


async def test_an_answer_is_recalled_for_its_life_in_its_organization(database: Database) -> None:
    async with database.transaction() as conn:
        own, other = await an_organization(conn, "org_a"), await an_organization(conn, "org_b")
        await idempotency.remember(conn, own, "k", ANSWER, now=NOON)

        assert await idempotency.recall(conn, own, "k", now=NOON) == ANSWER
        assert await idempotency.recall(conn, own, "l", now=NOON) is None
        assert await idempotency.recall(conn, other, "k", now=NOON) is None
        assert await idempotency.recall(conn, own, "k", now=NOON + LIFE - timedelta(seconds=1)) == ANSWER
        assert await idempotency.recall(conn, own, "k", now=NOON + LIFE) is None


async def test_the_first_answer_stays(database: Database) -> None:
    async with database.transaction() as conn:
        own = await an_organization(conn)
        await idempotency.remember(conn, own, "k", ANSWER, now=NOON)
        await idempotency.remember(conn, own, "k", Remembered("other", 200, b""), now=NOON)

        assert await idempotency.recall(conn, own, "k", now=NOON) == ANSWER


async def test_of_two_at_the_same_time_the_second_waits_for_the_first(database: Database) -> None:
    """Invariant 7."""
    async with database.transaction() as conn:
        own = await an_organization(conn)
    done: list[int] = []

    async def write(number: int) -> None:
        async with database.transaction() as conn:
            if await idempotency.recall(conn, own, "k", now=NOON) is None:
                await asyncio.sleep(0)
                done.append(number)
                await idempotency.remember(conn, own, "k", ANSWER, now=NOON)

    await asyncio.gather(*(write(number) for number in range(5)))

    assert len(done) == 1


async def test_what_has_begun_stays_begun_until_it_is_answered(database: Database) -> None:
    later = NOON + timedelta(minutes=1)
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        answer = Remembered("asked", 204, b"")

        first = await idempotency.begin(conn, organization, "k", "asked", now=NOON)
        second = await idempotency.begin(conn, organization, "k", "asked", now=later)
        await idempotency.finish(conn, organization, "k", answer)
        third = await idempotency.begin(conn, organization, "k", "asked", now=later)

        assert first == Begun("asked", NOON, is_new=True)
        assert second == Begun("asked", NOON, is_new=False)
        assert third == answer
        assert await idempotency.recall(conn, organization, "k", now=later) == answer


async def test_what_did_nothing_is_taken_back_and_an_answer_is_not(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await idempotency.begin(conn, organization, "k", "asked", now=NOON)

        await idempotency.take_back(conn, organization, "k")
        again = await idempotency.begin(conn, organization, "k", "other", now=NOON)
        await idempotency.finish(conn, organization, "k", Remembered("other", 204, b""))
        await idempotency.take_back(conn, organization, "k")

        assert again == Begun("other", NOON, is_new=True)
        assert await idempotency.recall(conn, organization, "k", now=NOON) == Remembered("other", 204, b"")
