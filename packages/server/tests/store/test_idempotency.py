"""Remembered answers, on both databases."""

from datetime import timedelta

from cyberdesk_server.store import idempotency
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.idempotency import LIFE, Begun, Remembered
from cyberdesk_server.store.tables import idempotency as table
from cyberdesk_server.testing.rows import NOON, an_organization
from sqlalchemy import select

ANSWER = Remembered("digest", 201, b"{}", {"content-type": "application/json"})


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


async def test_an_answer_past_its_life_makes_room_for_the_next(database: Database) -> None:
    async with database.transaction() as conn:
        own = await an_organization(conn)
        await idempotency.remember(conn, own, "k", Remembered("other", 200, b""), now=NOON)
        await idempotency.remember(conn, own, "k", ANSWER, now=NOON + LIFE)

        assert await idempotency.recall(conn, own, "k", now=NOON + LIFE) == ANSWER


async def test_answers_past_their_life_are_removed(database: Database) -> None:
    async with database.transaction() as conn:
        own = await an_organization(conn)
        for key, minutes in (("old", 0), ("young", 1)):
            await idempotency.remember(conn, own, key, ANSWER, now=NOON + timedelta(minutes=minutes))

        await idempotency.forget_old(conn, now=NOON + LIFE)

        assert (await conn.execute(select(table.c.key))).scalars().all() == ["young"]


async def test_one_transaction_at_a_time_works_under_a_key(
    database: Database,
) -> None:
    """Invariant 7. SQLite has no second transaction meanwhile."""
    async with database.transaction() as conn:
        own, other = await an_organization(conn, "org_a"), await an_organization(conn, "org_b")
    locked: list[bool] = []

    async with database.transaction() as conn:
        locked.append(await idempotency.lock(conn, own, "k"))
        if conn.dialect.name == "postgresql":
            async with database.transaction() as second:
                assert not await idempotency.lock(second, own, "k")
                assert await idempotency.lock(second, own, "l")
                assert await idempotency.lock(second, other, "k")
    async with database.transaction() as conn:
        locked.append(await idempotency.lock(conn, own, "k"))

    assert locked == [True, True]


async def test_what_has_begun_stays_begun_until_it_is_answered(database: Database) -> None:
    later = NOON + timedelta(minutes=1)
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        answer = Remembered("asked", 200, b"{}", {"content-type": "application/json"})

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
