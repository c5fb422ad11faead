"""Desktops for the driver: the one that is there, or a virtual one that is started for it.

A virtual desktop is Xvfb and the window manager openbox. Whatever way this process ends, they and the
programs that were started in them end with it; nothing else is ever ended.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from cyberdriver.backends.base import Backend, DesktopError, Size
from cyberdriver.backends.x11 import X11Backend
from cyberdriver.backends.x11.authority import name_display, write_new_cookie
from cyberdriver.backends.x11.connection import Connection
from cyberdriver.backends.x11.properties import read_property

DEFAULT_SIZE = Size(1280, 800)

_POLL_SECONDS = 0.01


class MissingProgram(DesktopError):
    """A program is not installed; `package` is what a Debian or Ubuntu calls it."""

    def __init__(self, program: str, package: str | None = None) -> None:
        super().__init__(program, package)
        self.program = program
        self.package = package

    def __str__(self) -> str:
        hint = f"; on Debian and Ubuntu: apt-get install {self.package}" if self.package else ""
        return f"program not found: {self.program}{hint}"


class DesktopNotReady(DesktopError):
    """A part of a virtual desktop did not start."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(part, reason)
        self.part = part
        self.reason = reason

    def __str__(self) -> str:
        return f"the virtual desktop did not start: {self.part}: {self.reason}"


def open_backend(display: str | None = None, *, xauthority: Path | None = None) -> Backend:
    """The desktop of an X display; of DISPLAY when none is named. Raises `NoDisplay`."""
    return X11Backend(display, xauthority=xauthority)


class VirtualDesktop:
    """A desktop nobody sees, as a context manager.

        with VirtualDesktop(Size(1280, 800)) as desktop, desktop.open_backend() as backend:
            desktop.run(["xterm"])

    Only clients that know its cookie get in; `environment` holds what they need. Entering raises
    `MissingProgram` or `DesktopNotReady`. All of it may be used from any one thread at a time.
    """

    def __init__(
        self, size: Size = DEFAULT_SIZE, *, ready_seconds: float = 15.0, grace_seconds: float = 2.0
    ) -> None:
        self.size = size
        self.display = ""
        """Such as `:7`; known once entered."""
        self._ready_seconds = ready_seconds
        self._grace_seconds = grace_seconds
        self._folder = Path()
        self._running = contextlib.ExitStack()

    @property
    def xauthority(self) -> Path:
        """The file with the cookie."""
        return self._folder / "Xauthority"

    @property
    def environment(self) -> dict[str, str]:
        """The environment for programs of this desktop: the present one with this display."""
        ours = {"DISPLAY": self.display, "XAUTHORITY": str(self.xauthority), "XDG_SESSION_TYPE": "x11"}
        return {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"} | ours

    def open_backend(self) -> Backend:
        """The driver's hold on this desktop."""
        return open_backend(self.display, xauthority=self.xauthority)

    def run(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        output: IO[bytes] | int | None = None,
    ) -> Program:
        """Starts a program in the desktop; `environment` adds to its own, `output` gets what it prints.

        Raises `MissingProgram`.
        """
        path = shutil.which(command[0])
        if path is None:
            raise MissingProgram(command[0])
        program = Program(
            [path, *command[1:]],
            environment={**self.environment, **(environment or {})},
            grace_seconds=self._grace_seconds,
            output=output,
        )
        self._running.callback(program.close)
        return program

    def close(self) -> None:
        """Everything that was started ends, the newest first. Twice is once."""
        self._running.close()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as started:
            folder = tempfile.TemporaryDirectory(prefix="cyberdriver-desktop-")
            self._folder = Path(started.enter_context(folder))
            self._running = started
            self._start_screen()
            self._start_window_manager()
            self._running = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_screen(self) -> None:
        write_new_cookie(self.xauthority)
        number_end, server_end = os.pipe()
        with open(number_end, "rb", buffering=0) as numbers:
            try:
                screen = self._start("Xvfb", "xvfb", self._screen_options(server_end), [server_end])
            finally:
                os.close(server_end)

            said = bytearray()

            def has_said_all() -> bool:
                # It writes the number, then a line end, and gives up when nobody is there to read that.
                if select.select([numbers], [], [], 0)[0]:
                    said.extend(numbers.read(16))
                return said.endswith(b"\n")

            self._wait_for("Xvfb", screen, has_said_all)
        number = said.decode().strip()
        name_display(self.xauthority, number)
        self.display = f":{number}"

    def _screen_options(self, number_descriptor: int) -> list[str]:
        options = f"-displayfd {number_descriptor} -screen 0 {self.size}x24 -nolisten tcp -dpi 96 -s 0"
        # A reset, when the last client leaves, would undo the keyboard and the windows.
        return [*options.split(), "-noreset", "-auth", str(self.xauthority)]

    def _start_window_manager(self) -> None:
        configuration = self._folder / "openbox.xml"
        configuration.write_text(_OPENBOX_CONFIGURATION)
        manager = self._start("openbox", "openbox", ["--sm-disable", "--config-file", str(configuration)])
        connection = Connection(self.display, self.xauthority)
        with contextlib.closing(connection):

            def manages_windows() -> bool:
                with connection.operation("window manager"):
                    name = connection.atom("_NET_SUPPORTING_WM_CHECK")
                    return bool(read_property(connection, connection.root, name).content)

            self._wait_for("openbox", manager, manages_windows)

    def _start(self, name: str, package: str, arguments: list[str], pass_fds: Sequence[int] = ()) -> Program:
        path = shutil.which(name)
        if path is None:
            raise MissingProgram(name, package)
        with open(self._log(name), "wb") as log:
            program = Program(
                [path, *arguments],
                environment=self.environment | _WITHOUT_COMPOSE_KEY,
                grace_seconds=self._grace_seconds,
                output=log,
                pass_fds=pass_fds,
                folder=self._folder,
            )
        self._running.callback(program.close)
        return program

    def _wait_for(self, name: str, program: Program, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._ready_seconds
        while not is_ready():
            if program.exit_code is not None:
                raise DesktopNotReady(name, self._last_words(name) or f"it ended with {program.exit_code}")
            if time.monotonic() > deadline:
                raise DesktopNotReady(name, f"not ready after {self._ready_seconds:g} s")
            time.sleep(_POLL_SECONDS)

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _last_words(self, name: str) -> str:
        lines = self._log(name).read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


class Program:
    """A program in a process group of its own, which ends with this process even when that is killed.

    A folder that is given is removed in that case.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        grace_seconds: float,
        output: IO[bytes] | int | None = None,
        pass_fds: Sequence[int] = (),
        folder: Path | None = None,
    ) -> None:
        self._grace_seconds = grace_seconds
        watcher_end, self._lifeline = os.pipe()
        try:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _WATCHED, "cyberdriver", f"{grace_seconds:g}", str(folder or ""), *command],
                stdin=watcher_end,
                stdout=output,
                stderr=output,
                env=environment,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(watcher_end)
        self._is_closed = False

    @property
    def pid(self) -> int:
        """The process id, which is also that of the group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """What the program ended with, negative for a signal; None while it runs."""
        return self._process.poll()

    def wait(self, timeout_seconds: float | None = None) -> int:
        """The exit code, as soon as there is one. Raises `TimeoutError`."""
        try:
            return self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"the program still runs after {timeout_seconds} s") from error

    def close(self) -> None:
        """The group is asked to end, and made to after the grace. Twice is once."""
        if self._is_closed:
            return
        self._is_closed = True
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self._grace_seconds)
        self._signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._lifeline)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


