"""Steps per second of the executor on a screen that does not change, through every real part."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from cyberdesk import CyberdeskClient, RunCreate, WorkflowCreate
from cyberdesk_server.testing_programs import ServerProgram, until
from cyberdriver.backends.base import Size

from bench.desktops import joined
from bench.goals import tell

STEPS = 50
PROMPT = "\n".join(["Press shift"] * STEPS)
SCREEN = Size(1280, 800)
OFFICE = (sys.executable, "-m", "bench.office", "1280x800")
RUN_SECONDS = 120.0


def measure() -> None:
    with TemporaryDirectory() as text:
        folder = Path(text)
        server = ServerProgram(folder)
        with server.up(), joined(server, SCREEN, OFFICE, folder):
            tell("executor_steps_per_second", STEPS / _seconds_of_a_run(server))


def _seconds_of_a_run(server: ServerProgram) -> float:
    with CyberdeskClient(server.api_key, base_url=server.base_url) as client:
        until(lambda: _connected(client), what="the machine")
        workflow = client.workflows.create_sync(WorkflowCreate(name="bench", main_prompt=PROMPT)).data
        assert workflow is not None
        began = perf_counter()
        made = client.runs.create_sync(RunCreate(workflow_id=workflow.id)).data
        assert made is not None
        ended = client.runs.wait_sync(made.id, timeout_seconds=RUN_SECONDS, poll_interval_seconds=0.05).data
        assert ended is not None
        assert ended.status == "success", ended.error
        return perf_counter() - began


def _connected(client: CyberdeskClient) -> bool:
    machines = client.machines.list_sync().data
    return machines is not None and any(one.status == "connected" for one in machines.items)


if __name__ == "__main__":
    measure()
