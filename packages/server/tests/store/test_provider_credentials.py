"""Credentials at providers, on both databases."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.domain.provider_credentials import (
    AuthType,
    CredentialStatus,
    ProviderCredential,
    ProviderSlot,
)
from cyberdesk_server.store import provider_credentials
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, an_organization


def a_credential(organization_id: OrganizationId, slot: ProviderSlot) -> ProviderCredential:
    return ProviderCredential(
        organization_id=organization_id,
        slot=slot,
        auth_type=AuthType.API_KEY,
        display_metadata={"key_last4": "abcd"},
        status=CredentialStatus.ACTIVE,
        secret_id=SecretId(uuid4()),
        created_at=NOON,
        updated_at=NOON,
        activated_at=NOON,
    )


async def test_a_slot_holds_one_credential(database: Database) -> None:
    async with database.transaction() as conn:
        own, foreign = await an_organization(conn), await an_organization(conn, "org_foreign")
        first, second = a_credential(own, ProviderSlot.OPENAI), a_credential(own, ProviderSlot.ANTHROPIC)
        await provider_credentials.put(conn, first, b"1")
        await provider_credentials.put(conn, second, b"2")
        await provider_credentials.put(conn, a_credential(foreign, ProviderSlot.OPENAI), b"3")
        newer = replace(a_credential(own, ProviderSlot.OPENAI), last_error="e", last_validated_at=NOON)

        await provider_credentials.put(conn, newer, b"4")

        assert await provider_credentials.find(conn, own) == (second, newer)
        assert await provider_credentials.get(conn, own, ProviderSlot.OPENAI) == newer
        assert await provider_credentials.get(conn, own, ProviderSlot.GOOGLE) is None
        assert await provider_credentials.sealed(conn, own, ProviderSlot.OPENAI) == (
            AuthType.API_KEY,
            (newer.secret_id, b"4"),
        )
        assert await provider_credentials.sealed(conn, own, ProviderSlot.GOOGLE) is None


async def test_what_is_known_is_written_only_of_the_secret_that_was_checked(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        before, after = [a_credential(organization, ProviderSlot.OPENAI) for _ in range(2)]
        await provider_credentials.put(conn, after, b"after")
        refused = replace(after, status=CredentialStatus.INVALID, updated_at=NOON + timedelta(hours=1))

        assert not await provider_credentials.replace(conn, before)
        assert await provider_credentials.replace(conn, refused)
        assert await provider_credentials.get(conn, organization, ProviderSlot.OPENAI) == refused


async def test_a_credential_is_forgotten_once(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await provider_credentials.put(conn, a_credential(organization, ProviderSlot.GOOGLE), b"1")

        assert await provider_credentials.delete(conn, organization, ProviderSlot.GOOGLE)
        assert not await provider_credentials.delete(conn, organization, ProviderSlot.GOOGLE)
        assert await provider_credentials.find(conn, organization) == ()
