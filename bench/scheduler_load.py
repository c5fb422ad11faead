"""A crowd of waiting runs and machines, written with a few statements: a million rows take seconds.

Each group is an organization of its own, whose machines are connected to a server of its own: its decisions
can be measured by themselves while all the others are there too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from cyberdesk_server.domain.ids import MachineId, OrganizationId, PoolId, ServerId
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import machines, pool_sets, servers
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, a_pool, a_run, a_workflow, an_organization
from sqlalchemy.ext.asyncio import AsyncConnection

POOL_SETS = 100
PRIORITY_EVERY = 50


class Mix(StrEnum):
    """What waits, and what is there for it."""

    ANY = "any"
    """Every run takes any machine, and every machine is free."""

    DISTINCT = "distinct"
    """Each run waits for one of the machines, and these are free: as many demands as machines."""

    BUSY = "busy"
    """Every run takes any machine, and all machines but one are busy."""

    ELSEWHERE = "elsewhere"
    """Every machine is free, and each run waits for one that is not connected."""

    POOLS = "pools"
    """Every machine is free and in one pool; each run needs that pool and another, in which there is none."""


@dataclass(frozen=True, slots=True)
class Group:
    """One mix with so many machines."""

    mix: Mix
    machines: int

    @property
    def name(self) -> str:
        return f"{self.mix}-{self.machines}"

    @property
    def organization_id(self) -> OrganizationId:
        return OrganizationId(f"org_{self.name}")

    @property
    def server_id(self) -> ServerId:
        return ServerId(self.name)

    @property
    def machine_prefix(self) -> str:
        """Of the ids of its machines, which end in their number."""
        return f"{list(Mix).index(self.mix):04}{len(str(self.machines)):04}-0000-4000-8000-"

    def machine_id(self, number: int) -> MachineId:
        return MachineId(UUID(f"{self.machine_prefix}{number:012x}"))

    def demand(self, number: int) -> str:
        """Of the run with this number."""
        match self.mix:
            case Mix.ANY | Mix.BUSY:
                return "any"
            case Mix.DISTINCT:
                return f"machine:{self.machine_id(number % self.machines + 1)}"
            case Mix.ELSEWHERE:
                return f"machine:{self.machine_id(number % self.machines + 1 + self.machines)}"
            case Mix.POOLS:
                return f"pools:{number % POOL_SETS}"


@dataclass(frozen=True, slots=True)
class Sql:
    """What the two databases write differently. `i` is the number of a row."""

    numbers: str
    """From {first} to {last}."""

    hex: str
    """Of {number}, 12 digits."""

    any_id: str
    id_of: str
    """The id that is spelled {text}."""

    at: str

    def demand(self, group: Group) -> str:
        number = "i" if group.mix is Mix.POOLS else f"(i % {group.machines} + 1)"
        match group.mix:
            case Mix.ANY | Mix.BUSY:
                return "'any'"
            case Mix.POOLS:
                return f"'pools:' || (i % {POOL_SETS})"
            case Mix.ELSEWHERE:
                number = f"(i % {group.machines} + 1 + {group.machines})"
        return f"'machine:{group.machine_prefix}' || " + self.hex.format(number=number)

    def machine_id(self, group: Group) -> str:
        return self.id_of.format(text=f"'{group.machine_prefix}' || {self.hex.format(number='i')}")


SQLITE = Sql(
    numbers="(WITH RECURSIVE c(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM c WHERE i < {last})"
    " SELECT i FROM c)",
    hex="printf('%012x', {number})",
    any_id="lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4000-8000-' || hex(randomblob(6)))",
    id_of="{text}",
    at="'2030-01-01 12:00:' || printf('%02d.%06d', i / 1000000, i % 1000000)",
)
POSTGRESQL = Sql(
    numbers="(SELECT generate_series({first}, {last}) AS i) AS numbers",
    hex="lpad(to_hex({number}), 12, '0')",
    any_id="gen_random_uuid()",
    id_of="({text})::uuid",
    at="timestamptz '2030-01-01 12:00:00Z' + i * interval '1 microsecond'",
)


class Crowd:
    """All groups in one database."""

    def __init__(self, database: Database, machine_counts: Sequence[int]) -> None:
        self.groups = [Group(mix, count) for count in machine_counts for mix in Mix]
        self._database = database
        self._is_postgresql = database.url.startswith("postgresql")
        self._sql = POSTGRESQL if self._is_postgresql else SQLITE
        self._workflows: dict[Group, Workflow] = {}
        self._runs = 0

    async def come(self) -> None:
        """All machines and no run."""
        async with self._database.transaction() as conn:
            for group in self.groups:
                await an_organization(conn, group.organization_id)
                self._workflows[group] = await a_workflow(conn, group.organization_id)
                await servers.add(conn, group.server_id, folder=group.name, now=NOON)
                await self._add_machines(conn, group)
                if group.mix is Mix.POOLS:
                    await self._add_pools(conn, group)

    async def grow(self, runs: int) -> None:
        """From now on so many runs wait: half of them in the largest group, the others have equal shares."""
        async with self._database.transaction() as conn:
            for group, share in self._shares():
                await self._add_runs(conn, group, int(self._runs * share) + 1, int(runs * share))
        self._runs = runs
        if self._is_postgresql:  # which keeps its statistics by itself, within a minute
            async with self._database.transaction() as conn:
                await conn.exec_driver_sql("ANALYZE")

    def _shares(self) -> Iterator[tuple[Group, float]]:
        largest = max(self.groups, key=lambda group: (group.machines, group.mix is Mix.ANY))
        for group in self.groups:
            yield group, 0.5 if group is largest else 0.5 / (len(self.groups) - 1)

    async def one_more_run(self, group: Group, number: int) -> None:
        async with self._database.transaction() as conn:
            await a_run(conn, self._workflows[group], demand=group.demand(number))

    async def change_a_machine(self, group: Group, number: int) -> None:
        machine_id = group.machine_id(number % group.machines + 1)
        async with self._database.transaction() as conn:
            for is_available in (False, True):
                changes = {"is_available": is_available}
                await machines.update_fields(conn, group.organization_id, machine_id, changes)

    async def _add_machines(self, conn: AsyncConnection, group: Group) -> None:
        sql, machine_id = self._sql, self._sql.machine_id(group)
        held_by = f"CASE WHEN i = 1 THEN NULL ELSE {sql.any_id} END" if group.mix is Mix.BUSY else "NULL"
        await conn.exec_driver_sql(
            "INSERT INTO machines (id, organization_id, fingerprint, unkey_key_id, status, is_available,"
            " connection_id, server_id, features, held_by_run_id, created_at, last_seen)"
            f" SELECT {machine_id}, '{group.organization_id}', 'f' || i, 'key', 'connected', true,"
            f" {machine_id}, '{group.server_id}', '[]', {held_by}, {sql.at}, {sql.at}"
            f" FROM {sql.numbers.format(first=1, last=group.machines)}"
        )

    async def _add_pools(self, conn: AsyncConnection, group: Group) -> None:
        full, empty = [(await a_pool(conn, group.organization_id)).id for _ in range(2)]
        await conn.exec_driver_sql(
            "INSERT INTO pool_machines (pool_id, machine_id)"
            " SELECT pools.id, machines.id FROM machines, pools"
            f" WHERE CAST(pools.id AS text) = '{full}' AND machines.server_id = '{group.server_id}'"
        )
        for number in range(POOL_SETS):
            pool_ids = [PoolId(full), PoolId(empty)]
            await pool_sets.add(conn, group.organization_id, group.demand(number), pool_ids)

    async def _add_runs(self, conn: AsyncConnection, group: Group, first: int, last: int) -> None:
        sql = self._sql
        await conn.exec_driver_sql(
            "INSERT INTO runs"
            " (id, organization_id, workflow_id, demand, status, is_priority, created_at, moved_at)"
            f" SELECT {sql.any_id}, workflows.organization_id, workflows.id, {sql.demand(group)},"
            f" 'scheduling', i % {PRIORITY_EVERY} = 0, {sql.at}, {sql.at}"
            f" FROM {sql.numbers.format(first=first, last=last)}, workflows"
            f" WHERE workflows.organization_id = '{group.organization_id}'"
        )
        # SQLite tells of each run, so a crowd that comes at once would be news for minutes.
        await conn.exec_driver_sql(f"DELETE FROM news WHERE organization_id = '{group.organization_id}'")
        await conn.exec_driver_sql(
            "INSERT INTO news (organization_id, demand) SELECT DISTINCT organization_id, demand FROM runs"
            f" WHERE organization_id = '{group.organization_id}'"
        )
