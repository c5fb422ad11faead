"""A machine operated by hand: what a caller asks of it goes to its driver as it is, places scaled."""

from collections.abc import Sequence

from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.ids import MachineId, OrganizationId, ServerId
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.ports import Bus, Clock, DesktopNotAsked, DesktopRefused, OutcomeUnknown
from cyberdesk_server.questions import (
    Call,
    Driver,
    DriverAnswer,
    Question,
    detail_of,
    expect_ok,
    json_of,
    outcome_is_unknown,
)
from cyberdesk_server.store import machines
from cyberdesk_server.store.database import Database

Place = tuple[str, str]
"""Names of the two fields that hold one place."""

NAMES_SOMETHING = ("/computer/fs/", "/computer/shell/powershell/session")
"""Paths whose 404 is about what was asked for. Elsewhere it says that the driver has no such path."""


async def driver_of(
    database: Database,
    bus: Bus,
    clock: Clock,
    server_id: ServerId,
    organization_id: OrganizationId,
    machine_id: MachineId,
) -> Driver:
    """The driver of the organization's machine, connected or not, as this server reaches it.

    Raises `Unknown`, and `DesktopNotAsked` for a machine that is connected to another server.
    """
    async with database.read() as conn:
        machine = await machines.get(conn, organization_id, machine_id)
    if machine is None:
        raise Unknown("machine", machine_id)
    if machine.server_id not in (None, server_id):
        raise DesktopNotAsked("the machine is connected to another server, which this one cannot reach")
    return Driver(bus, machine_id, machine.features, clock)


async def act(
    driver: Driver,
    call: Call,
    places: Sequence[Place] = (),
    *,
    action_id: str | None = None,
    is_repeat: bool = False,
) -> DriverAnswer:
    """Have it done, at most once under one `action_id`; with `is_repeat` it was asked for before.

    Raises a `DesktopError`; `OutcomeUnknown` instead of asking a second time where no journal is kept.
    """
    if is_repeat and not driver.keeps_journal:
        raise OutcomeUnknown("the action may have happened before, and this driver keeps no journal")
    scaled = Call(call.path, {**call.fields, **await _on_screen(driver, call, places)})
    question = scaled.question(action_id=action_id, keeps_journal=driver.keeps_journal)
    return await _answered(driver, question)


async def look_up(driver: Driver, path: str, query: str = "") -> DriverAnswer:
    """What a GET answers, in which nothing is done. Raises a `DesktopError`."""
    return await _answered(driver, Question("GET", path, query))


async def pointer(driver: Driver) -> Point:
    """Where the pointer is, in pixels of the driver's pictures. Raises a `DesktopError`."""
    answer = await look_up(driver, "/computer/input/mouse/position")
    fields = json_of(answer)
    match fields.get("x"), fields.get("y"):
        case int(x), int(y):
            return (await driver.scale()).to_picture(Point(x, y))
        case _:
            raise DesktopRefused(answer.status, "a position without x and y")


async def _on_screen(driver: Driver, call: Call, places: Sequence[Place]) -> dict[str, int]:
    """The fields of these places in real pixels; a place that is left out stays out."""
    given = [
        (names, Point(x, y))
        for names in places
        if isinstance(x := call.fields.get(names[0]), int) and isinstance(y := call.fields.get(names[1]), int)
    ]
    if not given:
        return {}
    scale = await driver.scale()
    return {
        name: value
        for names, point in given
        for name, value in zip(names, scale.to_screen(point), strict=True)
    }


async def _answered(driver: Driver, question: Question) -> DriverAnswer:
    answer = await driver.ask(question)
    if outcome_is_unknown(answer):
        raise OutcomeUnknown(detail_of(answer))
    if answer.status in (404, 405) and not question.path.startswith(NAMES_SOMETHING):
        raise DesktopRefused(501, f"this driver has no {question.method} {question.path}")
    return expect_ok(answer)
