"""`client.computer`: a machine by hand: look at its screen, use its mouse, keyboard, files and shell.

Pixels count from the upper left corner of the screen as `screenshot` shows it. A machine that is not
connected, or refuses, answers with an `UnexpectedStatus`.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Literal, TypeAlias

from cyberdesk import models
from cyberdesk._answers import Promise, free_form, one, raw, silent
from cyberdesk._arguments import Id, given, path_segment, query
from cyberdesk._flow import Flow
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking
from cyberdesk.errors import MalformedModel

Button: TypeAlias = Literal["left", "right", "middle"]
Direction: TypeAlias = Literal["up", "down", "left", "right"]

DEFAULT_COMMAND_TIMEOUT_SECONDS = 30.0


class ComputerAPI(Resource):
    """The desktop of one machine, action by action. Runs do all of this by themselves."""

    @asynchronous
    def screenshot(self, machine_id: Id) -> Flow[bytes]:
        """The screen as PNG (`GET /v1/computer/{machine_id}/display/screenshot`)."""
        return (yield from self._ask("GET", _path(machine_id, "display/screenshot"), raw()))

    screenshot_sync = blocking(screenshot)

    @asynchronous
    def display_dimensions(self, machine_id: Id) -> Flow[models.DisplayDimensions]:
        """Width and height in pixels (`GET /v1/computer/{machine_id}/display/dimensions`)."""
        promise = one(models.DisplayDimensions)
        return (yield from self._ask("GET", _path(machine_id, "display/dimensions"), promise))

    display_dimensions_sync = blocking(display_dimensions)

    @asynchronous
    def mouse_position(self, machine_id: Id) -> Flow[models.MousePosition]:
        """Where the pointer is (`GET /v1/computer/{machine_id}/input/mouse/position`)."""
        promise = one(models.MousePosition)
        return (yield from self._ask("GET", _path(machine_id, "input/mouse/position"), promise))

    mouse_position_sync = blocking(mouse_position)

    @asynchronous
    def mouse_move(self, machine_id: Id, x: int, y: int) -> Flow[None]:
        """Nothing, once the pointer is there (`POST /v1/computer/{machine_id}/input/mouse/move`)."""
        body = models.MouseMoveRequest(x=x, y=y)
        return (yield from self._ask("POST", _path(machine_id, "input/mouse/move"), silent(), body=body))

    mouse_move_sync = blocking(mouse_move)

    @asynchronous
    def mouse_click(
        self,
        machine_id: Id,
        x: int | None = None,
        y: int | None = None,
        *,
        button: Button = "left",
        clicks: int = 1,
        down: bool | None = None,
    ) -> Flow[None]:
        """Nothing, once it is clicked (`POST /v1/computer/{machine_id}/input/mouse/click`).

        Without a place, where the pointer is. `down=True` only presses the button, `down=False` releases it.
        """
        body = models.MouseClickRequest(
            x=given(x), y=given(y), button=button, down=given(down), clicks=clicks
        )
        return (yield from self._ask("POST", _path(machine_id, "input/mouse/click"), silent(), body=body))

    mouse_click_sync = blocking(mouse_click)

    @asynchronous
    def mouse_drag(
        self,
        machine_id: Id,
        start_x: int,
        start_y: int,
        to_x: int,
        to_y: int,
        *,
        duration_seconds: float | None = None,
        button: Button = "left",
    ) -> Flow[None]:
        """Nothing, once it is dragged there (`POST /v1/computer/{machine_id}/input/mouse/drag`)."""
        body = models.MouseDragRequest(
            to_x=to_x,
            to_y=to_y,
            start_x=start_x,
            start_y=start_y,
            duration=given(duration_seconds),
            button=button,
        )
        return (yield from self._ask("POST", _path(machine_id, "input/mouse/drag"), silent(), body=body))

    mouse_drag_sync = blocking(mouse_drag)

    @asynchronous
    def mouse_scroll(
        self,
        machine_id: Id,
        direction: Direction,
        amount: int,
        *,
        x: int | None = None,
        y: int | None = None,
    ) -> Flow[None]:
        """Nothing, after `amount` notches of the wheel (`POST /v1/computer/{machine_id}/input/mouse/scroll`).

        Without a place, where the pointer is.
        """
        body = models.MouseScrollRequest(direction=direction, amount=amount, x=given(x), y=given(y))
        return (yield from self._ask("POST", _path(machine_id, "input/mouse/scroll"), silent(), body=body))

    mouse_scroll_sync = blocking(mouse_scroll)

    @asynchronous
    def keyboard_type(self, machine_id: Id, text: str) -> Flow[None]:
        """Nothing, once the text is typed (`POST /v1/computer/{machine_id}/input/keyboard/type`)."""
        body = models.KeyboardTypeRequest(text=text)
        return (yield from self._ask("POST", _path(machine_id, "input/keyboard/type"), silent(), body=body))

    keyboard_type_sync = blocking(keyboard_type)

    @asynchronous
    def keyboard_key(self, machine_id: Id, keys: str, *, down: bool | None = None) -> Flow[None]:
        """Nothing, once the keys are pressed (`POST /v1/computer/{machine_id}/input/keyboard/key`).

        `keys` are chords such as `ctrl+s`, one after another with spaces between. `down=True` only presses
        a chord, `down=False` releases it.
        """
        body = models.KeyboardKeyRequest(text=keys, down=given(down))
        return (yield from self._ask("POST", _path(machine_id, "input/keyboard/key"), silent(), body=body))

    keyboard_key_sync = blocking(keyboard_key)

    @asynchronous
    def copy_to_clipboard(self, machine_id: Id, name: str) -> Flow[dict[str, Any]]:
        """What is selected, copied: `{name: text}` (`POST /v1/computer/{machine_id}/copy_to_clipboard`)."""
        body = models.CopyToClipboardRequest(text=name)
        return (yield from self._ask("POST", _path(machine_id, "copy_to_clipboard"), free_form(), body=body))

    copy_to_clipboard_sync = blocking(copy_to_clipboard)

    @asynchronous
    def list_folder(self, machine_id: Id, path: str = ".") -> Flow[dict[str, Any]]:
        """What is in a folder of the machine (`GET /v1/computer/{machine_id}/fs/list`).

        Relative paths begin in the transfer folder of the driver.
        """
        asked = query(path=path)
        return (yield from self._ask("GET", _path(machine_id, "fs/list"), free_form(), query=asked))

    list_folder_sync = blocking(list_folder)

    @asynchronous
    def read_file(self, machine_id: Id, path: str) -> Flow[bytes]:
        """The content of a file of the machine (`GET /v1/computer/{machine_id}/fs/read`)."""
        promise = Promise(200, _decoded_content)
        return (yield from self._ask("GET", _path(machine_id, "fs/read"), promise, query=query(path=path)))

    read_file_sync = blocking(read_file)

    @asynchronous
    def write_file(
        self, machine_id: Id, path: str, content: bytes, *, mode: Literal["write", "append"] = "write"
    ) -> Flow[dict[str, Any]]:
        """What the machine says of the written file (`POST /v1/computer/{machine_id}/fs/write`)."""
        body = models.FileWriteRequest(path=path, content=base64.b64encode(content).decode(), mode=mode)
        return (yield from self._ask("POST", _path(machine_id, "fs/write"), free_form(), body=body))

    write_file_sync = blocking(write_file)

    @asynchronous
    def powershell_exec(
        self,
        machine_id: Id,
        command: str,
        *,
        same_session: bool = True,
        working_directory: str | None = None,
        session_id: str | None = None,
        timeout_seconds: float = DEFAULT_COMMAND_TIMEOUT_SECONDS,
    ) -> Flow[dict[str, Any]]:
        """What a command printed (`POST /v1/computer/{machine_id}/shell/powershell/exec`).

        `{"stdout", "stderr", "exit_code", "session_id"}`. PowerShell runs it on Windows, `sh` elsewhere. A
        timeout of the client that is shorter than `timeout_seconds` gives way to it.
        """
        body = models.PowerShellExecRequest(
            command=command,
            same_session=same_session,
            working_directory=given(working_directory),
            session_id=given(session_id),
            timeout=timeout_seconds,
        )
        promise = free_form()
        path = _shell(machine_id, "exec")
        return (yield from self._ask("POST", path, promise, body=body, lasts_seconds=timeout_seconds))

    powershell_exec_sync = blocking(powershell_exec)

    @asynchronous
    def powershell_session(
        self, machine_id: Id, action: Literal["create", "destroy"], session_id: str | None = None
    ) -> Flow[dict[str, Any]]:
        """The session that was made or ended (`POST /v1/computer/{machine_id}/shell/powershell/session`)."""
        body = models.PowerShellSessionRequest(action=action, session_id=given(session_id))
        return (yield from self._ask("POST", _shell(machine_id, "session"), free_form(), body=body))

    powershell_session_sync = blocking(powershell_session)

    @asynchronous
    def powershell_simple(self, machine_id: Id) -> Flow[dict[str, Any]]:
        """What the simplest command printed (`POST /v1/computer/{machine_id}/shell/powershell/simple`)."""
        return (yield from self._ask("POST", _shell(machine_id, "simple"), free_form()))

    powershell_simple_sync = blocking(powershell_simple)

    @asynchronous
    def powershell_test(self, machine_id: Id) -> Flow[dict[str, Any]]:
        """Whether the shell works (`POST /v1/computer/{machine_id}/shell/powershell/test`)."""
        return (yield from self._ask("POST", _shell(machine_id, "test"), free_form()))

    powershell_test_sync = blocking(powershell_test)

    @asynchronous
    def diagnostics(self, machine_id: Id) -> Flow[dict[str, Any]]:
        """How the driver is doing (`GET /v1/computer/{machine_id}/internal/diagnostics`)."""
        return (yield from self._ask("GET", _path(machine_id, "internal/diagnostics"), free_form()))

    diagnostics_sync = blocking(diagnostics)

    @asynchronous
    def update(
        self, machine_id: Id, version: str = "latest", *, restart: bool = True
    ) -> Flow[dict[str, Any]]:
        """What the driver does about its update (`POST /v1/computer/{machine_id}/internal/update`)."""
        body = models.CyberdriverUpdateRequest(version=version, restart=restart)
        return (yield from self._ask("POST", _path(machine_id, "internal/update"), free_form(), body=body))

    update_sync = blocking(update)

    @asynchronous
    def keepalive_activity(self, machine_id: Id) -> Flow[None]:
        """Nothing, once the driver knows that the machine was in use.

        `POST /v1/computer/{machine_id}/internal/keepalive/remote/activity`
        """
        return (yield from self._ask("POST", _keepalive(machine_id, "activity"), silent()))

    keepalive_activity_sync = blocking(keepalive_activity)

    @asynchronous
    def keepalive_enable(self, machine_id: Id) -> Flow[None]:
        """Nothing, once the driver keeps an idle desktop from locking.

        `POST /v1/computer/{machine_id}/internal/keepalive/remote/enable`
        """
        return (yield from self._ask("POST", _keepalive(machine_id, "enable"), silent()))

    keepalive_enable_sync = blocking(keepalive_enable)

    @asynchronous
    def keepalive_disable(self, machine_id: Id) -> Flow[None]:
        """Nothing, once the driver leaves an idle desktop alone.

        `POST /v1/computer/{machine_id}/internal/keepalive/remote/disable`
        """
        return (yield from self._ask("POST", _keepalive(machine_id, "disable"), silent()))

    keepalive_disable_sync = blocking(keepalive_disable)


def _path(machine_id: Id, rest: str) -> str:
    return f"/v1/computer/{path_segment('machine_id', machine_id)}/{rest}"


def _shell(machine_id: Id, verb: str) -> str:
    return _path(machine_id, f"shell/powershell/{verb}")


def _keepalive(machine_id: Id, verb: str) -> str:
    return _path(machine_id, f"internal/keepalive/remote/{verb}")


def _decoded_content(body: bytes) -> bytes:
    """The file in `{"content": base64, …}`."""
    answer = json.loads(body)
    content = answer.get("content") if isinstance(answer, dict) else None
    if not isinstance(content, str):
        raise MalformedModel("expected an object with the content of a file")
    return base64.b64decode(content, validate=True)
