"""About the driver itself."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cyberdriver import __version__
from cyberdriver.rehearsal import StagedMachine
from cyberdriver.settings import Allowed


async def test_diagnostics_tell_how_the_driver_is(machine: StagedMachine) -> None:
    facts = json.loads((await machine.ask("GET", "/internal/diagnostics")).body)

    assert (facts["version"], facts["backend"], facts["screen"]) == (__version__, "fake", "1024x768")
    assert facts["memory_mb"] > 1


async def test_a_shutdown_is_asked_for_with_its_reason(machine: StagedMachine) -> None:
    response = await machine.ask("POST", "/internal/shutdown", {"reason": "maintenance"})

    assert json.loads(response.body) == {
        "status": "shutting_down",
        "source": "cloud-api",
        "reason": "maintenance",
    }
    assert machine.shutdowns == ["cloud-api: maintenance"]


async def test_an_update_says_why_not(machine: StagedMachine) -> None:
    response = await machine.ask("POST", "/internal/update", {"version": "latest", "restart": True})

    assert response.status == 501
    assert "package manager" in json.loads(response.body)["detail"]


@pytest.mark.parametrize(
    ("path", "told"), [("activity", "touch"), ("enable", "enable"), ("disable", "disable")]
)
async def test_the_keepalive_is_told(machine: StagedMachine, path: str, told: str) -> None:
    response = await machine.ask("POST", f"/internal/keepalive/remote/{path}")

    assert (response.status, response.body) == (204, b"")
    assert machine.awake.told == [told]


@pytest.mark.parametrize(
    ("switch", "method", "path"),
    [
        ("shutdown", "POST", "/internal/shutdown"),
        ("update", "POST", "/internal/update"),
        ("clipboard", "POST", "/computer/copy_to_clipboard"),
        ("files", "GET", "/computer/fs/list"),
        ("files", "GET", "/computer/fs/read"),
        ("files", "POST", "/computer/fs/write"),
    ],
)
async def test_what_the_owner_switched_off_is_403(
    make_machine: Callable[..., StagedMachine], switch: str, method: str, path: str
) -> None:
    off: dict[str, Any] = {switch: False}
    machine = make_machine(allowed=Allowed(**off))

    response = await machine.ask(method, path)

    assert response.status == 403
    assert f"allow.{switch}" in json.loads(response.body)["detail"]
    assert machine.shutdowns == []
