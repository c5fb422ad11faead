"""`cyberdesk-server`: the server as a program.

    up          everything in one process, until Ctrl-C
    keys        create, list and revoke API keys
    migrate     bring the database to the shape this version needs
    settings    the table of all settings

Whatever the operator can put right is one line on standard error and exit code 2.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar
from uuid import UUID

import typer

if TYPE_CHECKING:
    from cyberdesk_server.domain.organizations import ApiKey
    from cyberdesk_server.store.database import Database

# The parts of the server are imported by the commands that need them: `--help` answers at once.

T = TypeVar("T")

BAD_INPUT_EXIT_CODE = 2

app = typer.Typer(
    name="cyberdesk-server",
    help="The Cyberdesk server: API, tunnels of the desktops, and the worker that carries runs out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
keys_app = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(keys_app, name="keys")

DataDir = Annotated[
    Path | None, typer.Option(help="Folder of everything the server keeps.", show_default=False)
]
Config = Annotated[Path | None, typer.Option(help="TOML file with settings.", show_default=False)]


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
    with _one_line_errors():
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
                _tell(f"API key: written to {write_key}")
            else:
                _tell(f"API key: {key}")

        async def serve() -> None:
            await bootstrap.serve(
                settings,
                folder,
                listener,
                introduce=introduce,
                announce=lambda address: _tell(f"ready: {address}"),
                stop=_stopped_by_signals(),
            )

        with closing(DataFolder(settings.data_dir)) as folder, bootstrap.listen_on(settings) as listener:
            uvloop.run(serve())


@app.command(epilog="Example: cyberdesk-server migrate --data-dir ./data")
def migrate(data_dir: DataDir = None, config: Config = None) -> None:
    """Bring the database to the shape this version needs; `up` does it by itself."""

    async def nothing(_: "Database") -> None:
        return

    _with_database(data_dir, config, nothing)
    _tell("the database is up to date")


@keys_app.command("create", epilog="Example: cyberdesk-server keys create --name laptop --data-dir ./data")
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make another API key and print it once. The server may be running."""

    async def create(database: "Database") -> str:
        from cyberdesk_server.usecases import organizations

        return (await organizations.create_key(database, name=name, now=datetime.now(UTC))).key

    _tell(f"API key: {_with_database(data_dir, config, create)}")


@keys_app.command("list", epilog="Example: cyberdesk-server keys list --data-dir ./data")
def list_keys(data_dir: DataDir = None, config: Config = None) -> None:
    """List all API keys by id, name, last four characters, and day of making and revoking."""

    async def list_(database: "Database") -> Sequence["ApiKey"]:
        from cyberdesk_server.usecases import organizations

        return await organizations.list_keys(database)

    for key in _with_database(data_dir, config, list_):
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "valid"
        _tell(f"{key.id}  …{key.hint}  made {key.created_at:%Y-%m-%d}  {state}  {key.name}")


@keys_app.command(
    "revoke",
    epilog="Example: cyberdesk-server keys revoke 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55 --data-dir ./data",
)
def revoke_key(
    key_id: Annotated[UUID, typer.Argument(help="Id of the key, as `keys list` shows it.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Revoke an API key: from now on it opens nothing. Connected machines stay connected."""

    async def revoke(database: "Database") -> bool:
        from cyberdesk_server.domain.ids import ApiKeyId
        from cyberdesk_server.usecases import organizations

        return await organizations.revoke_key(database, ApiKeyId(key_id), now=datetime.now(UTC))

    if not _with_database(data_dir, config, revoke):
        _fail(f"there is no valid key {key_id}")
    _tell("revoked")


@app.command(epilog="Example: cyberdesk-server settings > settings.md")
def settings() -> None:
    """Print every setting with its environment variable, unit, default and meaning."""
    from cyberdesk_server.settings import settings_table

    sys.stdout.write(settings_table())


def main() -> None:
    """The entry point of the program."""
    os.umask(0o077)  # whatever the server writes is its user's alone
    app()


def _with_database(
    data_dir: Path | None, config: Path | None, work: Callable[["Database"], Coroutine[Any, Any, T]]
) -> T:
    """What `work` answers for the migrated database of these settings."""

    async def opened() -> T:
        database = await bootstrap.open_database(settings)
        try:
            return await work(database)
        finally:
            await database.close()

    with _one_line_errors():
        from cyberdesk_server import bootstrap, logs
        from cyberdesk_server.settings import load_settings

        settings = load_settings(config=config, data_dir=data_dir)
        logs.configure(settings.log_format, "warning")
        bootstrap.make_data_dir(settings)
        return asyncio.run(opened())


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


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """What the operator can put right ends the program with one line and no traceback."""
    from cyberdesk_server.adapters.data_folder import DataFolderUnusable
    from cyberdesk_server.bootstrap import CannotStart
    from cyberdesk_server.settings import BadSetting
    from cyberdesk_server.usecases.organizations import NoOrganization

    try:
        yield
    except (BadSetting, DataFolderUnusable, CannotStart, NoOrganization) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None


def _refuse_unwritable(key_file: Path | None) -> None:
    """Better now than when the key is made: it can be shown only once."""
    if key_file and key_file.is_dir():
        _fail(f"--write-key: {key_file} cannot be written: it is a folder")
    if key_file and not os.access(key_file.absolute().parent, os.W_OK | os.X_OK):
        _fail(f"--write-key: {key_file} cannot be written: its folder is missing or not writable")


def _fail(line: str) -> NoReturn:
    sys.stderr.write(f"cyberdesk-server: {line}\n")
    raise SystemExit(BAD_INPUT_EXIT_CODE)


def _tell(line: str) -> None:
    """A line for whoever started the program, or for the script that reads it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
