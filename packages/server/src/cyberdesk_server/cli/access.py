"""`cyberdesk-server organizations`, `keys` and `audit`: who may do what, and who did."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from cyberdesk_server.cli._common import Config, DataDir, fail, tell, with_database
from cyberdesk_server.domain.organizations import KeyScope

if TYPE_CHECKING:
    from cyberdesk_server.domain.audit import Broken, Head
    from cyberdesk_server.domain.ids import OrganizationId
    from cyberdesk_server.domain.organizations import ApiKey, Organization
    from cyberdesk_server.store.database import Database
    from cyberdesk_server.usecases.keys import NewKey

BROKEN_EXIT_CODE = 1


def _group(explained: str) -> typer.Typer:
    return typer.Typer(help=explained, no_args_is_help=True, rich_markup_mode=None)


organizations = _group("Create and list organizations.")
keys = _group("Create, list, rotate and revoke API keys.")
audit = _group("Verify the log of who did what.")

OfOrganization = Annotated[
    str | None,
    typer.Option("--organization", help="Id, as `organizations list` shows it.", show_default=False),
]
KeyId = Annotated[UUID, typer.Argument(help="Id of the key, as `keys list` shows it.")]


@organizations.command(
    "create", epilog="Example: cyberdesk-server organizations create --name clinic --data-dir ./data"
)
def create_organization(
    name: Annotated[str, typer.Option(help="What people call it.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make an organization and print its id; `keys create` makes its first key. The server may be running."""

    async def create(database: "Database") -> str:
        from cyberdesk_server.usecases import organizations as usecases

        made = await usecases.create_organization(database, name=name, now=datetime.now(UTC))
        return made.id

    tell(with_database(data_dir, config, create))


@organizations.command("list", epilog="Example: cyberdesk-server organizations list --data-dir ./data")
def list_organizations(data_dir: DataDir = None, config: Config = None) -> None:
    """List all organizations by id, day of making, and name."""

    async def list_(database: "Database") -> Sequence["Organization"]:
        from cyberdesk_server.usecases import organizations as usecases

        return await usecases.list_organizations(database)

    for organization in with_database(data_dir, config, list_):
        tell(f"{organization.id}  made {organization.created_at:%Y-%m-%d}  {organization.name}")


@keys.command(
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
        from cyberdesk_server.usecases import keys as usecases

        return await usecases.create_key(
            database,
            name=name,
            scope=scope,
            life=None if expires_in_days is None else timedelta(days=expires_in_days),
            organization_id=_organization_id(organization),
            now=datetime.now(UTC),
        )

    tell(f"API key: {with_database(data_dir, config, create).key}")


@keys.command("list", epilog="Example: cyberdesk-server keys list --data-dir ./data")
def list_keys(organization: OfOrganization = None, data_dir: DataDir = None, config: Config = None) -> None:
    """List API keys: id, last characters, organization, scope, days of making and last use, state, name."""

    async def list_(database: "Database") -> Sequence["ApiKey"]:
        from cyberdesk_server.usecases import keys as usecases

        return await usecases.list_keys(database, _organization_id(organization))

    now = datetime.now(UTC)
    for key in with_database(data_dir, config, list_):
        used = f"used {key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never used"
        told = (
            *(key.id, f"…{key.hint}", key.organization_id, key.scope, f"made {key.created_at:%Y-%m-%d}"),
            *(used, _state(key, now), key.name),
        )
        tell("  ".join(map(str, told)))


@keys.command(
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
        from cyberdesk_server.usecases import keys as usecases

        overlap = timedelta(hours=overlap_hours)
        return await usecases.rotate_key(database, ApiKeyId(key_id), overlap=overlap, now=datetime.now(UTC))

    made = with_database(data_dir, config, rotate)
    if made is None:
        fail(f"there is no valid key {key_id}")
    tell(f"API key: {made.key}")


@keys.command(
    "revoke",
    epilog="Example: cyberdesk-server keys revoke 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55 --data-dir ./data",
)
def revoke_key(key_id: KeyId, data_dir: DataDir = None, config: Config = None) -> None:
    """Revoke an API key: in two seconds it opens nothing, and machines that joined with it are cut off."""

    async def revoke(database: "Database") -> bool:
        from cyberdesk_server.domain.ids import ApiKeyId
        from cyberdesk_server.usecases import keys as usecases

        return await usecases.revoke_key(database, ApiKeyId(key_id), now=datetime.now(UTC))

    if not with_database(data_dir, config, revoke):
        fail(f"there is no valid key {key_id}")
    tell("revoked")


@audit.command(
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
        from cyberdesk_server.usecases import organizations as usecases
        from cyberdesk_server.usecases.audit_log import verify_chain

        found = [organization.id for organization in await usecases.list_organizations(database)]
        return {id_: await verify_chain(database, id_, expected.get(id_)) for id_ in found}

    verdicts = with_database(data_dir, config, verify)
    for organization_id in expected.keys() - verdicts.keys():  # before anything is said to hold
        fail(f"--expect: there is no organization {organization_id}")
    broken = {id_: verdict for id_, verdict in verdicts.items() if isinstance(verdict, Broken)}
    for id_, verdict in verdicts.items():
        tell(f"{id_}:{verdict}")
    if broken:
        raise SystemExit(BROKEN_EXIT_CODE)


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
        fail(f"--expect {text}: must be what `audit verify` printed, ORGANIZATION:NUMBER:HASH")
    return match[1], Head(int(match[2]), match[3])
