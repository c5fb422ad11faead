"""A change of the master key: everything sealed opens with the new one, and the old one is not needed."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import SecretId
from cyberdesk_server.domain.sealed import HASHICORP
from cyberdesk_server.ports import SecretContext
from cyberdesk_server.store import secrets
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.sealed import SEALED_COLUMNS, SealedSecret, replace
from cyberdesk_server.store.tables import metadata
from cyberdesk_server.store.tables import secrets as stored
from cyberdesk_server.testing.rows import a_machine, an_organization
from cyberdesk_server.usecases import rewrapping
from cyberdesk_server.usecases.rewrapping import Rewrapped, rewrap_all
from sqlalchemy import LargeBinary, select

OLD, NEW = MasterKey(b"o" * 32), MasterKey(b"n" * 32)
BOTH = EnvelopeVault(NEW, OLD)


def test_every_sealed_column_is_rewrapped() -> None:
    sealed = {
        column
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and "sealed" in column.name
    }

    assert {one.sealed for one in SEALED_COLUMNS} == sealed


class BrokenOff(Exception):
    """The operator has lost patience."""


@dataclass
class Breaks:
    """A rewrapping that is broken off."""

    after: int

    def __call__(self, sealed: bytes, context: SecretContext) -> bytes:
        self.after -= 1
        if self.after < 0:
            raise BrokenOff
        return BOTH.rewrapped(sealed, context)


async def test_a_change_that_was_broken_off_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrapping, "AT_A_TIME", 2)
    before = EnvelopeVault(OLD)
    ids = {f"s{number}": SecretId(UUID(int=number)) for number in range(1, 6)}
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization)
        sealed = {
            name: (id_, await before.seal(name, SecretContext(organization, id_)))
            for name, id_ in ids.items()
        }
        elsewhere = SecretId(UUID(int=6)), HASHICORP + bytes(16)
        unknown = SecretId(UUID(int=7))
        foreign = await EnvelopeVault(MasterKey(bytes(32))).seal("x", SecretContext(organization, unknown))
        rows = {**sealed, "elsewhere": elsewhere, "foreign": (unknown, foreign)}
        await secrets.add_for_machine(conn, organization, machine.id, rows)

    with pytest.raises(BrokenOff):
        await rewrap_all(database, Breaks(after=3))
    second = await rewrap_all(database, BOTH.rewrapped)
    third = await rewrap_all(database, BOTH.rewrapped)

    assert second == Rewrapped(changed=3, unreadable=1)
    assert third == Rewrapped(changed=0, unreadable=1)
    async with database.read() as conn:
        rows = {row.name: row for row in await conn.execute(select(stored))}
    after = EnvelopeVault(NEW)
    opened = {
        name: await after.open(rows[name].sealed, SecretContext(organization, id_))
        for name, id_ in ids.items()
    }
    assert opened == {name: name for name in ids}
    assert (rows["elsewhere"].sealed, rows["foreign"].sealed) == (elsewhere[1], foreign)


async def test_a_secret_that_is_replaced_meanwhile_stays_replaced(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization)
        secret_id = SecretId(uuid4())
        sealed = await EnvelopeVault(OLD).seal("x", SecretContext(organization, secret_id))
        await secrets.add_for_machine(conn, organization, machine.id, {"a": (secret_id, b"\x01newer")})

        column, read = SEALED_COLUMNS[0], SealedSecret(secret_id, organization, sealed)
        await replace(conn, column, {read: b"\x01rewrapped"})

        assert (await conn.execute(select(stored.c.sealed))).scalar_one() == b"\x01newer"
