"""Conditions on lists, on both databases."""

from uuid import UUID, uuid4

from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.lists import among, each_id, each_pair_of_ids, each_pair_of_words
from cyberdesk_server.store.tables import organizations, workflows
from cyberdesk_server.testing.rows import a_workflow, an_organization
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

WORKFLOWS = select(workflows.c.id).where(among(workflows.c.id, "ids"))
ORGANIZATIONS = select(organizations.c.id).where(among(organizations.c.id, "names"))


async def found(conn: AsyncConnection, ids: list[UUID]) -> set[UUID]:
    return set((await conn.execute(WORKFLOWS, {"ids": ids})).scalars())


async def test_ids_are_found_however_many(database: Database) -> None:
    async with database.transaction() as conn:
        organization_id = await an_organization(conn)
        made: list[UUID] = [(await a_workflow(conn, organization_id)).id for _ in range(3)]

        for size in range(4):
            assert await found(conn, made[:size]) == set(made[:size])
        assert await found(conn, [uuid4(), made[0], made[0]]) == {made[0]}


async def test_words_are_found_whatever_is_in_them(database: Database) -> None:
    awkward = ["a", "a,b", '{"a"}', "[]", "ä'", "NULL", ""]
    async with database.transaction() as conn:
        for name in awkward:
            await an_organization(conn, OrganizationId(name))

        for name in awkward:
            assert (await conn.execute(ORGANIZATIONS, {"names": [name]})).scalars().all() == [name]
        assert set((await conn.execute(ORGANIZATIONS, {"names": awkward})).scalars()) == set(awkward)


@given(st.lists(st.uuids(), max_size=20), st.lists(st.uuids(), max_size=20))
def test_lists_of_all_lengths_are_one_statement(some: list[UUID], others: list[UUID]) -> None:
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        texts = {str(WORKFLOWS.params(ids=ids).compile(dialect=dialect)) for ids in (some, others)}
        assert len(texts) == 1


async def test_a_list_of_ids_gives_a_row_for_each(database: Database) -> None:
    ids = [uuid4() for _ in range(3)]
    async with database.read() as conn:
        for size in range(4):
            rows = (await conn.execute(each_id("ids"), {"ids": ids[:size]})).scalars().all()
            assert rows == ids[:size]


async def test_two_lists_give_a_row_for_each_place(database: Database) -> None:
    ids, others = [uuid4() for _ in range(3)], [uuid4() for _ in range(3)]
    words, awkward = ["a", "b", "a"], ["a,b", '{"a"}', "ä'"]
    async with database.read() as conn:
        for size in range(4):
            asked = {"ids": ids[:size], "others": others[:size]}
            pairs = await conn.execute(select(each_pair_of_ids("ids", "others")), asked)
            assert pairs.all() == list(zip(ids, others, strict=True))[:size]
            told = {"words": words[:size], "others": awkward[:size]}
            pairs = await conn.execute(select(each_pair_of_words("words", "others")), told)
            assert pairs.all() == list(zip(words, awkward, strict=True))[:size]


async def test_an_index_serves_a_list(database: Database) -> None:
    is_postgresql = database.url.startswith("postgresql")
    async with database.transaction() as conn:
        if is_postgresql:
            await conn.execute(text("SET LOCAL enable_seqscan = off"))  # as for tables that have grown
        sql = str(WORKFLOWS.compile(dialect=conn.dialect))
        sql = sql.replace("$1", "'{}'").replace("?", "'[]'")
        plan = await conn.execute(text(f"EXPLAIN {'' if is_postgresql else 'QUERY PLAN'} {sql}"))
        told = " ".join(str(row) for row in plan)

    assert ("pk_workflows" if is_postgresql else "SEARCH workflows USING") in told, told
