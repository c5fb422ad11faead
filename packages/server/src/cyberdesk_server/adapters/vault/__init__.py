"""Secrets at rest."""

from cyberdesk_server.adapters.vault.envelope import EnvelopeVault, MasterKey

__all__ = ["EnvelopeVault", "MasterKey"]
