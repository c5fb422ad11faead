"""Two servers on one PostgreSQL behind a balancer: a run goes on at the other when its server is gone."""

import base64
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cyberdesk_server.testing.programs import Program, ServerProgram
from cyberdesk_server.testing.rows import a_postgresql

from chaos.balancer import Balancer

pytestmark = pytest.mark.slow

PROGRAMS = Path(__file__).resolve().parent / "programs"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
ONE_BY_ONE = "\n".join(
    ['Wait until "recording" appears', "Click at 200, 200", *(f'Type "{letter}"' for letter in LETTERS)]
)

Until = Callable[..., Any]


@dataclass
class Cluster:
    """Two servers with one machine, as callers and drivers see them."""

    site: Any
    programs: list[Program]
    machine: Any
    typed: Path

    def types_some_letters(self, until: Until) -> str:
        """The id of a run in the middle of its work."""
        run_id: str = self.site.start(ONE_BY_ONE, self.machine)
        until(lambda: len(self.typed.read_bytes()) >= 5, what="five letters")
        return run_id

    def at_work(self) -> tuple[Program, Program]:
        """The server that carries out the run, and the other."""
        [here] = [program for program in self.programs if "run claimed" in program.said()]
        [there] = [program for program in self.programs if program is not here]
        return here, there


@pytest.fixture
def cluster(tmp_path: Path, site_of: Any) -> Iterator[Cluster]:
    typed = tmp_path / "typed.bin"
    typed.touch()
    recorder = (
        "xterm", "-u8", "-fa", "DejaVu Sans Mono", "-fs", "12", "-geometry", "80x20", "-e",
        sys.executable, str(PROGRAMS / "byte_recorder.py"), str(typed),
    )  # fmt: skip
    with ExitStack() as parts:
        settings = {
            "CYBERDESK_DATABASE_URL": parts.enter_context(a_postgresql()).url("postgres"),
            "CYBERDESK_BLOB_URL": f"file://{tmp_path}/blobs",
            "CYBERDESK_MASTER_KEY": base64.b64encode(bytes(32)).decode(),
        }
        servers = [ServerProgram(tmp_path / name, settings) for name in ("first", "second")]
        programs = []
        for server in servers:
            server.folder.mkdir()
            server.api_key = servers[0].api_key
            programs.append(parts.enter_context(server.up()))
        balancer = parts.enter_context(Balancer(servers).up())
        site = parts.enter_context(site_of(balancer))
        machine = parts.enter_context(site.machines(tmp_path))(*recorder, name="recorder")
        yield Cluster(site, programs, machine, typed)


def test_a_run_goes_on_at_the_other_server_when_its_own_is_killed(cluster: Cluster, until: Until) -> None:
    run_id = cluster.types_some_letters(until)
    here, there = cluster.at_work()

    here.kill()
    run = cluster.site.ended(run_id)

    assert (run.status, run.error) == ("success", None)
    assert cluster.typed.read_bytes().decode() == LETTERS
    assert "run claimed" in there.said()


def test_a_server_that_is_stopped_hands_its_run_over(cluster: Cluster, until: Until) -> None:
    run_id = cluster.types_some_letters(until)
    here, there = cluster.at_work()

    here.process.terminate()
    run = cluster.site.ended(run_id)

    assert (run.status, run.error) == ("success", None)
    assert cluster.typed.read_bytes().decode() == LETTERS
    assert "run claimed" in there.said()
    assert here.process.wait(30) == 0


def test_a_server_that_stood_still_does_nothing_twice_when_it_wakes(cluster: Cluster, until: Until) -> None:
    run_id = cluster.types_some_letters(until)
    here, there = cluster.at_work()

    here.process.send_signal(signal.SIGSTOP)
    there.says("run claimed")
    here.process.send_signal(signal.SIGCONT)
    here.says("took this one for gone")
    run = cluster.site.ended(run_id)

    assert (run.status, run.error) == ("success", None)
    assert cluster.typed.read_bytes().decode() == LETTERS
