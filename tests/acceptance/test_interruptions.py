"""A run is cancelled, its driver dies, its server dies: what was done is done once, and the rest is told."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cyberdesk import RunStatus, RunUpdate

pytestmark = pytest.mark.slow

PROGRAMS = Path(__file__).resolve().parent / "programs"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
ONE_BY_ONE = "\n".join(
    ['Wait until "recording" appears', "Click at 200, 200", *(f'Type "{letter}"' for letter in LETTERS)]
)


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    """What the terminal got."""
    file = tmp_path / "typed.bin"
    file.touch()
    return file


@pytest.fixture
def recorder(typed: Path) -> tuple[str, ...]:
    """A terminal that records its bytes."""
    return (
        "xterm", "-u8", "-fa", "DejaVu Sans Mono", "-fs", "12", "-geometry", "80x20", "-e",
        sys.executable, str(PROGRAMS / "byte_recorder.py"), str(typed),
    )  # fmt: skip


Until = Callable[..., Any]


def test_a_cancelled_run_stops_before_its_next_action(
    site: Any, machine_for: Any, recorder: tuple[str, ...], typed: Path, until: Until
) -> None:
    machine = machine_for(*recorder, name="cancelled")
    run_id = site.start(ONE_BY_ONE, machine)
    until(lambda: len(typed.read_bytes()) >= 3, what="three letters")

    site.client.runs.update_sync(run_id, RunUpdate(status=RunStatus.CANCELLED))
    after_cancel = len(typed.read_bytes())
    following = site.run('Type "!"', machine)

    assert site.get(run_id).status == "cancelled"
    assert following.status == "success"
    letters = typed.read_bytes().decode().removesuffix("!")
    assert LETTERS.startswith(letters)
    assert len(letters) - after_cancel <= 1, "at most the action that was under way"


def test_a_driver_killed_in_the_middle_of_a_command_ends_the_run_with_a_reason(
    site: Any, machine_for: Any, recorder: tuple[str, ...], tmp_path: Path, until: Until
) -> None:
    machine = machine_for(*recorder, name="killed driver")
    marker = tmp_path / "begun"
    run_id = site.start(f"Run the command \"echo once >> '{marker}'; sleep 20\"", machine)
    until(marker.exists, what="the command")

    machine.driver.kill()
    with machine.joined():
        run = site.ended(run_id)
        following = site.run('Type "x"', machine)

    assert run.status == "error"
    assert "nobody can say whether it happened" in run.error[0]
    assert marker.read_text() == "once\n"
    assert following.status == "success"


def test_a_driver_that_stays_away_ends_the_run_with_a_reason(
    site: Any, machine_for: Any, recorder: tuple[str, ...], typed: Path, until: Until
) -> None:
    machine = machine_for(*recorder, name="lost driver")
    run_id = site.start(ONE_BY_ONE, machine)
    until(lambda: len(typed.read_bytes()) >= 3, what="three letters")

    machine.driver.kill()
    run = site.ended(run_id)
    with machine.joined():
        following = site.run('Type "!"', machine)

    assert run.status == "error"
    assert "unreachable" in run.error[0]
    assert run.usage_metadata["billing_outcome"] == "infra_failure"
    assert following.status == "success"


def test_a_server_killed_in_the_middle_goes_on_where_it_was(
    a_server: Any, site_of: Any, recorder: tuple[str, ...], typed: Path, tmp_path: Path, until: Until
) -> None:
    with a_server.up() as first, site_of(a_server) as site, site.machines(tmp_path) as machine_for:
        machine = machine_for(*recorder, name="survivor")
        run_id = site.start(ONE_BY_ONE, machine)
        until(lambda: len(typed.read_bytes()) >= 5, what="five letters")

        first.kill()
        with a_server.up():
            run = site.ended(run_id)

    assert (run.status, run.error) == ("success", None)
    assert typed.read_bytes().decode() == LETTERS
