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
import re
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar
from uuid import UUID

import typer

from cyberdesk_server.domain.organizations import KeyScope

if TYPE_CHECKING:
    from cyberdesk_server.adapters.vault import MasterKey
    from cyberdesk_server.domain.audit import Broken, Head
    from cyberdesk_server.domain.ids import OrganizationId
    from cyberdesk_server.domain.organizations import ApiKey, Organization
    from cyberdesk_server.store.database import Database
    from cyberdesk_server.usecases.keys import NewKey
    from cyberdesk_server.usecases.rewrapping import Rewrapped

# The parts of the server are imported by the commands that need them: `--help` answers at once.

T = TypeVar("T")

BAD_INPUT_EXIT_CODE = 2
BROKEN_EXIT_CODE = 1

app = typer.Typer(
    name="cyberdesk-server",
    help="The Cyberdesk server: API, tunnels of the desktops, and the worker that carries runs out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _group(name: str, explained: str) -> typer.Typer:
    group = typer.Typer(help=explained, no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(group, name=name)
    return group


organizations_app = _group("organizations", "Create and list organizations.")
keys_app = _group("keys", "Create, list, rotate and revoke API keys.")
audit_app = _group("audit", "Verify the log of who did what.")

DataDir = Annotated[
    Path | None, typer.Option(help="Folder of everything the server keeps.", show_default=False)
]
Config = Annotated[Path | None, typer.Option(help="TOML file with settings.", show_default=False)]
OfOrganization = Annotated[
    str | None,
    typer.Option("--organization", help="Id, as `organizations list` shows it.", show_default=False),
]
KeyId = Annotated[UUID, typer.Argument(help="Id of the key, as `keys list` shows it.")]


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


@organizations_app.command(
    "create", epilog="Example: cyberdesk-server organizations create --name clinic --data-dir ./data"
)
def create_organization(
    name: Annotated[str, typer.Option(help="What people call it.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make an organization and print its id; `keys create` makes its first key. The server may be running."""

    async def create(database: "Database") -> str:
        from cyberdesk_server.usecases import organizations

        made = await organizations.create_organization(database, name=name, now=datetime.now(UTC))
        return made.id

    _tell(_with_database(data_dir, config, create))


@organizations_app.command("list", epilog="Example: cyberdesk-server organizations list --data-dir ./data")
def list_organizations(data_dir: DataDir = None, config: Config = None) -> None:
    """List all organizations by id, day of making, and name."""

    async def list_(database: "Database") -> Sequence["Organization"]:
        from cyberdesk_server.usecases import organizations

        return await organizations.list_organizations(database)

    for organization in _with_database(data_dir, config, list_):
        _tell(f"{organization.id}  made {organization.created_at:%Y-%m-%d}  {organization.name}")


@keys_app.command(
    "create",
    epilog="Example: cyberdesk-server keys create --name reports --scope read --expires-in-days 90",
)
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Annotated[KeyScope, typer.Option(help="What it may do.")] = KeyScope.MANAGE,
    expires_in_days: Annotated[
        int | None, typer.Option(min=1, max=36500, help="From then on it opens nothing.", show_default=False)
    ] = None,
    organization: OfOrganization = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make another API key, of the oldest organization unless told, and print it once.

    The server may be running.
    """

    async def create(database: "Database") -> "NewKey":
        from cyberdesk_server.usecases import keys

        return await keys.create_key(
            database,
            name=name,
            scope=scope,
            life=None if expires_in_days is None else timedelta(days=expires_in_days),
            organization_id=_organization_id(organization),
            now=datetime.now(UTC),
        )

    _tell(f"API key: {_with_database(data_dir, config, create).key}")


@keys_app.command("list", epilog="Example: cyberdesk-server keys list --data-dir ./data")
def list_keys(organization: OfOrganization = None, data_dir: DataDir = None, config: Config = None) -> None:
    """List API keys: id, last characters, organization, scope, days of making and last use, state, name."""

    async def list_(database: "Database") -> Sequence["ApiKey"]:
        from cyberdesk_server.usecases import keys

        return await keys.list_keys(database, _organization_id(organization))

    now = datetime.now(UTC)
    for key in _with_database(data_dir, config, list_):
        used = f"used {key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never used"
        told = (
            *(key.id, f"…{key.hint}", key.organization_id, key.scope, f"made {key.created_at:%Y-%m-%d}"),
            *(used, _state(key, now), key.name),
        )
        _tell("  ".join(map(str, told)))


@keys_app.command(
    "rotate",
    epilog="Example: cyberdesk-server keys rotate 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55 --overlap-hours 48",
)
def rotate_key(
    key_id: KeyId,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=24 * 365, help="How long the old key works beside the new one.")
    ] = 24,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make a key like this one and print it once; the old one expires after the overlap."""

    async def rotate(database: "Database") -> "NewKey | None":
        from cyberdesk_server.domain.ids import ApiKeyId
        from cyberdesk_server.usecases import keys

        overlap = timedelta(hours=overlap_hours)
        return await keys.rotate_key(database, ApiKeyId(key_id), overlap=overlap, now=datetime.now(UTC))

    made = _with_database(data_dir, config, rotate)
    if made is None:
        _fail(f"there is no valid key {key_id}")
    _tell(f"API key: {made.key}")


@keys_app.command(
    "revoke",
    epilog="Example: cyberdesk-server keys revoke 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55 --data-dir ./data",
)
def revoke_key(key_id: KeyId, data_dir: DataDir = None, config: Config = None) -> None:
    """Revoke an API key: in two seconds it opens nothing, and machines that joined with it are cut off."""

    async def revoke(database: "Database") -> bool:
        from cyberdesk_server.domain.ids import ApiKeyId
        from cyberdesk_server.usecases import keys

        return await keys.revoke_key(database, ApiKeyId(key_id), now=datetime.now(UTC))

    if not _with_database(data_dir, config, revoke):
        _fail(f"there is no valid key {key_id}")
    _tell("revoked")


@audit_app.command(
    "verify",
    epilog="Example: cyberdesk-server audit verify --expect ORGANIZATION:NUMBER:HASH",
)
def verify_audit_log(
    expect: Annotated[
        list[str] | None,
        typer.Option(
            help="A head that this command printed before: it must still be there.", show_default=False
        ),
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Check that the audit log of every organization is what was written; print the head of each.

    Exit code 1, and the first entry that is not, when one is broken. A head noted elsewhere also shows that
    nothing was cut off the end and that not all of it was written anew.
    """
    from cyberdesk_server.domain.audit import Broken

    expected = dict(map(_noted_head, expect or ()))

    async def verify(database: "Database") -> "dict[str, Head | Broken]":
        from cyberdesk_server.usecases import organizations
        from cyberdesk_server.usecases.audit_log import verify_chain

        found = [organization.id for organization in await organizations.list_organizations(database)]
        return {id_: await verify_chain(database, id_, expected.get(id_)) for id_ in found}

    verdicts = _with_database(data_dir, config, verify)
    for organization_id in expected.keys() - verdicts.keys():  # before anything is said to hold
        _fail(f"--expect: there is no organization {organization_id}")
    broken = {id_: verdict for id_, verdict in verdicts.items() if isinstance(verdict, Broken)}
    for id_, verdict in verdicts.items():
        _tell(f"{id_}:{verdict}")
    if broken:
        raise SystemExit(BROKEN_EXIT_CODE)


@app.command(epilog="Example: cyberdesk-server rotate-master-key --data-dir ./data")
def rotate_master_key(data_dir: DataDir = None, config: Config = None) -> None:
    """Seal everything with a new master key. It may be broken off at any time and done again.

    Without the setting `master_key` the key in the data folder is replaced: the server must not be running.
    With it, secrets that one of `other_master_keys` opens are sealed with `master_key`; servers that know
    both may be running.
    """
    with _one_line_errors():
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

    done = _with_database(data_dir, config, rewrap)
    if done.unreadable:
        _fail(f"{done.unreadable} secrets need a key that is not known; {done.changed} others were changed")
    _tell(f"{done.changed} secrets were sealed with the new key")


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


def _organization_id(text: str | None) -> "OrganizationId | None":
    from cyberdesk_server.domain.ids import OrganizationId

    return None if text is None else OrganizationId(text)


def _state(key: "ApiKey", now: datetime) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at:
        return f"{'valid until' if key.is_valid(now) else 'expired'} {key.expires_at:%Y-%m-%d}"
    return "valid"


def _noted_head(text: str) -> tuple[str, "Head"]:
    from cyberdesk_server.domain.audit import Head

    match = re.fullmatch(r"(\w+):(\d{1,18}):([0-9a-f]{64})", text, re.ASCII)
    if match is None:
        _fail(f"--expect {text}: must be what `audit verify` printed, ORGANIZATION:NUMBER:HASH")
    return match[1], Head(int(match[2]), match[3])


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
    from cyberdesk_server.usecases.keys import NoOrganization, UnknownOrganization

    try:
        yield
    except (BadSetting, DataFolderUnusable, CannotStart, NoOrganization, UnknownOrganization) as error:
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
