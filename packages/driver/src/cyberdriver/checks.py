"""What works on this host, for a person who sets it up."""

import ctypes.util
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cyberdriver.backends.base import DesktopError
from cyberdriver.errors import DriverError
from cyberdriver.settings import load_settings, make_config_folder

_FONT_LIST_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    is_good: bool
    detail: str
    is_needed: bool = False
    """Whether this host cannot be driven without it."""

    def __str__(self) -> str:
        mark = "ok" if self.is_good else "MISSING" if self.is_needed else "absent"
        return f"{mark:8} {self.subject:16} {self.detail}"


def run_checks(folder: Path) -> list[Finding]:
    """Everything worth knowing, in the order of a set-up. Changes nothing but makes the config folder."""
    has_xvfb = shutil.which("Xvfb") is not None
    return [
        _config(folder),
        *(_library(name, package) for name, package in _LIBRARIES),
        _display(is_needed=not has_xvfb),
        *(_program(name, package, what) for name, package, what in _PROGRAMS),
        _shell(),
        _fonts(),
    ]


_LIBRARIES = [("X11", "libx11-6"), ("Xext", "libxext6"), ("Xtst", "libxtst6")]
_PROGRAMS = [
    ("Xvfb", "xvfb", "for `cyberdriver desktop`"),
    ("openbox", "openbox", "for `cyberdriver desktop`"),
]


def _config(folder: Path) -> Finding:
    try:
        load_settings(make_config_folder(folder))
    except DriverError as error:
        return Finding("config folder", False, str(error), is_needed=True)
    return Finding("config folder", True, str(folder), is_needed=True)


def _library(name: str, package: str) -> Finding:
    path = ctypes.util.find_library(name)
    return Finding(f"lib{name}", path is not None, path or f"apt-get install {package}", is_needed=True)


def _display(is_needed: bool) -> Finding:
    from cyberdriver.desktop import open_backend

    def look() -> str:
        with open_backend() as backend:
            size = backend.capture().size
            is_fast = getattr(backend, "uses_shared_memory", False)
        way = "shared memory" if is_fast else "no shared memory, slower"
        return f"DISPLAY={os.environ.get('DISPLAY')} {size}, {way}"

    return _tried("display", look, is_needed)


def _tried(subject: str, look: Callable[[], str], is_needed: bool) -> Finding:
    try:
        return Finding(subject, True, look(), is_needed)
    except DesktopError as error:
        return Finding(subject, False, str(error), is_needed)


def _program(name: str, package: str, what: str) -> Finding:
    path = shutil.which(name)
    return Finding(name, path is not None, path or f"apt-get install {package} {what}")


def _shell() -> Finding:
    path = shutil.which("pwsh") or shutil.which("sh", path="/bin")
    return Finding("shell", path is not None, path or "neither pwsh nor /bin/sh")


def _fonts() -> Finding:
    lister = shutil.which("fc-list")
    if lister is None:
        return Finding("fonts", False, "apt-get install fontconfig fonts-dejavu-core")
    try:
        listed = subprocess.run(
            [lister, ":", "family"], capture_output=True, text=True, timeout=_FONT_LIST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Finding("fonts", False, f"fc-list did not answer within {_FONT_LIST_SECONDS:g} s")
    families = {line.split(",")[0] for line in listed.stdout.splitlines() if line}
    return Finding("fonts", bool(families), f"{len(families)} families" if families else "none installed")
