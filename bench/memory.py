"""Memory of a server and of a driver that have nothing to do."""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from cyberdesk import CyberdeskClient
from cyberdesk_server.testing.programs import ServerProgram, until
from cyberdriver.backends.base import Size

from bench.desktops import joined
from bench.goals import Goal

SETTLE_SECONDS = 3.0
SCREEN = Size(1280, 800)
SERVER_GOAL = Goal("idle_server_mb", at_most=150)
DRIVER_GOAL = Goal("idle_driver_mb", at_most=60)


def measure() -> None:
    with TemporaryDirectory() as text:
        folder = Path(text)
        server = ServerProgram(folder)
        with server.up() as program, joined(server, SCREEN, ("sleep", "600"), folder) as driver:
            with CyberdeskClient(server.api_key, base_url=server.base_url) as client:
                until(lambda: _has_machine(client), what="the machine")
            sleep(SETTLE_SECONDS)
            SERVER_GOAL.tell(program.resident_megabytes())
            DRIVER_GOAL.tell(driver.resident_megabytes())


def _has_machine(client: CyberdeskClient) -> bool:
    machines = client.machines.list_sync().data
    return machines is not None and bool(machines.items)


if __name__ == "__main__":
    measure()
