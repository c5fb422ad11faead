"""A live server on loopback with two organizations, and a machine of the first that is connected."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cyberdesk import AttachmentType, CyberdeskClient, RunAttachmentCreate, RunCreate, WorkflowCreate
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.programs import ServerProgram, driver_environment, running, until
from cyberdesk_server.testing.rows import an_api_key, an_organization

ROOT = Path(__file__).parents[1]
MACHINE = "painted desktop"
OTHER_KEY = "cd_of_the_other_organization"
CLOSED_PORT = "http://127.0.0.1:9"
"""Where whatever the server would send to the world ends: a run may name a model of some provider."""

RUN_SECONDS = 60.0
"""How long the first run may take."""


@dataclass(frozen=True, slots=True)
class Site:
    """What is there to be asked."""

    server: ServerProgram
    machine_id: str
    """Of the machine that is connected."""

    users: Path
    """The file that tells schemathesis the keys of both organizations: `own` and `other`."""


@contextmanager
def a_site(folder: Path, *, database_url: str | None = None) -> Iterator[Site]:
    """A site whose data is in `folder`, or in this database, until the block ends."""
    settings = {
        "CYBERDESK_LOG_FORMAT": "json",
        "HTTP_PROXY": CLOSED_PORT,
        "HTTPS_PROXY": CLOSED_PORT,
        "NO_PROXY": "127.0.0.1",
        "CYBERDESK_WEB_SESSION_HBBS_URL": CLOSED_PORT,
        "CYBERDESK_WEB_SESSION_HBBR_URL": CLOSED_PORT,
        "CYBERDESK_WEB_SESSION_PUBLIC_KEY": "of nobody",
        "CYBERDESK_WEB_SESSION_KEY": "k" * 32,
    }
    if database_url is not None:
        settings["CYBERDESK_DATABASE_URL"] = database_url
    server = ServerProgram(folder, settings)
    with server.up(), _a_desktop(server, folder):
        asyncio.run(_another_organization(server, database_url))
        users = folder / "users.json"
        users.write_text(json.dumps(_users(own=server.api_key, other=OTHER_KEY)))
        machine_id = _connected_machine(server)
        _furnish(server)
        yield Site(server, machine_id, users)


@contextmanager
def _a_desktop(server: ServerProgram, folder: Path) -> Iterator[None]:
    home = folder / "desktop"
    home.mkdir()
    command = [sys.executable, "-m", "fuzz.desktop"]
    command += [f"--server={server.base_url}", f"--name={MACHINE}", f"--folder={home}"]
    environment = driver_environment(
        server, {"HOME": str(home / "files"), "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    )
    with running(command, folder / "desktop.log", environment):
        yield


async def _another_organization(server: ServerProgram, database_url: str | None) -> None:
    url = database_url or f"sqlite+aiosqlite:///{server.data_dir}/cyberdesk.sqlite3"
    database = await Database.open(url)
    try:
        async with database.transaction() as conn:
            await an_api_key(conn, await an_organization(conn, "org_other"), OTHER_KEY)
    finally:
        await database.close()


def _users(**keys: str) -> dict[str, object]:
    """Keys by name, as a file of Web Fuzzing Commons."""
    headers = {name: {"name": "Authorization", "value": f"Bearer {key}"} for name, key in keys.items()}
    return {"auth": [{"name": name, "fixedHeaders": [header]} for name, header in headers.items()]}


def _furnish(server: ServerProgram) -> None:
    """Some of what chance makes too seldom: a run that went well, its file and its trajectory."""
    with CyberdeskClient(server.api_key, base_url=server.base_url) as client:
        presses = WorkflowCreate(name="fuzz", main_prompt="Press enter")
        workflow = client.workflows.create_sync(presses).unwrap()
        order = RunCreate(workflow_id=workflow.id)
        run = client.runs.create_and_wait_sync(order, timeout_seconds=RUN_SECONDS).unwrap()
        file = RunAttachmentCreate(
            run_id=run.id,
            filename="notes.txt",
            content=base64.b64encode(b"notes").decode(),
            content_type="text/plain",
            attachment_type=AttachmentType.OUTPUT,
        )
        client.run_attachments.create_sync(file).unwrap()
        client.runs.generate_trajectory_sync(run.id).unwrap()


def _connected_machine(server: ServerProgram) -> str:
    with httpx.Client(
        base_url=server.base_url, headers={"authorization": f"Bearer {server.api_key}"}
    ) as client:

        def found() -> str | None:
            machines = client.get("/v1/machines", params={"status": "connected"}).json()["items"]
            return str(machines[0]["id"]) if machines else None

        return until(found, what=f"machine {MACHINE!r} connected")
