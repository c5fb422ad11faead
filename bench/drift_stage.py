"""Where replays meet drifts: virtual desktops with the clinic, a server, and a model that only hands over.

The clinic is started anew for each run, and its own journal tells what was done to it.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import Any

from cyberdesk import CyberdeskClient, RunCreate, RunResponse
from cyberdesk_server.testing.model_servers import completion
from cyberdesk_server.testing.programs import (
    ServerProgram,
    driver_command,
    driver_environment,
    running,
    until,
)
from cyberdriver.backends.base import Size
from cyberdriver.desktop import VirtualDesktop

DEMO = Path(__file__).resolve().parent.parent / "demo"
SCREEN = Size(1280, 800)
PATIENTS = 1500
RUN_SECONDS = 120.0

Deed = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """A run, and what the clinic says was done to it meanwhile."""

    run: RunResponse
    deeds: Sequence[Deed]
    seconds: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One desktop, joined to the server under its own name."""

    desktop: VirtualDesktop
    client: CyberdeskClient
    machine_id: str
    folder: Path

    def run(self, workflow_id: str, inputs: Mapping[str, str], options: Sequence[str]) -> Seen:
        """What a run of the workflow does to a clinic that is started with these options."""
        journal = self.folder / "journal"
        journal.unlink(missing_ok=True)
        command = [sys.executable, str(DEMO / "clinic"), f"--journal={journal}", f"--patients={PATIENTS}"]
        with (self.folder / "clinic.log").open("ab") as output:
            clinic = self.desktop.run([*command, *options], output=output)
        try:
            until(lambda: journal.exists() or clinic.exit_code is not None, what="the clinic")
            assert clinic.exit_code is None, (self.folder / "clinic.log").read_text()
            began = perf_counter()
            run = self._carried_out(workflow_id, inputs)
            seconds = perf_counter() - began
        finally:
            clinic.close()
        deeds = [json.loads(line) for line in journal.read_text().splitlines()]
        return Seen(run, [deed for deed in deeds if deed["did"] != "begin"], seconds)

    def _carried_out(self, workflow_id: str, inputs: Mapping[str, str]) -> RunResponse:
        asked = RunCreate(workflow_id=workflow_id, machine_id=self.machine_id, input_values=dict(inputs))
        made = self.client.runs.create_sync(asked).unwrap()
        return self.client.runs.wait_sync(made.id, timeout_seconds=RUN_SECONDS).unwrap()


@contextmanager
def lanes(server: ServerProgram, folder: Path, count: int) -> Iterator[Sequence[Lane]]:
    """So many desktops beside one another, joined to a server that is up."""
    with ExitStack() as stack:
        yield [stack.enter_context(_lane(server, folder, f"lane-{number}")) for number in range(count)]


@contextmanager
def _lane(server: ServerProgram, folder: Path, name: str) -> Iterator[Lane]:
    own = folder / name
    own.mkdir()
    with (
        VirtualDesktop(SCREEN) as desktop,
        running(
            driver_command(server, name=name, config_dir=own / "config"),
            own / "driver.log",
            driver_environment(server, desktop.environment),
        ),
        CyberdeskClient(server.api_key, base_url=server.base_url) as client,
    ):
        machine_id = until(lambda: _connected(client, name), what="the machine")
        yield Lane(desktop, client, machine_id, own)


def _connected(client: CyberdeskClient, name: str) -> str | None:
    machines = client.machines.list_sync().unwrap().items
    return next((str(one.id) for one in machines if one.name == name and one.status == "connected"), None)


@contextmanager
def model_that_hands_over() -> Iterator[str]:
    """The address of a language model that declares every task it is asked about as failed.

    So whatever was done to the program was done by the replay, before it handed over.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _HandsOver)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


class _HandsOver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body: Any = completion(None, ("declare_task_failed", {"reason": "handed over"})).body
        answer = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass
