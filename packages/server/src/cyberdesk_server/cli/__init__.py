"""`cyberdesk-server`: the server as a program.

    up                 everything in one process, until Ctrl-C
    organizations      create and list organizations
    keys               create, list, rotate and revoke API keys
    audit              verify the log of who did what
    migrate            bring the database to the shape this version needs
    rotate-master-key  seal everything with a new master key
    settings           the table of all settings

Whatever the operator can put right is one line on standard error and exit code 2.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyberdesk_server.cli import access
from cyberdesk_server.cli._common import Config, DataDir, fail, one_line_errors, tell, with_database

if TYPE_CHECKING:
    from cyberdesk_server.adapters.vault import MasterKey
    from cyberdesk_server.store.database import Database
    from cyberdesk_server.usecases.rewrapping import Rewrapped

# The parts of the server are imported by the commands that need them: `--help` answers at once.

app = typer.Typer(
    name="cyberdesk-server",
    help="The Cyberdesk server: API, tunnels of the desktops, and the worker that carries runs out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(access.organizations, name="organizations")
app.add_typer(access.keys, name="keys")
app.add_typer(access.audit, name="audit")


@app.command(epilog="Example: cyberdesk-server up --data-dir ./data --port 8080 --write-key ./api-key")
def up(
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one.", show_default=False)] = None,
    config: Config = None,
    write_key: Annotated[
        Path | None,
        typer.Option(help="Write the API key of a first start to this file, readable by you only."),
    ] = None,
) -> None:
    """Run the whole server in this process until Ctrl-C or SIGTERM.

    A first start makes an organization and prints its API key once; the server keeps only a hash of it.
    """
    with one_line_errors():
        import uvloop

        from cyberdesk_server import bootstrap, logs
        from cyberdesk_server.adapters.data_folder import DataFolder, write_private_file
        from cyberdesk_server.settings import load_settings

        settings = load_settings(config=config, data_dir=data_dir, host=host, port=port)
        logs.configure(settings.log_format, settings.log_level)
        _refuse_unwritable(write_key)

        def introduce(key: str) -> None:
            if write_key:
                write_private_file(write_key.absolute(), key.encode() + b"\n")
                tell(f"API key: written to {write_key}")
            else:
                tell(f"API key: {key}")

        async def serve() -> None:
            await bootstrap.serve(
                settings,
                folder,
                listener,
                introduce=introduce,
                announce=lambda address: tell(f"ready: {address}"),
                stop=_stopped_by_signals(),
            )

        with closing(DataFolder(settings.data_dir)) as folder, bootstrap.listen_on(settings) as listener:
            uvloop.run(serve())


@app.command(epilog="Example: cyberdesk-server migrate --data-dir ./data")
def migrate(data_dir: DataDir = None, config: Config = None) -> None:
    """Bring the database to the shape this version needs; `up` does it by itself."""

    async def nothing(_: "Database") -> None:
        return

    with_database(data_dir, config, nothing)
    tell("the database is up to date")


@app.command(epilog="Example: cyberdesk-server rotate-master-key --data-dir ./data")
def rotate_master_key(data_dir: DataDir = None, config: Config = None) -> None:
    """Seal everything with a new master key. It may be broken off at any time and done again.

    Without the setting `master_key` the key in the data folder is replaced: the server must not be running.
    With it, secrets that one of `other_master_keys` opens are sealed with `master_key`; servers that know
    both may be running.
    """
    with one_line_errors():
        from cyberdesk_server import vaults
        from cyberdesk_server.adapters.data_folder import DataFolder
        from cyberdesk_server.settings import load_settings

        settings = load_settings(config=config, data_dir=data_dir)
        if settings.master_key is not None:
            keys = *vaults.given_master_key(settings), *vaults.other_master_keys(settings)
            _rewrap(data_dir, config, keys)
            return
        with closing(DataFolder(settings.data_dir)) as folder:
            vaults.change_key_file(folder)
            _rewrap(data_dir, config, vaults.master_keys(settings, folder))
            vaults.forget_former_key(folder)


def _rewrap(data_dir: Path | None, config: Path | None, keys: Sequence["MasterKey"]) -> None:
    async def rewrap(database: "Database") -> "Rewrapped":
        from cyberdesk_server.adapters.vault import EnvelopeVault
        from cyberdesk_server.usecases.rewrapping import rewrap_all

        return await rewrap_all(database, EnvelopeVault(*keys).rewrapped)

    done = with_database(data_dir, config, rewrap)
    if done.unreadable:
        fail(f"{done.unreadable} secrets need a key that is not known; {done.changed} others were changed")
    tell(f"{done.changed} secrets were sealed with the new key")


@app.command(epilog="Example: cyberdesk-server settings > settings.md")
def settings() -> None:
    """Print every setting with its environment variable, unit, default and meaning."""
    from cyberdesk_server.settings import settings_table

    sys.stdout.write(settings_table())


def main() -> None:
    """The entry point of the program."""
    os.umask(0o077)  # whatever the server writes is its user's alone
    app()


def _stopped_by_signals() -> asyncio.Event:
    """Set by the first Ctrl-C or SIGTERM; a second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def once(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, once, number)
    return stop


def _refuse_unwritable(key_file: Path | None) -> None:
    """Better now than when the key is made: it can be shown only once."""
    if key_file and key_file.is_dir():
        fail(f"--write-key: {key_file} cannot be written: it is a folder")
    if key_file and not os.access(key_file.absolute().parent, os.W_OK | os.X_OK):
        fail(f"--write-key: {key_file} cannot be written: its folder is missing or not writable")
