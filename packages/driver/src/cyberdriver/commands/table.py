"""Every command by method and path, with its lane and the switch that must be on (protocol, section 7)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from cyberdriver.answers import Answer, problem
from cyberdriver.commands import clipboard, display, files, internal, keyboard, mouse, shell
from cyberdriver.commands.call import Call, Work
from cyberdriver.commands.desk import Desk


class Lane(Enum):
    """What waits for what: lanes run beside each other."""

    INPUT = "input"
    """Everything that moves, presses or types: strictly in order."""
    SCREEN = "screen"
    FILES = "files"
    SHELL = "shell"
    DRIVER = "driver"


LANE_WIDTHS = {Lane.INPUT: 1, Lane.SCREEN: 1, Lane.FILES: 2, Lane.SHELL: 4, Lane.DRIVER: 1}
"""How many requests of a lane run at a time."""


class Switch(Enum):
    """A capability the owner may switch off; the value is its name in the settings."""

    INPUT = "input"
    SHELL = "shell"
    CLIPBOARD = "clipboard"
    FILES = "files"
    SHUTDOWN = "shutdown"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Route:
    prepare: Callable[[Call, Desk], Work]
    """Judges the request before anything happens. Raises `Refused` or an `InputRefused` of the backends."""
    lane: Lane
    switch: Switch | None = None
    is_brief: bool = False
    """It waits for one answer of the display and for nothing else, and that answer has a limit."""


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/computer/display/dimensions"): Route(display.dimensions, Lane.SCREEN),
    ("GET", "/computer/display/screenshot"): Route(display.screenshot, Lane.SCREEN),
    ("GET", "/computer/input/mouse/position"): Route(mouse.position, Lane.SCREEN),
    ("POST", "/computer/input/mouse/move"): Route(mouse.move, Lane.INPUT, Switch.INPUT, is_brief=True),
    ("POST", "/computer/input/mouse/click"): Route(mouse.click, Lane.INPUT, Switch.INPUT, is_brief=True),
    ("POST", "/computer/input/mouse/drag"): Route(mouse.drag, Lane.INPUT, Switch.INPUT),
    ("POST", "/computer/input/mouse/scroll"): Route(mouse.scroll, Lane.INPUT, Switch.INPUT),
    ("POST", "/computer/input/keyboard/type"): Route(keyboard.type_text, Lane.INPUT, Switch.INPUT),
    ("POST", "/computer/input/keyboard/key"): Route(keyboard.press_keys, Lane.INPUT, Switch.INPUT),
    ("POST", "/computer/copy_to_clipboard"): Route(clipboard.copy_to_clipboard, Lane.INPUT, Switch.CLIPBOARD),
    ("GET", "/computer/fs/list"): Route(files.list_folder, Lane.FILES, Switch.FILES),
    ("GET", "/computer/fs/read"): Route(files.read_file, Lane.FILES, Switch.FILES),
    ("POST", "/computer/fs/write"): Route(files.write_file, Lane.FILES, Switch.FILES),
    ("POST", "/computer/shell/powershell/exec"): Route(shell.execute, Lane.SHELL, Switch.SHELL),
    ("POST", "/computer/shell/powershell/session"): Route(shell.session, Lane.SHELL, Switch.SHELL),
    ("POST", "/computer/shell/powershell/simple"): Route(shell.smoke_test, Lane.SHELL, Switch.SHELL),
    ("POST", "/computer/shell/powershell/test"): Route(shell.smoke_test, Lane.SHELL, Switch.SHELL),
    ("GET", "/internal/diagnostics"): Route(internal.diagnostics, Lane.DRIVER),
    ("POST", "/internal/shutdown"): Route(internal.shutdown, Lane.DRIVER, Switch.SHUTDOWN),
    ("POST", "/internal/update"): Route(internal.update, Lane.DRIVER, Switch.UPDATE),
    ("POST", "/internal/keepalive/remote/activity"): Route(internal.keepalive_activity, Lane.DRIVER),
    ("POST", "/internal/keepalive/remote/enable"): Route(internal.keepalive_enable, Lane.DRIVER),
    ("POST", "/internal/keepalive/remote/disable"): Route(internal.keepalive_disable, Lane.DRIVER),
}
_PATHS = {path for _, path in ROUTES}


def find_route(method: str, path: str) -> Route | Answer:
    """The command, or 404 for a path nobody knows and 405 for a method the path does not take."""
    route = ROUTES.get((method, path))
    if route is not None:
        return route
    if path in _PATHS:
        return problem(405, f"{path} does not take {method}")
    return problem(404, f"there is no {path}")
