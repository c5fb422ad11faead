"""What the commands share: where the server's things are, and how a command ends."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from cyberdesk_server.store.database import Database

T = TypeVar("T")

BAD_INPUT_EXIT_CODE = 2

DataDir = Annotated[
    Path | None, typer.Option(help="Folder of everything the server keeps.", show_default=False)
]
Config = Annotated[Path | None, typer.Option(help="TOML file with settings.", show_default=False)]


def with_database(
    data_dir: Path | None, config: Path | None, work: Callable[["Database"], Coroutine[Any, Any, T]]
) -> T:
    """What `work` answers for the migrated database of these settings."""

    async def opened() -> T:
        database = await bootstrap.open_database(settings)
        try:
            return await work(database)
        finally:
            await database.close()

    with one_line_errors():
        from cyberdesk_server import bootstrap, logs
        from cyberdesk_server.settings import load_settings

        settings = load_settings(config=config, data_dir=data_dir)
        logs.configure(settings.log_format, "warning")
        bootstrap.make_data_dir(settings)
        return asyncio.run(opened())


@contextmanager
def one_line_errors() -> Iterator[None]:
    """What the operator can put right ends the program with one line and no traceback."""
    from cyberdesk_server.adapters.data_folder import DataFolderUnusable
    from cyberdesk_server.bootstrap import CannotStart
    from cyberdesk_server.settings import BadSetting
    from cyberdesk_server.usecases.keys import NoOrganization, UnknownOrganization

    try:
        yield
    except (BadSetting, DataFolderUnusable, CannotStart, NoOrganization, UnknownOrganization) as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None


def fail(line: str) -> NoReturn:
    sys.stderr.write(f"cyberdesk-server: {line}\n")
    raise SystemExit(BAD_INPUT_EXIT_CODE)


def tell(line: str) -> None:
    """A line for whoever started the program, or for the script that reads it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
