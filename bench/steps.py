"""Steps per second of the executor on a screen that does not change, through every real part."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cyberdesk import CyberdeskClient, RunCreate, WorkflowCreate
from cyberdesk_server.testing.programs import ServerProgram, until
from cyberdriver.backends.base import Size

from bench.desktops import joined, office
from bench.goals import tell

STEPS = 100
PROMPT = "\n".join(["Press shift"] * STEPS)
SCREEN = Size(1280, 800)
RUN_SECONDS = 120.0


def measure() -> None:
    with TemporaryDirectory() as text:
        folder = Path(text)
        server = ServerProgram(folder)
        with server.up(), joined(server, SCREEN, office(SCREEN, is_busy=False), folder):
            ends = _ends_of_steps(server)
    assert len(ends) == STEPS
    # From the end of the first step on: before it the screen is read for the first time.
    tell("executor_steps_per_second", (STEPS - 1) / (ends[-1] - ends[0]).total_seconds())


def _ends_of_steps(server: ServerProgram) -> list[datetime]:
    with CyberdeskClient(server.api_key, base_url=server.base_url) as client:
        until(lambda: _connected(client), what="the machine")
        workflow = client.workflows.create_sync(WorkflowCreate(name="bench", main_prompt=PROMPT)).data
        assert workflow is not None
        made = client.runs.create_sync(RunCreate(workflow_id=workflow.id)).data
        assert made is not None
        run = client.runs.wait_sync(made.id, timeout_seconds=RUN_SECONDS).data
        assert run is not None
        assert run.status == "success", run.error
    return [
        datetime.fromisoformat(message["timestamp"])
        for message in run.run_message_history or []
        if any(block["type"] == "tool_result" for block in message["content"])
    ]


def _connected(client: CyberdeskClient) -> bool:
    machines = client.machines.list_sync().data
    return machines is not None and any(one.status == "connected" for one in machines.items)


if __name__ == "__main__":
    measure()
