"""Secrets outside of the database: there before a transaction needs them, gone when nobody does."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from cyberdesk_server.adapters.vault import EnvelopeVault, KeptOutside, MasterKey
from cyberdesk_server.domain.ids import MachineId, OrganizationId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.sealed import HASHICORP, is_elsewhere
from cyberdesk_server.ports import Vault, VaultUnavailable
from cyberdesk_server.store import runs, secrets
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import places_to_discard
from cyberdesk_server.store.tables import runs as run_rows
from cyberdesk_server.store.tables import secrets as secret_rows
from cyberdesk_server.testing.ports import ManualClock, MemoryKeeper
from cyberdesk_server.testing.rows import a_machine, a_run, a_workflow, an_organization
from cyberdesk_server.usecases.places import FIRST_PAUSE, empty_due, forget_ended
from cyberdesk_server.usecases.sealing import USED_WITHIN, preparing, seal
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError


class Setting:
    """A database with a machine, and a keeper outside of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.keeper = MemoryKeeper()
        self.clock = ManualClock()
        self.vault: Vault = KeptOutside(self.keeper, EnvelopeVault(MasterKey(bytes(32))), self.clock)

    async def a_machine(self) -> Machine:
        async with self.database.transaction() as conn:
            return await a_machine(conn, await an_organization(conn))

    async def give(self, machine: Machine, *values: str) -> None:
        organization = machine.organization_id
        async with (
            preparing(self.database, self.vault, organization, values, clock=self.clock) as vault,
            self.database.transaction() as conn,
        ):
            sealed = await seal(vault, organization, {f"s{n}": value for n, value in enumerate(values)})
            await secrets.add_for_machine(conn, organization, machine.id, sealed)

    async def take(self, machine_id: MachineId) -> None:
        async with self.database.transaction() as conn:
            await secrets.forget_machine(conn, machine_id)

    async def empty_due(self) -> None:
        await empty_due(self.database, self.vault, now=self.clock.now())

    async def listed(self) -> int:
        """How many places are to be emptied, now or later."""
        async with self.database.read() as conn:
            return len((await conn.execute(select(places_to_discard.c.place))).all())


@pytest.fixture
def setting(database: Database) -> Setting:
    return Setting(database)


async def test_a_secret_is_kept_outside_as_long_as_its_row_is_there(setting: Setting) -> None:
    machine = await setting.a_machine()

    await setting.give(machine, "hunter2", "hunter2")
    await setting.empty_due()

    assert sorted(setting.keeper.kept.values()) == ['"hunter2"'] * 2
    async with setting.database.read() as conn:
        rows = (await conn.execute(select(secret_rows.c.sealed))).scalars().all()
    assert len(set(rows)) == 2
    assert all(map(is_elsewhere, rows))

    await setting.take(machine.id)
    await setting.empty_due()

    assert (setting.keeper.kept, await setting.listed()) == ({}, 0)


async def test_what_a_failed_request_brought_outside_is_deleted(setting: Setting) -> None:
    machine = await setting.a_machine()

    with pytest.raises(IntegrityError):
        await setting.give(replace(machine, id=MachineId(uuid4())), "x")  # no such machine
    await setting.empty_due()

    assert (setting.keeper.kept, await setting.listed()) == ({}, 0)


async def test_what_a_lost_server_brought_outside_is_deleted_after_a_while(setting: Setting) -> None:
    machine = await setting.a_machine()
    organization = machine.organization_id
    lost = preparing(setting.database, setting.vault, organization, ["x"], clock=setting.clock)
    await lost.__aenter__()

    await setting.empty_due()
    assert len(setting.keeper.kept) == 1
    setting.clock.advance(USED_WITHIN.total_seconds())
    await setting.empty_due()

    assert (setting.keeper.kept, await setting.listed()) == ({}, 0)
    await lost.__aexit__(None, None, None)  # it never did; its connection has to go all the same


async def test_a_keeper_that_is_away_stops_a_request_before_it_begins(setting: Setting) -> None:
    machine = await setting.a_machine()
    setting.keeper.is_away = True

    with pytest.raises(VaultUnavailable, match="away"):
        await setting.give(machine, "a", "b")

    assert await setting.listed() == 2  # the answer may have been lost on its way


async def test_a_secret_that_cannot_be_deleted_is_tried_again_until_it_is(setting: Setting) -> None:
    machine = await setting.a_machine()
    await setting.give(machine, "a", "b")
    await setting.take(machine.id)
    setting.keeper.is_away = True

    await setting.empty_due()
    await setting.empty_due()
    await setting.empty_due()
    assert await setting.listed() == 2

    setting.keeper.is_away = False
    await setting.empty_due()
    assert len(setting.keeper.kept) == 2  # not before its pause is over
    setting.clock.advance(FIRST_PAUSE.total_seconds())
    await setting.empty_due()

    assert (setting.keeper.kept, await setting.listed()) == ({}, 0)


async def test_places_wait_for_the_vault_they_are_in(setting: Setting) -> None:
    machine = await setting.a_machine()
    await setting.give(machine, "a")
    await setting.take(machine.id)
    outside, setting.vault = setting.vault, EnvelopeVault(MasterKey(bytes(32)))

    await setting.empty_due()
    assert await setting.listed() == 1

    setting.vault = outside
    setting.clock.advance(timedelta(hours=1).total_seconds())
    await setting.empty_due()
    assert (setting.keeper.kept, await setting.listed()) == ({}, 0)


async def test_a_vault_in_the_database_is_used_as_it_is(setting: Setting) -> None:
    vault = EnvelopeVault(MasterKey(bytes(32)))

    async with preparing(
        setting.database, vault, OrganizationId("org"), ["x"], clock=setting.clock
    ) as prepared:
        assert prepared is vault


async def test_secrets_that_the_end_of_their_run_has_left_are_forgotten(setting: Setting) -> None:
    async with setting.database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(conn, organization)
        ended, waiting = [await a_run(conn, workflow) for _ in range(2)]
        for run in (ended, waiting):
            place = HASHICORP + uuid4().bytes
            await secrets.add_for_run(conn, organization, run.id, {"a": (uuid4(), place)})  # type: ignore[dict-item]
        # Not by a way the product knows: each of those removes them.
        await conn.execute(
            update(run_rows).where(run_rows.c.id == ended.id).values(status=RunStatus.ERROR.value)
        )

    await forget_ended(setting.database)

    async with setting.database.transaction() as conn:
        assert [list(await secrets.for_run(conn, run.id)) for run in (ended, waiting)] == [[], ["a"]]
        assert await runs.get(conn, organization, ended.id) is not None
    assert await setting.listed() == 1
