"""Keys are made, rotated and revoked by the operator, and the audit log of their organization tells it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from cyberdesk_server.domain.ids import ApiKeyId, OrganizationId
from cyberdesk_server.domain.organizations import ApiKey, KeyScope, Organization
from cyberdesk_server.store import audit_log, keys
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON
from cyberdesk_server.usecases.keys import (
    KeyUses,
    NoOrganization,
    UnknownOrganization,
    create_key,
    list_keys,
    revoke_key,
    rotate_key,
)
from cyberdesk_server.usecases.organizations import create_organization

DAY = timedelta(days=1)


@pytest.fixture
def database(any_database: Database) -> Database:
    return any_database


@pytest.fixture
async def organization(database: Database) -> Organization:
    return await create_organization(database, name="clinic", now=NOON)


async def opened_by(database: Database, key: str) -> ApiKey | None:
    async with database.read() as conn:
        return await keys.authenticate(conn, key)


async def test_keys_are_made_listed_and_revoked(database: Database, organization: Organization) -> None:
    made = await create_key(database, name="laptop", now=NOON)

    assert made.key not in repr(made)
    assert made.api_key.hint == made.key[-4:]
    assert await list_keys(database, organization.id) == (made.api_key,)
    assert await revoke_key(database, made.api_key.id, now=NOON)
    assert not await revoke_key(database, made.api_key.id, now=NOON)
    assert not await revoke_key(database, ApiKeyId(uuid4()), now=NOON)
    assert await opened_by(database, made.key) is None


async def test_an_organization_has_several_keys_each_with_a_scope_and_a_life(
    database: Database, organization: Organization
) -> None:
    other = await create_organization(database, name="other", now=NOON + DAY)

    made = [
        await create_key(
            database, name=scope, scope=scope, life=DAY, organization_id=other.id, now=NOON + index * DAY
        )
        for index, scope in enumerate(KeyScope)
    ]

    found = await list_keys(database, other.id)
    assert found == tuple(one.api_key for one in made)
    assert [(key.scope, key.expires_at) for key in found] == [
        (scope, NOON + (index + 1) * DAY) for index, scope in enumerate(KeyScope)
    ]
    assert await list_keys(database, organization.id) == ()


async def test_a_rotated_key_works_beside_the_new_one_for_a_while(
    database: Database, organization: Organization
) -> None:
    old = await create_key(database, name="ci", scope=KeyScope.RUN, life=30 * DAY, now=NOON)

    new = await rotate_key(database, old.api_key.id, overlap=DAY, now=NOON + 10 * DAY)

    assert new is not None
    assert (new.api_key.name, new.api_key.scope, new.api_key.expires_at) == (
        "ci",
        KeyScope.RUN,
        NOON + 40 * DAY,
    )
    left = await opened_by(database, old.key)
    assert left is not None
    assert left.is_valid(NOON + 11 * DAY - timedelta(seconds=1))
    assert not left.is_valid(NOON + 11 * DAY)
    assert await opened_by(database, new.key) == new.api_key


async def test_a_rotation_lengthens_no_life_and_brings_none_back(
    database: Database, organization: Organization
) -> None:
    old = await create_key(database, name="ci", life=DAY, now=NOON)

    await rotate_key(database, old.api_key.id, overlap=30 * DAY, now=NOON)

    left = await opened_by(database, old.key)
    assert left is not None
    assert left.expires_at == NOON + DAY
    assert await rotate_key(database, old.api_key.id, overlap=DAY, now=NOON + DAY) is None
    assert await rotate_key(database, ApiKeyId(uuid4()), overlap=DAY, now=NOON) is None


@pytest.mark.parametrize("life", [None, 30 * DAY])
async def test_a_key_may_be_rotated_again_and_its_successor_lives_as_long(
    database: Database, organization: Organization, life: timedelta | None
) -> None:
    """As when somebody has lost the key that the first rotation told."""
    old = await create_key(database, name="ci", life=life, now=NOON)
    await rotate_key(database, old.api_key.id, overlap=DAY, now=NOON + 5 * DAY)

    new = await rotate_key(database, old.api_key.id, overlap=DAY, now=NOON + 5 * DAY)

    assert new is not None
    assert new.api_key.life == life
    assert new.api_key.expires_at == (None if life is None else NOON + 35 * DAY)


async def test_what_the_operator_does_to_keys_is_in_the_audit_log(
    database: Database, organization: Organization
) -> None:
    made = await create_key(database, name="ci", now=NOON)
    new = await rotate_key(database, made.api_key.id, overlap=DAY, now=NOON)
    await revoke_key(database, made.api_key.id, now=NOON)

    async with database.read() as conn:
        links = await audit_log.after(conn, organization.id, 0, at_most=10)
    assert new is not None
    old_id, new_id = str(made.api_key.id), str(new.api_key.id)
    assert [(link.entry.actor, link.entry.operation, link.entry.targets) for link in links] == [
        ("operator", "keys create", (old_id,)),
        ("operator", "keys rotate", (old_id, new_id)),
        ("operator", "keys revoke", (old_id,)),
    ]


async def test_a_last_use_is_written_once_for_many(database: Database, organization: Organization) -> None:
    made = await create_key(database, name="ci", now=NOON)
    unused = await create_key(database, name="unused", now=NOON)
    uses = KeyUses()
    for _ in range(3):
        uses.note(made.api_key.id)

    await uses.write(database, now=NOON + DAY)
    await uses.write(database, now=NOON + 2 * DAY)

    last = {key.id: key.last_used_at for key in await list_keys(database)}
    assert last == {made.api_key.id: NOON + DAY, unused.api_key.id: None}


async def test_before_the_first_start_there_are_no_keys(database: Database) -> None:
    with pytest.raises(NoOrganization, match="start the server once"):
        await create_key(database, name="laptop", now=NOON)


async def test_an_organization_that_is_not_there_is_named(
    database: Database, organization: Organization
) -> None:
    with pytest.raises(UnknownOrganization, match="org_nobody"):
        await create_key(database, name="laptop", organization_id=OrganizationId("org_nobody"), now=NOON)
