"""Organizations: the first start, and the `organizations` command. Each is a transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.organizations import KeyScope, Organization
from cyberdesk_server.store import organizations
from cyberdesk_server.store.database import Database
from cyberdesk_server.usecases.keys import add_key


async def first_start(database: Database, *, now: datetime) -> str | None:
    """At the very first start an organization and its first key, which is answered; later None."""
    async with database.transaction() as conn:
        await organizations.one_at_a_time(conn)
        if await organizations.find(conn):
            return None
        organization = _named("default", now)
        await organizations.add(conn, organization)
        made = await add_key(conn, organization.id, name="first key", scope=KeyScope.MANAGE, now=now)
        return made.key


async def create_organization(database: Database, *, name: str, now: datetime) -> Organization:
    """A new organization, which has nothing yet and no key."""
    organization = _named(name, now)
    async with database.transaction() as conn:
        await organizations.add(conn, organization)
    return organization


async def list_organizations(database: Database) -> Sequence[Organization]:
    """All of them, oldest first."""
    async with database.read() as conn:
        return await organizations.find(conn)


def _named(name: str, now: datetime) -> Organization:
    return Organization(OrganizationId(f"org_{uuid4().hex}"), name, now)
