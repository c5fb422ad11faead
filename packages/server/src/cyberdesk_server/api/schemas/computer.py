"""Operating a machine by hand.

What the contract leaves open, which button or direction, is held to what every driver knows: an answer that
names the field is better than one of a driver that fails.
"""

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from cyberdesk_server.api.schemas.common import Model

Pixel = Annotated[int, Field(ge=-(2**31) + 1, le=2**31 - 1)]
Button = Annotated[str, Field(pattern="^(left|right|middle)$")]

MAX_TYPED_CHARACTERS = 100_000
MAX_DRAG_SECONDS = 30
MIN_COMMAND_SECONDS = 0.001
MAX_COMMAND_SECONDS = 3600


class CopyToClipboardRequest(Model):
    text: str


class KeyboardKeyRequest(Model):
    text: str
    down: bool | None = None


class KeyboardTypeRequest(Model):
    text: Annotated[str, Field(max_length=MAX_TYPED_CHARACTERS, repr=False)]


class _AtAPlace(Model):
    x: Pixel | None = None
    y: Pixel | None = Field(default=None, validate_default=True)

    @field_validator("y")
    @classmethod
    def _whole_place(cls, y: int | None, given: ValidationInfo) -> int | None:
        # A driver would act where the pointer is, without a word.
        if "x" in given.data and (given.data["x"] is None) != (y is None):
            raise ValueError("x and y must be given together")
        return y


class MouseClickRequest(_AtAPlace):
    button: Button = "left"
    down: bool | None = None
    clicks: Annotated[int, Field(ge=1, le=3)] = 1


class MouseDragRequest(Model):
    to_x: Pixel
    to_y: Pixel
    start_x: Pixel
    start_y: Pixel
    duration: Annotated[float, Field(ge=0, le=MAX_DRAG_SECONDS)] | None = None
    button: Button | None = "left"


class MouseMoveRequest(Model):
    x: Pixel
    y: Pixel


class MouseScrollRequest(_AtAPlace):
    direction: Annotated[str, Field(pattern="^(up|down|left|right)$")]
    amount: Annotated[int, Field(ge=0, le=1000)]


class FileWriteRequest(Model):
    path: str
    content: Annotated[str, Field(repr=False, json_schema_extra={"contentEncoding": "base64"})]
    mode: Annotated[str, Field(pattern="^(write|append)$")] = "write"


class PowerShellExecRequest(Model):
    command: Annotated[str, Field(repr=False)]
    same_session: bool = True
    working_directory: str | None = None
    session_id: str | None = None
    timeout: Annotated[float, Field(ge=MIN_COMMAND_SECONDS, le=MAX_COMMAND_SECONDS)] | None = 30.0


class PowerShellSessionRequest(Model):
    action: Annotated[str, Field(pattern="^(create|destroy)$")]
    session_id: str | None = None


class CyberdriverUpdateRequest(Model):
    version: str = "latest"
    restart: bool = True


class CyberdriverShutdownRequest(Model):
    source: str = "cloud-api"
    reason: str | None = "user_disabled_machine"


class DisplayDimensions(Model):
    width: int
    height: int


class MousePosition(Model):
    x: int
    y: int


FreeForm = dict[str, Any]
"""What a driver answers, passed on as it is."""
