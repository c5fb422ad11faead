"""How the vendor's published driver looks and acts: mss, Pillow's own PNG writer and PyAutoGUI.

All three find the screen by the environment of this process: use them inside `acting_on`.
"""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, metadata, util
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from cyberdriver.backends.base import Size
from cyberdriver.backends.x11.authority import cookie_in
from cyberdriver.desktop import VirtualDesktop
from PIL import Image

PACKAGES = ("mss", "pyautogui")
"""The ones that nothing but this comparison needs."""

PNG_LEVEL = 6
_THIS_HOST = 256


class Hands(Protocol):
    """What is used of PyAutoGUI."""

    def click(self, x: int, y: int) -> None: ...

    def write(self, message: str) -> None: ...


def missing() -> list[str]:
    """The packages that are not installed."""
    return [name for name in PACKAGES if util.find_spec(name) is None]


def versions() -> str:
    """Names and versions of the packages that are measured."""
    return ", ".join(f"{name} {metadata.version(name)}" for name in ("pillow", *PACKAGES))


def screenshot() -> bytes:
    """The screen as a PNG, with a new mss object as for every shot."""
    with import_module("mss").MSS() as camera:
        shot = camera.grab(camera.monitors[0])
        return png(Size(shot.width, shot.height), bytes(shot.bgra))


def png(size: Size, bgrx: bytes) -> bytes:
    """A PNG of these pixels, 4 bytes each."""
    file = BytesIO()
    picture = Image.frombytes("RGB", (size.width, size.height), bgrx, "raw", "BGRX")
    picture.save(file, "PNG", compress_level=PNG_LEVEL)
    return file.getvalue()


def hands() -> Hands:
    """PyAutoGUI at its fastest: no pause after each call and no look for the pointer in a corner.

    It opens the display when it is imported, so one process can use it on one desktop only.
    """
    pyautogui: Any = import_module("pyautogui")
    pyautogui.PAUSE = 0
    pyautogui.FAILSAFE = False
    made: Hands = pyautogui
    return made


@contextmanager
def acting_on(desktop: VirtualDesktop, folder: Path) -> Iterator[None]:
    """This process has the environment of a program in the desktop."""
    before = dict(os.environ)
    os.environ.update(desktop.environment, XAUTHORITY=str(_cookie_for_this_host(desktop, folder)))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _cookie_for_this_host(desktop: VirtualDesktop, folder: Path) -> Path:
    """The desktop's cookie under the name of this host: PyAutoGUI's X library knows no wildcards."""
    cookie = cookie_in(desktop.xauthority)
    assert cookie is not None, "the desktop has no cookie"
    fields = (
        socket.gethostname().encode(),
        desktop.display.removeprefix(":").encode(),
        cookie.name,
        cookie.data,
    )
    file = folder / "Xauthority"
    file.touch(mode=0o600)
    file.write_bytes(
        struct.pack(">H", _THIS_HOST) + b"".join(struct.pack(">H", len(field)) + field for field in fields)
    )
    return file