# The shell leaves a watcher behind in its process group and becomes the program. The watcher reads from a
# pipe whose other end only this process has: the read returns when this process is gone, whatever ended it.
# The parent death signal of Linux would not do, because it follows the thread that started the program and
# reaches none of the program's own children.
_WATCHED = """
exec 3<&0 </dev/null
( (
    trap '' TERM HUP INT
    read -r _
    kill -s TERM -- "-$$"
    [ -z "$2" ] || rm -rf -- "$2"
    sleep "$1"
    kill -s KILL -- "-$$"
) <&3 >/dev/null 2>&1 & )
exec 3<&-
shift 2
exec "$@"
"""

# openbox reads the table of the compose key again for each key that gets another meaning, and holds the mouse
# meanwhile: 60 ms for the table of a UTF-8 locale.
_WITHOUT_COMPOSE_KEY = {"XCOMPOSEFILE": os.devnull}

# One workspace, no root menu, no shortcuts a program could miss; windows get the focus when they open or are
# clicked.
_OPENBOX_CONFIGURATION = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse><raiseOnFocus>no</raiseOnFocus></focus>
  <placement><policy>Smart</policy><center>yes</center></placement>
  <theme><name>Clearlooks</name><titleLayout>NLIMC</titleLayout><animateIconify>no</animateIconify></theme>
  <desktops><number>1</number><firstdesk>1</firstdesk><popupTime>0</popupTime></desktops>
  <resize><drawContents>yes</drawContents><popupShow>Never</popupShow></resize>
  <keyboard>
    <keybind key="A-F4"><action name="Close"/></keybind>
    <keybind key="A-Tab"><action name="NextWindow"><dialog>none</dialog><raise>yes</raise></action></keybind>
  </keyboard>
  <mouse>
    <dragThreshold>4</dragThreshold>
    <context name="Client">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Middle" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Right" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
    </context>
    <context name="Titlebar">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Left" action="Drag"><action name="Move"/></mousebind>
      <mousebind button="Left" action="DoubleClick"><action name="ToggleMaximize"/></mousebind>
    </context>
    <context name="Top Bottom Left Right TLCorner TRCorner BLCorner BRCorner">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Left" action="Drag"><action name="Resize"/></mousebind>
    </context>
    <context name="Close">
      <mousebind button="Left" action="Click"><action name="Close"/></mousebind>
    </context>
    <context name="Maximize">
      <mousebind button="Left" action="Click"><action name="ToggleMaximize"/></mousebind>
    </context>
    <context name="Iconify">
      <mousebind button="Left" action="Click"><action name="Iconify"/></mousebind>
    </context>
  </mouse>
</openbox_config>
"""
