# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

from __future__ import annotations

from attrs import define

from cyberdesk.models._model import Answered, Model, given
from cyberdesk.models._unset import UNSET


@define(on_setattr=given)
class CopyToClipboardRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/copy_to_clipboard`."""

    text: str
    """The name under which the answer holds what was copied; the driver presses the keys for copying."""


@define(on_setattr=given)
class CyberdriverUpdateRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/internal/update`."""

    version: str = "latest"
    """The version the driver installs; `latest` is the newest."""

    restart: bool = True
    """True: the driver starts anew once it is updated."""


@define(on_setattr=given)
class FileWriteRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/fs/write`."""

    path: str
    """Where the file is on the machine; `~` is the home folder of the driver's user."""

    content: str
    """The bytes to write, as base64."""

    mode: str = "write"
    """`write` replaces the file, `append` adds to its end."""


@define(on_setattr=given)
class KeyboardKeyRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/input/keyboard/key`."""

    text: str
    """Keys pressed together, such as `enter` or `ctrl+a`; spaces separate presses one after another."""

    down: bool | None = UNSET
    """True only presses, false only releases, None does both."""


@define(on_setattr=given)
class KeyboardTypeRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/input/keyboard/type`."""

    text: str
    """What is typed, at most 100,000 characters."""


@define(on_setattr=given)
class MouseClickRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/input/mouse/click`."""

    x: int | None = UNSET
    """Pixels from the left edge of the screenshot; None with `y` acts where the pointer is."""

    y: int | None = UNSET
    """Pixels from the top edge of the screenshot; None with `x` acts where the pointer is."""

    button: str = "left"
    """`left`, `right` or `middle`."""

    down: bool | None = UNSET
    """True only presses, false only releases, None does both."""

    clicks: int = 1
    """How many clicks, 1 to 3."""


@define(on_setattr=given)
class MouseDragRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/input/mouse/drag`."""

    to_x: int
    """Where the button is released: pixels from the left edge of the screenshot."""

    to_y: int
    """Where the button is released: pixels from the top edge of the screenshot."""

    start_x: int
    """Where the button is pressed: pixels from the left edge of the screenshot."""

    start_y: int
    """Where the button is pressed: pixels from the top edge of the screenshot."""

    duration: float | None = UNSET
    """How long the drag takes, in seconds, at most 30; None leaves it to the driver."""

    button: str | None = "left"
    """`left`, `right` or `middle`; None means `left`."""


@define(on_setattr=given)
class MouseMoveRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/input/mouse/move`."""

    x: int
    """Where the pointer goes: pixels from the left edge of the screenshot."""

    y: int
    """Where the pointer goes: pixels from the top edge of the screenshot."""


@define(on_setattr=given)
class MousePosition(Answered):
    """Answered by `GET /v1/computer/{machine_id}/input/mouse/position`."""

    x: int
    """Pixels from the left edge of the screenshot."""

    y: int
    """Pixels from the top edge of the screenshot."""


@define(on_setattr=given)
class MouseScrollRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/input/mouse/scroll`."""

    direction: str
    """`up`, `down`, `left` or `right`."""

    amount: int
    """How many notches of the wheel, 0 to 1000."""

    x: int | None = UNSET
    """Pixels from the left edge of the screenshot; None with `y` acts where the pointer is."""

    y: int | None = UNSET
    """Pixels from the top edge of the screenshot; None with `x` acts where the pointer is."""
