"""`/v1/computer/{machine_id}`: a machine by hand. Each operation is a question to its driver.

Pixels count from the upper left corner of the picture that the screenshot operation answers. A run that has
the machine goes on meanwhile: whoever operates it by hand takes care.
"""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES, Model
from cyberdesk_server.api.schemas.computer import (
    CopyToClipboardRequest,
    CyberdriverShutdownRequest,
    CyberdriverUpdateRequest,
    DisplayDimensions,
    FileWriteRequest,
    FreeForm,
    KeyboardKeyRequest,
    KeyboardTypeRequest,
    MouseClickRequest,
    MouseDragRequest,
    MouseMoveRequest,
    MousePosition,
    MouseScrollRequest,
    PowerShellExecRequest,
    PowerShellSessionRequest,
)
from cyberdesk_server.api.supplied import supplied
from cyberdesk_server.api.writes import Attempt, reach
from cyberdesk_server.domain.ids import MachineId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.refusals import invalid
from cyberdesk_server.ports import DesktopRefused
from cyberdesk_server.questions import Call, Driver, DriverAnswer, json_of
from cyberdesk_server.usecases import computer

api = router(prefix="/v1/computer/{machine_id}", tags=["computer"])
cyberdriver = router(prefix="/v1/machines/{machine_id}/cyberdriver", tags=["machines"])

AT = (("x", "y"),)
FROM_TO = (("start_x", "start_y"), ("to_x", "to_y"))


PNG = {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}


class PngAnswer(Response):
    media_type = "image/png"


async def _driver(machine_id: str, caller: Caller, parts: PartsOf) -> Driver:
    """The driver of the machine in the path. The contract calls the id a text; one that is none is a 422."""
    try:
        id_ = MachineId(UUID(machine_id))
    except ValueError:
        raise invalid(("path", "machine_id"), "is not a UUID", "uuid_parsing") from None
    return await computer.driver_of(
        parts.database, parts.bus, parts.clock, parts.server_id, caller.organization_id, id_
    )


DriverOf = Annotated[Driver, Depends(supplied(_driver))]


@api.get("/display/dimensions", response_model=DisplayDimensions)
async def get_display_dimensions(driver: DriverOf) -> Response:
    """Width and height of the screenshot."""
    return JsonAnswer((await driver.size())._asdict())


@api.get("/display/screenshot", response_class=PngAnswer, responses={200: PNG})
async def get_screenshot(driver: DriverOf) -> Response:
    """The screen as PNG, in its real size wherever the driver can."""
    return PngAnswer((await driver.screenshot()).png)


@api.post("/copy_to_clipboard", response_model=FreeForm, openapi_extra=WRITES)
async def copy_to_clipboard(request: Request, body: CopyToClipboardRequest, driver: DriverOf) -> Response:
    """Press Ctrl+C; what was copied is answered under the name that `text` gives it."""
    return await _passed_on(request, driver, "/computer/copy_to_clipboard", body)


@api.post("/input/keyboard/type", status_code=204, response_class=Response, openapi_extra=WRITES)
async def keyboard_type(request: Request, body: KeyboardTypeRequest, driver: DriverOf) -> Response:
    """Type this text."""
    return await _done(request, driver, "/computer/input/keyboard/type", body)


@api.post("/input/keyboard/key", status_code=204, response_class=Response, openapi_extra=WRITES)
async def keyboard_key(request: Request, body: KeyboardKeyRequest, driver: DriverOf) -> Response:
    """Press keys, such as `ctrl+a`; with `down`, hold one chord or let it go."""
    return await _done(request, driver, "/computer/input/keyboard/key", body)


@api.get("/input/mouse/position", response_model=MousePosition)
async def get_mouse_position(driver: DriverOf) -> Response:
    """Where the pointer is."""
    return JsonAnswer((await computer.pointer(driver))._asdict())


@api.post("/input/mouse/move", status_code=204, response_class=Response, openapi_extra=WRITES)
async def mouse_move(request: Request, body: MouseMoveRequest, driver: DriverOf) -> Response:
    """Move the pointer."""
    return await _done(request, driver, "/computer/input/mouse/move", body, AT)


@api.post("/input/mouse/click", status_code=204, response_class=Response, openapi_extra=WRITES)
async def mouse_click(request: Request, body: MouseClickRequest, driver: DriverOf) -> Response:
    """Click, here or where the pointer is; with `down`, only press or only release."""
    return await _done(request, driver, "/computer/input/mouse/click", body, AT)


@api.post("/input/mouse/drag", status_code=204, response_class=Response, openapi_extra=WRITES)
async def mouse_drag(request: Request, body: MouseDragRequest, driver: DriverOf) -> Response:
    """Press here, move, release there."""
    return await _done(request, driver, "/computer/input/mouse/drag", body, FROM_TO)


@api.post("/input/mouse/scroll", status_code=204, response_class=Response, openapi_extra=WRITES)
async def mouse_scroll(request: Request, body: MouseScrollRequest, driver: DriverOf) -> Response:
    """Turn the wheel by so many notches, here or where the pointer is."""
    return await _done(request, driver, "/computer/input/mouse/scroll", body, AT)


@api.get("/fs/list", response_model=FreeForm)
async def fs_list(driver: DriverOf, path: str = ".") -> Response:
    """What is in a folder, under `entries` and under `items`, whichever the driver says."""
    answer = await computer.look_up(driver, "/computer/fs/list", urlencode({"path": path}))
    fields = json_of(answer)
    listed = fields.get("entries", fields.get("items", []))
    return JsonAnswer({**fields, "entries": listed, "items": listed})


