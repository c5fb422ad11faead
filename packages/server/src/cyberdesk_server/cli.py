"""`cyberdesk-server`: the server as a program.

    up          everything in one process, until Ctrl-C
    keys        create, list and revoke API keys
    migrate     bring the database to the shape this version needs
    settings    the table of all settings

Whatever the operator can put right is one line on standard error and exit code 2.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

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
        from cyberdesk_server import bootstrap, logs
        from cyberdesk_server.adapters.data_folder import DataFolder, write_private_file
        from cyberdesk_server.settings import load_settings

        settings = load_settings(config=config, data_dir=data_dir, host=host, port=port)
        logs.configure(settings.log_format, settings.log_level)
        folder = DataFolder(settings.data_dir)
        listener = bootstrap.listen_on(settings)

        def introduce(key: str) -> None:
            if write_key:
                write_private_file(write_key.absolute(), key.encode() + b"\n")
                _tell(f"API key: written to {write_key}")
            else:
                _tell(f"API key: {key}")

        async def serve() -> None:
            stop = _stopped_by_signals()
            await bootstrap.serve(
                settings,
                folder,
                listener,
                introduce=introduce,
                announce=lambda address: _tell(f"ready: {address}"),
                stop=stop,
            )

        _run(serve())


@app.command(epilog="Example: cyberdesk-server migrate --data-dir ./data")
def migrate(data_dir: DataDir = None, config: Config = None) -> None:
    """Bring the database to the shape this version needs; `up` does it by itself."""
    _with_database(data_dir, config, _nothing)
    _tell("the database is up to date")


@app.command(epilog="Example: cyberdesk-server settings > settings.md")
def settings() -> None:
    """Print every setting with its environment variable, unit, default and meaning."""
    from cyberdesk_server.settings import settings_table

    sys.stdout.write(settings_table())


def main() -> None:
    """The entry point of the program."""
    app()


async def _nothing(_: Any) -> None:
    return


def _tell(line: str) -> None:
    """A line for whoever started the program, or for the script that reads it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
