"""A real server, real drivers on real X displays, and the SDK in front of them. Nothing here is faked.

Everything that is started ends with the test that started it, or with the session for what many tests share.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from cyberdesk import CyberdeskClient, MachineResponse, RunCreate, RunResponse, WorkflowCreate
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing import a_machine, an_organization
from cyberdriver.backends.base import Size
from cyberdriver.desktop import VirtualDesktop

ROOT = Path(__file__).resolve().parents[2]
SCREEN = Size(1280, 800)

START_SECONDS = 60
"""For a program that starts on a machine that is busy with other tests."""

STOP_SECONDS = 15
RUN_SECONDS = 120
DESKTOP_GRACE_SECONDS = 4
"""How long the server waits for a desktop that has gone; short, because some tests wait it out."""

ENDED = ("success", "task_failed", "error", "cancelled")


def until(condition: Callable[[], Any], *, seconds: float = START_SECONDS, what: str) -> Any:
    """The first true value of `condition`."""
    deadline = monotonic() + seconds
    while not (value := condition()):
        assert monotonic() < deadline, f"not within {seconds:g} s: {what}"
        sleep(0.05)
    return value


def script(name: str) -> str:
    """A command of the environment this Python belongs to."""
    return str(Path(sys.executable).parent / name)


@dataclass
class Program:
    """A program that was started, and what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def says(self, pattern: str) -> re.Match[str]:
        """The first match in what it says, as soon as it says it."""

        def found() -> re.Match[str] | None:
            match = re.search(pattern, self.said())
            assert match or self.process.poll() is None, f"it ended:\n{self.said()[-3000:]}"
            return match

        return until(found, what=f"{pattern!r} in\n{self.log}")  # type: ignore[no-any-return]

    def kill(self) -> None:
        """`kill -9`: nothing of it can tidy up."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """The program until the block ends; it is asked to end, and made to when it does not."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Program(process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(STOP_SECONDS)


@dataclass
class Server:
    """A server process on a data folder; started again it is the same server."""

    folder: Path
    port: int = 0
    api_key: str = field(default="", repr=False)
    program: Program | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def up(self) -> Iterator[Program]:
        """Run the server until the block ends. The first start picks a port and makes a key."""
        key_file = self.folder / "api-key"
        command = [
            script("cyberdesk-server"),
            "up",
            f"--data-dir={self.folder / 'data'}",
            f"--port={self.port}",
            f"--write-key={key_file}",
        ]
        settings = {"CYBERDESK_DESKTOP_GRACE_SECONDS": str(DESKTOP_GRACE_SECONDS)}
        log = self.folder / f"server-{len(list(self.folder.glob('server-*.log')))}.log"
        with running(command, log, settings) as self.program:
            self.port = int(self.program.says(r"ready: http://127\.0\.0\.1:(\d+)")[1])
            self.api_key = key_file.read_text().strip()
            yield self.program

    @contextmanager
    def site(self) -> Iterator["Site"]:
        """The running server as its callers see it."""
        with CyberdeskClient(self.api_key, base_url=self.base_url) as client:
            yield Site(self, client)


@dataclass
class Site:
    """What a test talks to: the SDK, and what the SDK's answers mean."""

    server: Server
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

        return until(found, seconds=seconds, what=f"the end of run {run_id}")  # type: ignore[no-any-return]

    def connected(self, name: str) -> MachineResponse:
        """The machine of this name, as soon as its driver has joined."""

        def found() -> MachineResponse | None:
            machines = _data(self.client.machines.list_sync(search=name)).items
            return next((one for one in machines if one.name == name and one.status == "connected"), None)

        return until(found, what=f"machine {name!r} connected")  # type: ignore[no-any-return]

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
        command = [
            script("cyberdriver"),
            "join",
            f"--server={self.site.server.base_url}",
            f"--name={self.name}",
            f"--config-dir={self.folder / 'config'}",
        ]
        environment = {**self.desktop.environment, "CYBERDESK_AGENT_KEY": self.site.server.api_key}
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


@pytest.fixture
def a_server(tmp_path: Path) -> Server:
    """A server for one test alone, not started yet."""
    folder = tmp_path / "server"
    folder.mkdir()
    return Server(folder)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server most tests share."""
    server = Server(tmp_path_factory.mktemp("server"))
    with server.up():
        yield server


@pytest.fixture(scope="session")
def site(server: Server) -> Iterator[Site]:
    with server.site() as site:
        yield site


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
def stranger(server: Server) -> str:
    """The id of a machine that belongs to another organization of the same server."""

    async def make() -> str:
        database = await Database.open(f"sqlite+aiosqlite:///{server.folder}/data/cyberdesk.sqlite3")
        try:
            async with database.transaction() as conn:
                organization_id = await an_organization(conn, "org_stranger")
                return str((await a_machine(conn, organization_id)).id)
        finally:
            await database.close()

    return asyncio.run(make())
