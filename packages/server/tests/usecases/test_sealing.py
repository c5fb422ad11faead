"""Secrets are sealed as JSON text, each under its own id."""

from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.ports import SecretContext
from cyberdesk_server.usecases.sealing import aliases, seal

ORGANIZATION = OrganizationId("org_1")


async def test_what_is_sealed_opens_as_the_json_of_the_value() -> None:
    vault = EnvelopeVault(MasterKey(bytes(32)))

    sealed = await seal(vault, ORGANIZATION, {"a": "ł", "b": {"c": [1]}})

    opened = {
        name: await vault.open(content, SecretContext(ORGANIZATION, secret_id))
        for name, (secret_id, content) in sealed.items()
    }
    assert opened == {"a": '"ł"', "b": '{"c": [1]}'}
    assert aliases(sealed) == {name: f"secret_{secret_id}" for name, (secret_id, _) in sealed.items()}
