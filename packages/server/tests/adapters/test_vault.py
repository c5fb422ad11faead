"""Secrets at rest: they open for whom they were sealed, and for nobody else."""

from uuid import UUID, uuid4

import pytest
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.ports import SecretContext, SecretUnreadable
from hypothesis import given
from hypothesis import strategies as st

CONTEXT = SecretContext(OrganizationId("org_1"), SecretId(UUID(int=1)))


@pytest.fixture(scope="module")
def vault() -> EnvelopeVault:
    return EnvelopeVault(MasterKey(b"m" * 32))


@given(plaintext=st.text(st.characters()))
async def test_what_was_sealed_opens(vault: EnvelopeVault, plaintext: str) -> None:
    assert await vault.open(await vault.seal(plaintext, CONTEXT), CONTEXT) == plaintext


async def test_a_sealed_secret_shows_nothing(vault: EnvelopeVault) -> None:
    first, second = await vault.seal("hunter2", CONTEXT), await vault.seal("hunter2", CONTEXT)

    assert b"hunter2" not in first
    assert first != second


@pytest.mark.parametrize(
    "context",
    [
        SecretContext(OrganizationId("org_2"), CONTEXT.secret_id),
        SecretContext(CONTEXT.organization_id, SecretId(uuid4())),
    ],
)
async def test_a_secret_opens_in_its_own_context_only(vault: EnvelopeVault, context: SecretContext) -> None:
    sealed = await vault.seal("hunter2", CONTEXT)

    with pytest.raises(SecretUnreadable, match="context"):
        await vault.open(sealed, context)


async def test_another_master_key_opens_nothing(vault: EnvelopeVault) -> None:
    sealed = await vault.seal("hunter2", CONTEXT)

    with pytest.raises(SecretUnreadable, match="another master key"):
        await EnvelopeVault(MasterKey(b"o" * 32)).open(sealed, CONTEXT)


@given(data=st.data())
async def test_an_altered_secret_does_not_open(vault: EnvelopeVault, data: st.DataObject) -> None:
    sealed = bytearray(await vault.seal("hunter2", CONTEXT))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))

    with pytest.raises(SecretUnreadable):
        await vault.open(bytes(sealed), CONTEXT)


@given(sealed=st.binary())
async def test_noise_does_not_open(vault: EnvelopeVault, sealed: bytes) -> None:
    with pytest.raises(SecretUnreadable):
        await vault.open(sealed, CONTEXT)


def test_a_master_key_shows_itself_to_nobody() -> None:
    assert "mmm" not in repr(MasterKey(b"m" * 32))
    with pytest.raises(ValueError, match="32 bytes"):
        MasterKey(b"short")


def test_keys_for_other_purposes_are_the_same_wherever_the_master_key_is_and_tell_nothing_of_it() -> None:
    master = MasterKey(b"m" * 32)

    keys = {master.key_for("links"), master.key_for("other"), MasterKey(b"n" * 32).key_for("links")}

    assert master.key_for("links") == MasterKey(b"m" * 32).key_for("links")
    assert len(keys) == 3
    assert master.value not in keys
    assert {len(key) for key in keys} == {32}
