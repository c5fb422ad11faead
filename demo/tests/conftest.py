"""A real X display of its own for every test that opens a window, and the clinic program on it."""

from __future__ import annotations

import os
import subprocess
import sys
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic.application import Clinic, Delays
from clinic.generated import generated_register
from clinic.login import Credentials
from clinic.testing import Screen

DEADLINE_SECONDS = 20
ACCOUNT = Credentials("clinic", "legacy")


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The name of an empty X display of 1280 x 800 pixels."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as number:
            yield f":{int(number.readline())}"
    finally:
        server.terminate()
        server.wait(DEADLINE_SECONDS)


INTERPRETERS: list[object] = []
"""Of Tcl, kept to the end: one that another thread's garbage collection deletes takes the process along."""


@pytest.fixture
def window(display: str) -> Callable[[], tk.Tk]:
    """Opens an empty window."""

    def open_one() -> tk.Tk:
        root = tk.Tk(screenName=display)
        INTERPRETERS.append(root.tk)
        return root

    return open_one


@pytest.fixture
def screen(window: Callable[[], tk.Tk]) -> Iterator[Screen]:
    """The program at its login dialog, with no pretended waiting."""
    root = window()
    root.geometry("1280x800+0+0")
    clinic = Clinic(root, generated_register(), ACCOUNT, delays=Delays(login_ms=1, search_ms=1, chart_ms=1))
    root.update()
    clinic.ask_for_login()
    yield Screen(clinic)
    if clinic.is_running:
        clinic.exit()


@pytest.fixture
def logged_in(screen: Screen) -> Screen:
    """The program at its empty search page."""
    clinic = screen.clinic
    assert clinic.login is not None
    clinic.login.user.insert(0, ACCOUNT.user)
    clinic.login.password.insert(0, ACCOUNT.password)
    screen.press("Log in")
    screen.until_text("Find a patient")
    return screen
