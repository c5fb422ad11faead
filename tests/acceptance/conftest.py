"""A real server, real drivers on real X displays, and the SDK in front of them. Nothing here is faked.

Everything that is started ends with the test that started it, or with the session for what many tests share.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cyberdesk import (
    CyberdeskClient,
    MachineCreate,
    MachineResponse,
    RunCreate,
    RunResponse,
    RunStatus,
    WorkflowCreate,
)
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.programs import (
    Program,
    Reachable,
    ServerProgram,
    driver_command,
    driver_environment,
    running,
    until,
)
from cyberdesk_server.testing.rows import a_machine, an_organization
from cyberdriver.backends.base import Size
from cyberdriver.desktop import VirtualDesktop

ROOT = Path(__file__).resolve().parents[2]
SCREEN = Size(1280, 800)
RUN_SECONDS = 120
DESKTOP_GRACE_SECONDS = 8
"""How long the server waits for a desktop that has gone: long enough to start a driver again, no longer."""

ENDED = ("success", "task_failed", "error", "cancelled")


@dataclass
class Site:
    """What a test talks to: the SDK, and what the SDK's answers mean."""

    server: Reachable
    client: CyberdeskClient

    def workflow(self, prompt: str, **fields: Any) -> str:
        """The id of a new workflow."""
        made = self.client.workflows.create_sync(
            WorkflowCreate(name="acceptance", main_prompt=prompt, **fields)
        )
        return str(_data(made).id)

    def start(self, prompt: str, machine: "Machine", **run: Any) -> str:
        """The id of a new run of this prompt on this machine."""
        workflow_id = self.workflow(prompt)
        made = self.client.runs.create_sync(RunCreate(workflow_id=workflow_id, machine_id=machine.id, **run))
        return str(_data(made).id)

    def run(self, prompt: str, machine: "Machine", **run: Any) -> RunResponse:
        """The run of this prompt, ended."""
        return self.ended(self.start(prompt, machine, **run))

    def get(self, run_id: str) -> RunResponse:
        return _data(self.client.runs.get_sync(run_id))

    def ended(self, run_id: str, *, seconds: float = RUN_SECONDS) -> RunResponse:
        def found() -> RunResponse | None:
            run = self.get(run_id)
            return run if run.status in ENDED else None

        return until(found, seconds=seconds, what=f"the end of run {run_id}")

    def spare_machine(self) -> str:
        """The id of a new machine that never connects, so that its runs wait."""
        return str(_data(self.client.machines.create_sync(MachineCreate(name="spare"))).id)

    def for_any_machine(self) -> list[Any]:
        """The runs that wait for whichever desktop comes next."""
        waiting = _data(self.client.runs.list_sync(status=RunStatus.SCHEDULING, limit=1000)).items
        return [run for run in waiting if not (run.machine_id or run.pool_ids or run.session_id)]

    def connected(self, name: str) -> MachineResponse:
        """The machine of this name, as soon as its driver has joined."""

        def found() -> MachineResponse | None:
            machines = _data(self.client.machines.list_sync(search=name)).items
            return next((one for one in machines if one.name == name and one.status == "connected"), None)

        return until(found, what=f"machine {name!r} connected")

    @contextmanager
    def machines(self, folder: Path) -> Iterator["MachineFor"]:
        """Makes desktops with a program in them, joined to the server; all end with the block."""
        with ExitStack() as parts:

            def machine(*program: str, name: str, environment: Mapping[str, str] | None = None) -> Machine:
                own = folder / name.replace(" ", "-")
                own.mkdir()
                desktop = parts.enter_context(VirtualDesktop(SCREEN))
                output = parts.enter_context((own / "program.log").open("wb"))
                desktop.run(program, environment=environment, output=output)
                return parts.enter_context(Machine(self, name, desktop, own).joined())

            yield machine


@dataclass
class Machine:
    """A virtual desktop that is joined to the server."""

    site: Site
    name: str
    desktop: VirtualDesktop
    folder: Path
    id: str = ""
    driver: Program | None = None

    @contextmanager
    def joined(self) -> Iterator["Machine"]:
        """Run the driver until the block ends. Joined again it is the same machine."""
        server = self.site.server
        command = driver_command(server, name=self.name, config_dir=self.folder / "config")
        environment = driver_environment(server, self.desktop.environment)
        with running(command, self.folder / "driver.log", environment) as self.driver:
            self.id = str(self.site.connected(self.name).id)
            yield self


def _data(response: Any) -> Any:
    """What a call answered; its error fails the test."""
    assert response.error is None, response.error
    return response.data


MachineFor = Callable[..., Machine]


@pytest.fixture(name="until")
def _until() -> Callable[..., Any]:
    return until


def _a_server(folder: Path) -> ServerProgram:
    folder.mkdir(exist_ok=True)
    return ServerProgram(folder, {"CYBERDESK_DESKTOP_GRACE_SECONDS": str(DESKTOP_GRACE_SECONDS)})


@contextmanager
def _site_of(server: Reachable) -> Iterator[Site]:
    with CyberdeskClient(server.api_key, base_url=server.base_url) as client:
        yield Site(server, client)


@pytest.fixture
def a_server(tmp_path: Path) -> ServerProgram:
    """A server for one test alone, not started yet."""
    return _a_server(tmp_path / "server")


@pytest.fixture(scope="session")
def site_of() -> Callable[[Reachable], AbstractContextManager[Site]]:
    """A running server as its callers see it."""
    return _site_of


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProgram]:
    """The server most tests share."""
    server = _a_server(tmp_path_factory.mktemp("server"))
    with server.up():
        yield server


@pytest.fixture(scope="session")
def site(server: ServerProgram) -> Iterator[Site]:
    with _site_of(server) as site:
        yield site


@pytest.fixture(autouse=True)
def _desktops_are_left_alone(request: pytest.FixtureRequest) -> Iterator[None]:
    """A run that a test leaves to any machine would hold the desktop of one of the next tests."""
    yield
    if "site" in request.fixturenames:
        assert request.getfixturevalue("site").for_any_machine() == []


@pytest.fixture
def machine_for(site: Site, tmp_path: Path) -> Iterator[MachineFor]:
    """`machine_for("xterm", name="terminal")`: a desktop with this program, joined to the shared server."""
    with site.machines(tmp_path) as machine:
        yield machine


@pytest.fixture(scope="session")
def clinic(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The demo clinic on a desktop of its own."""
    program = (sys.executable, str(ROOT / "demo" / "clinic"))
    with site.machines(tmp_path_factory.mktemp("clinic")) as machine:
        yield machine(*program, name="clinic", environment={"CLINIC_PASSWORD": "legacy"})


@pytest.fixture(scope="session")
def stranger(server: ServerProgram) -> str:
    """The id of a machine that belongs to another organization of the same server."""

    async def make() -> str:
        database = await Database.open(f"sqlite+aiosqlite:///{server.data_dir}/cyberdesk.sqlite3")
        try:
            async with database.transaction() as conn:
                organization_id = await an_organization(conn, "org_stranger")
                return str((await a_machine(conn, organization_id)).id)
        finally:
            await database.close()

    return asyncio.run(make())
