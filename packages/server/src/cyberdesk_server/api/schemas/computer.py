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
    """The name under which the answer holds what was copied; the driver presses the keys for copying."""


class KeyboardKeyRequest(Model):
    text: str
    """Keys pressed together, such as `enter` or `ctrl+a`; spaces separate presses one after another."""

    down: bool | None = None
    """True only presses, false only releases, null does both."""


class KeyboardTypeRequest(Model):
    text: Annotated[str, Field(max_length=MAX_TYPED_CHARACTERS, repr=False)]
    """What is typed, at most 100,000 characters."""


class _AtAPlace(Model):
    x: Pixel | None = None
    """Pixels from the left edge of the screenshot; null with `y` acts where the pointer is."""

    y: Pixel | None = Field(default=None, validate_default=True)
    """Pixels from the top edge of the screenshot; null with `x` acts where the pointer is."""

    @field_validator("y")
    @classmethod
    def _whole_place(cls, y: int | None, given: ValidationInfo) -> int | None:
        # A driver would act where the pointer is, without a word.
        if "x" in given.data and (given.data["x"] is None) != (y is None):
            raise ValueError("x and y must be given together")
        return y


class MouseClickRequest(_AtAPlace):
    button: Button = "left"
    """`left`, `right` or `middle`."""

    down: bool | None = None
    """True only presses, false only releases, null does both."""

    clicks: Annotated[int, Field(ge=1, le=3)] = 1
    """How many clicks, 1 to 3."""


class MouseDragRequest(Model):
    to_x: Pixel
    """Where the button is released: pixels from the left edge of the screenshot."""

    to_y: Pixel
    """Where the button is released: pixels from the top edge of the screenshot."""

    start_x: Pixel
    """Where the button is pressed: pixels from the left edge of the screenshot."""

    start_y: Pixel
    """Where the button is pressed: pixels from the top edge of the screenshot."""

    duration: Annotated[float, Field(ge=0, le=MAX_DRAG_SECONDS)] | None = None
    """How long the drag takes, in seconds, at most 30; null leaves it to the driver."""

    button: Button | None = "left"
    """`left`, `right` or `middle`; null means `left`."""


class MouseMoveRequest(Model):
    x: Pixel
    """Where the pointer goes: pixels from the left edge of the screenshot."""

    y: Pixel
    """Where the pointer goes: pixels from the top edge of the screenshot."""


class MouseScrollRequest(_AtAPlace):
    direction: Annotated[str, Field(pattern="^(up|down|left|right)$")]
    """`up`, `down`, `left` or `right`."""

    amount: Annotated[int, Field(ge=0, le=1000)]
    """How many notches of the wheel, 0 to 1000."""


class FileWriteRequest(Model):
    path: str
    """Where the file is on the machine; `~` is the home folder of the driver's user."""

    content: Annotated[str, Field(repr=False, json_schema_extra={"contentEncoding": "base64"})]
    """The bytes to write, as base64."""

    mode: Annotated[str, Field(pattern="^(write|append)$")] = "write"
    """`write` replaces the file, `append` adds to its end."""


class PowerShellExecRequest(Model):
    command: Annotated[str, Field(repr=False)]
    """What is run."""

    same_session: bool = True
    """True: without `session_id` it runs in the driver's usual session; false: in none."""

    working_directory: str | None = None
    """The folder it runs in; null leaves it to the session."""

    session_id: str | None = None
    """The session whose folder and environment it goes on with; null leaves it to `same_session`."""

    timeout: Annotated[float, Field(ge=MIN_COMMAND_SECONDS, le=MAX_COMMAND_SECONDS)] | None = 30.0
    """How long it may run, in seconds, 0.001 to 3600; null leaves it to the driver."""


class PowerShellSessionRequest(Model):
    action: Annotated[str, Field(pattern="^(create|destroy)$")]
    """`create` or `destroy`."""

    session_id: str | None = None
    """The session to destroy, or the id of the new one; null leaves the id to the driver."""


class CyberdriverUpdateRequest(Model):
    version: str = "latest"
    """The version the driver installs; `latest` is the newest."""

    restart: bool = True
    """True: the driver starts anew once it is updated."""


class CyberdriverShutdownRequest(Model):
    source: str = "cloud-api"
    """Who asks; the driver's answer repeats it."""

    reason: str | None = "user_disabled_machine"
    """Why; the driver's answer repeats it."""


class DisplayDimensions(Model):
    width: int
    """Width of the screenshot, in pixels."""

    height: int
    """Height of the screenshot, in pixels."""


class MousePosition(Model):
    x: int
    """Pixels from the left edge of the screenshot."""

    y: int
    """Pixels from the top edge of the screenshot."""


FreeForm = dict[str, Any]
"""What a driver answers, passed on as it is."""