@api.get("/fs/read", response_model=FreeForm)
async def fs_read(driver: DriverOf, path: Annotated[str, Query(min_length=1)]) -> Response:
    """A file, its content in base64."""
    return _as_it_is(await computer.look_up(driver, "/computer/fs/read", urlencode({"path": path})))


@api.post("/fs/write", response_model=FreeForm, openapi_extra=WRITES)
async def fs_write(request: Request, body: FileWriteRequest, driver: DriverOf) -> Response:
    """Write or lengthen a file."""
    return await _passed_on(request, driver, "/computer/fs/write", body)


@api.post("/shell/powershell/exec", response_model=FreeForm, openapi_extra=WRITES)
async def powershell_exec(request: Request, body: PowerShellExecRequest, driver: DriverOf) -> Response:
    """Run a command in the machine's shell."""
    return await _passed_on(request, driver, "/computer/shell/powershell/exec", body)


@api.post("/shell/powershell/session", response_model=FreeForm, openapi_extra=WRITES)
async def powershell_session(request: Request, body: PowerShellSessionRequest, driver: DriverOf) -> Response:
    """Create or destroy a session of the shell."""
    return await _passed_on(request, driver, "/computer/shell/powershell/session", body)


@api.post("/shell/powershell/simple", response_model=FreeForm, openapi_extra=WRITES)
async def powershell_simple(request: Request, driver: DriverOf) -> Response:
    """Whether the shell works at all: an `echo`."""
    return await _passed_on(request, driver, "/computer/shell/powershell/simple")


@api.post("/shell/powershell/test", response_model=FreeForm, openapi_extra=WRITES)
async def powershell_test(request: Request, driver: DriverOf) -> Response:
    """Whether the shell works at all: an `echo`."""
    return await _passed_on(request, driver, "/computer/shell/powershell/test")


@api.get("/internal/diagnostics", response_model=FreeForm)
async def cyberdriver_diagnostics(driver: DriverOf) -> Response:
    """What the driver says about itself, for a person who looks for a fault."""
    return _as_it_is(await computer.look_up(driver, "/internal/diagnostics"))


@api.post("/internal/update", response_model=FreeForm, openapi_extra=WRITES)
async def cyberdriver_update(request: Request, body: CyberdriverUpdateRequest, driver: DriverOf) -> Response:
    """Have the driver replace itself, where it can."""
    return await _passed_on(request, driver, "/internal/update", body)


@api.post(
    "/internal/keepalive/remote/activity", status_code=204, response_class=Response, openapi_extra=WRITES
)
async def cyberdriver_keepalive_activity(request: Request, driver: DriverOf) -> Response:
    """The machine that this one keeps awake was busy."""
    return await _done(request, driver, "/internal/keepalive/remote/activity")


@api.post("/internal/keepalive/remote/enable", status_code=204, response_class=Response, openapi_extra=WRITES)
async def cyberdriver_keepalive_enable(request: Request, driver: DriverOf) -> Response:
    """Keep awake from now on."""
    return await _done(request, driver, "/internal/keepalive/remote/enable")


@api.post(
    "/internal/keepalive/remote/disable", status_code=204, response_class=Response, openapi_extra=WRITES
)
async def cyberdriver_keepalive_disable(request: Request, driver: DriverOf) -> Response:
    """Keep awake no longer."""
    return await _done(request, driver, "/internal/keepalive/remote/disable")


@cyberdriver.post(
    "/shutdown",
    response_model=FreeForm,
    responses={403: {"description": "Forbidden"}},
    openapi_extra=WRITES,
)
async def cyberdriver_shutdown(
    request: Request, driver: DriverOf, body: CyberdriverShutdownRequest | None = None
) -> Response:
    """End the driver; 403 where the machine's owner does not allow that. It does not come back by itself."""
    return await _passed_on(request, driver, "/internal/shutdown", body or CyberdriverShutdownRequest())


async def _done(
    request: Request,
    driver: Driver,
    path: str,
    body: Model | None = None,
    places: tuple[computer.Place, ...] = (),
) -> Response:
    """204, once the driver has done it."""

    async def work(attempt: Attempt) -> Response:
        await _act(driver, path, body, places, attempt)
        return no_content()

    return await reach(request, work)


async def _passed_on(request: Request, driver: Driver, path: str, body: Model | None = None) -> Response:
    """What the driver answers, once it has done it."""

    async def work(attempt: Attempt) -> Response:
        return _as_it_is(await _act(driver, path, body, (), attempt))

    return await reach(request, work)


async def _act(
    driver: Driver, path: str, body: Model | None, places: tuple[computer.Place, ...], attempt: Attempt
) -> DriverAnswer:
    fields: JsonObject = {} if body is None else body.model_dump()
    return await computer.act(
        driver, Call(path, fields), places, action_id=attempt.action_id, is_repeat=attempt.is_repeat
    )


def _as_it_is(answer: DriverAnswer) -> Response:
    """The driver's JSON object, unread: a file may have a hundred megabytes."""
    if not answer.body.startswith(b"{"):
        raise DesktopRefused(answer.status, "the answer is no JSON object")
    return Response(answer.body, media_type="application/json")
