"""About the driver itself."""

import json

import pytest
from cyberdriver import __version__
from cyberdriver.rehearsal import StagedMachine


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
