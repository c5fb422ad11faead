# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

from __future__ import annotations


from attrs import define

from cyberdesk.models._model import Answered, Model, given
from cyberdesk.models._unset import UNSET


@define(on_setattr=given)
class CopyToClipboardRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/copy_to_clipboard`."""

    text: str


@define(on_setattr=given)
class CyberdriverUpdateRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/internal/update`."""

    version: str = "latest"
    restart: bool = True


@define(on_setattr=given)
class FileWriteRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/fs/write`."""

    path: str
    content: str
    mode: str = "write"


@define(on_setattr=given)
class KeyboardKeyRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/input/keyboard/key`."""

    text: str
    down: bool | None = UNSET


@define(on_setattr=given)
class KeyboardTypeRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/input/keyboard/type`."""

    text: str


@define(on_setattr=given)
class MouseClickRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/input/mouse/click`."""

    x: int | None = UNSET
    y: int | None = UNSET
    button: str = "left"
    down: bool | None = UNSET
    clicks: int = 1


@define(on_setattr=given)
class MouseDragRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/input/mouse/drag`."""

    to_x: int
    to_y: int
    start_x: int
    start_y: int
    duration: float | None = UNSET
    button: str | None = "left"


@define(on_setattr=given)
class MouseMoveRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/input/mouse/move`."""

    x: int
    y: int


@define(on_setattr=given)
class MousePosition(Answered):
    """Answered by `GET /v1/computer/{machine_id}/input/mouse/position`."""

    x: int
    y: int


@define(on_setattr=given)
class MouseScrollRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/input/mouse/scroll`."""

    direction: str
    amount: int
    x: int | None = UNSET
    y: int | None = UNSET
