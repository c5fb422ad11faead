"""Why a run waits, in one sentence."""

from typing import Any
from uuid import UUID

import pytest
from cyberdesk_server.domain.ids import ConnectionId, MachineId, OrganizationId, RunId
from cyberdesk_server.domain.machines import Machine, MachineStatus
from cyberdesk_server.domain.runs import ANY_MACHINE
from cyberdesk_server.domain.waiting import (
    ABOUT_TO_START,
    Obstacle,
    Waiter,
    waits_for_machine,
    waits_for_one_of,
)
from cyberdesk_server.testing.rows import NOON

ID = UUID(int=7)
OTHER = UUID(int=8)


def a_machine(**fields: Any) -> Machine:
    usual: dict[str, Any] = {"status": MachineStatus.CONNECTED, "connection_id": ConnectionId(ID)}
    return Machine(
        id=MachineId(ID),
        organization_id=OrganizationId("org"),
        fingerprint="f",
        unkey_key_id="k",
        created_at=NOON,
        last_seen=NOON,
        **usual | fields,
    )


def a_run(**fields: Any) -> Waiter:
    return Waiter(RunId(ID), OrganizationId("org"), ANY_MACHINE, **fields)


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        ({"connection_id": None, "name": "Desk"}, "machine Desk is not connected"),
        ({"status": MachineStatus.DISCONNECTED, "is_available": False}, f"machine {ID} is not connected"),
        ({"status": MachineStatus.ERROR}, f"machine {ID} is not connected"),
        ({"is_available": False}, f"machine {ID} takes no runs: it is set to be not available"),
        ({"held_by_run_id": OTHER, "reserved_session_id": OTHER}, f"machine {ID} is busy with run {OTHER}"),
        ({"reserved_session_id": OTHER}, f"machine {ID} is reserved by session {OTHER}"),
        ({}, ABOUT_TO_START),
    ],
)
def test_what_keeps_a_machine_from_the_run_is_said(machine: dict[str, Any], reason: str) -> None:
    assert waits_for_machine(a_machine(**machine), a_run()) == reason


def test_the_reservation_of_its_own_session_keeps_nobody_waiting() -> None:
    assert waits_for_machine(a_machine(reserved_session_id=OTHER), a_run(session_id=OTHER)) == ABOUT_TO_START


@pytest.mark.parametrize(
    ("counts", "pools", "reason"),
    [
        ({}, [], "there is no machine"),
        ({}, ["A"], "there is no machine in pool A"),
        ({}, ["A", "B", "C"], "there is no machine in all of the pools A, B and C"),
        ({Obstacle.BUSY: 2}, [], "no machine is free: 2 busy"),
        (
            {Obstacle.RESERVED: 1, Obstacle.NOT_CONNECTED: 3, Obstacle.BUSY: 2, Obstacle.NOT_AVAILABLE: 4},
            ["A"],
            "no machine in pool A is free: 3 not connected, 4 not available, 2 busy, 1 reserved by a session",
        ),
        ({None: 1, Obstacle.BUSY: 2}, ["A"], ABOUT_TO_START),
    ],
)
def test_what_keeps_many_machines_from_the_run_is_counted(
    counts: dict[Obstacle | None, int], pools: list[str], reason: str
) -> None:
    assert waits_for_one_of(counts, pools) == reason
