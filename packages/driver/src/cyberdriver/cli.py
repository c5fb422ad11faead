"""The command line: `cyberdriver join`, `desktop`, `identity`, `check`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec, Protocol

import typer

from cyberdriver import __version__
from cyberdriver.api_key import THREE_WAYS, find_key
from cyberdriver.backends.base import Backend, DesktopError, NoDisplay, Size
from cyberdriver.errors import NO_DISPLAY_EXIT_CODE, DriverError, NoKey, ProgramFailed, SettingsError
from cyberdriver.log import start_logging

if TYPE_CHECKING:
    from cyberdriver.desktop import Program
    from cyberdriver.joining import Machine

MAX_NAME_CHARACTERS = 128
MIN_SIDE_PIXELS = 64
MAX_SIDE_PIXELS = 8192

logger = logging.getLogger(__name__)

app = typer.Typer(
    name="cyberdriver",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Joins this machine's screen, keyboard and mouse to a Cyberdesk server.",
)

Arguments = ParamSpec("Arguments")

Server = Annotated[
    str | None,
    typer.Option(envvar="CYBERDESK_SERVER", help="Address of the server, such as https://cyberdesk.example."),
]
Name = Annotated[
    str | None,
    typer.Option(envvar="CYBERDRIVER_MACHINE_NAME", help="Name of this machine; the host's name by default."),
]
KeyFile = Annotated[Path | None, typer.Option(help="File with the API key; only you may read it.")]
KeyStdin = Annotated[bool, typer.Option("--key-stdin", help="Read the API key from standard input.")]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Allow http:// to another host: the key travels in clear.")
]
ConfigDir = Annotated[
    Path | None, typer.Option(help="Folder of identity, settings, journal; ~/.config/cyberdriver by default.")
]
KeepaliveFor = Annotated[
    str | None, typer.Option("--register-as-keepalive-for", help="Id of a machine that this one keeps awake.")
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Log more.")]
Secret = Annotated[str | None, typer.Option("--secret", hidden=True)]


def one_line_errors(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """What can go wrong for a user ends the command with one line and the exit code of its kind."""

    @wraps(command)
    def guarded(*args: Arguments.args, **options: Arguments.kwargs) -> None:
        try:
            command(*args, **options)
        except DriverError as error:
            _fail(str(error), error.exit_code)
        except NoDisplay as error:
            _fail(f"{error}; `cyberdriver desktop` makes a virtual one", NO_DISPLAY_EXIT_CODE)
        except DesktopError as error:
            _fail(str(error), 1)

    return guarded


@app.command(epilog="Example: cyberdriver join --server https://cyberdesk.example --key-file ~/agent.key")
@one_line_errors
def join(
    server: Server = None,
    name: Name = None,
    key_file: KeyFile = None,
    key_stdin: KeyStdin = False,
    insecure: Insecure = False,
    config_dir: ConfigDir = None,
    keepalive_for: KeepaliveFor = None,
    verbose: Verbose = False,
    secret: Secret = None,
) -> None:
    """Join this desktop to a server and stay joined until SIGTERM or Ctrl-C."""
    from cyberdriver.desktop import open_backend

    start_logging(is_verbose=verbose)
    key = _key(key_file, key_stdin, secret)
    if server is None:
        raise SettingsError("--server is missing (or set CYBERDESK_SERVER)")
    with _joining(server, name, key, insecure, config_dir, keepalive_for) as machine:
        _run(machine(open_backend, os.environ, False))


@app.command(
    epilog="Example: cyberdriver desktop --size 1280x800 --server https://cyberdesk.example -- xterm -e top",
    context_settings={"ignore_unknown_options": True},
)
@one_line_errors
def desktop(
    command: Annotated[list[str], typer.Argument(metavar="-- PROGRAM [ARGUMENTS]...", show_default=False)],
    size: Annotated[str, typer.Option(help="Width and height in pixels.")] = "1280x800",
    server: Server = None,
    name: Name = None,
    key_file: KeyFile = None,
    key_stdin: KeyStdin = False,
    insecure: Insecure = False,
    config_dir: ConfigDir = None,
    verbose: Verbose = False,
    secret: Secret = None,
) -> None:
    """Start a virtual desktop, a program in it, and join it; ends with the program or by a signal.

    Without --server nothing is joined. Nothing is left running.
    """
    from cyberdriver.desktop import VirtualDesktop

    start_logging(is_verbose=verbose)
    pixels = _size(size)
    key = _key(key_file, key_stdin, secret) if server else None
    with contextlib.ExitStack() as parts:
        make_machine = (
            parts.enter_context(_joining(server, name, key, insecure, config_dir, None))
            if server and key
            else None
        )
        virtual = parts.enter_context(VirtualDesktop(pixels))
        program = virtual.run(command)
        logger.info("desktop display=%s size=%s program=%s", virtual.display, pixels, command[0])
        machine = make_machine(virtual.open_backend, virtual.environment, True) if make_machine else None
        _run(machine, program)
        if program.exit_code:  # none when a signal asked for the end: the program still runs then
            raise ProgramFailed(command[0], program.exit_code)


@app.command(epilog="Example: cyberdriver identity --reset    (before an image of this machine is taken)")
@one_line_errors
def identity(
    reset: Annotated[
        bool, typer.Option("--reset", help="Make a new one: the server will see a new machine.")
    ] = False,
    config_dir: ConfigDir = None,
) -> None:
    """Print which machine this is to servers."""
    from cyberdriver.identity import load_identity, reset_identity
    from cyberdriver.settings import config_folder, make_config_folder

    folder = make_config_folder(config_folder(config_dir))
    typer.echo(str(reset_identity(folder) if reset else load_identity(folder)))


@app.command(epilog="Example: DISPLAY=:0 cyberdriver check")
@one_line_errors
def check(config_dir: ConfigDir = None) -> None:
    """Tell what works on this host; exit code 1 when it could not be driven."""
    from cyberdriver.checks import run_checks
    from cyberdriver.settings import config_folder

    findings = run_checks(config_folder(config_dir))
    for finding in findings:
        typer.echo(str(finding))
    if any(finding.is_needed and not finding.is_good for finding in findings):
        raise typer.Exit(1)


@app.command(epilog="Example: cyberdriver version")
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """The program `cyberdriver`."""
    app()


def _key(key_file: Path | None, key_stdin: bool, secret: str | None) -> str:
    if secret is not None:
        raise NoKey(f"--secret shows the key to every user of this host; {THREE_WAYS}, and replace that key")
    return find_key(key_file, key_stdin, sys.stdin, os.environ)


class MakeMachine(Protocol):
    def __call__(
        self, open_backend: Callable[[], Backend], environment: Mapping[str, str], is_virtual: bool
    ) -> Machine: ...


@contextlib.contextmanager
def _joining(
    server: str,
    name: str | None,
    key: str,
    insecure: bool,
    config_dir: Path | None,
    keepalive_for: str | None,
) -> Iterator[MakeMachine]:
    """Everything about the machine but its desktop, checked; the config folder is ours meanwhile."""
    from cyberdriver.identity import load_identity, sole_user_of
    from cyberdriver.joining import Machine
    from cyberdriver.settings import config_folder, load_settings, make_config_folder
    from cyberdriver.tunnel import Greeting, parse_address

    address = parse_address(server, allow_insecure=insecure)
    hostname = _printable(socket.gethostname()) or "unnamed"
    display_name = hostname if name is None else name
    if display_name != _printable(display_name) or not display_name:
        raise SettingsError(f"--name: must be 1 to {MAX_NAME_CHARACTERS} printable ASCII characters")
    if keepalive_for is not None and keepalive_for != _printable(keepalive_for):
        raise SettingsError("--register-as-keepalive-for: must be the id of a machine")
    folder = make_config_folder(config_folder(config_dir))
    settings = load_settings(folder)
    with sole_user_of(folder):
        greeting = Greeting(key, str(load_identity(folder)), display_name, hostname, keepalive_for)

        def machine(
            open_backend: Callable[[], Backend], environment: Mapping[str, str], is_virtual: bool
        ) -> Machine:
            return Machine(address, greeting, settings, folder, open_backend, environment, is_virtual)

        yield machine


def _run(machine: Machine | None, program: Program | None = None) -> None:
    """Runs until the end of the program or a signal; a command that will not end is left by force."""
    from cyberdriver.joining import run

    if not asyncio.run(run(machine, program)):
        logger.error("a command does not end: leaving it")
        if program is not None:
            program.close()
        logging.shutdown()
        os._exit(1)


def _size(text: str) -> Size:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if match is None or not all(MIN_SIDE_PIXELS <= int(side) <= MAX_SIDE_PIXELS for side in match.groups()):
        raise SettingsError(
            f"--size {text}: must be WIDTHxHEIGHT, each between {MIN_SIDE_PIXELS} and {MAX_SIDE_PIXELS}"
        )
    return Size(int(match[1]), int(match[2]))


def _printable(text: str) -> str:
    return "".join(character for character in text if " " <= character <= "~").strip()[:MAX_NAME_CHARACTERS]


def _fail(line: str, exit_code: int) -> NoReturn:
    typer.echo(f"cyberdriver: {line}", err=True)
    raise typer.Exit(exit_code)
