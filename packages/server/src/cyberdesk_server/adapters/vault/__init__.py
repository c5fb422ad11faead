"""Secrets at rest: sealed in the database, or kept elsewhere."""

from cyberdesk_server.adapters.vault.asking import VaultServer
from cyberdesk_server.adapters.vault.basis_theory import BasisTheoryKeeper
from cyberdesk_server.adapters.vault.envelope import EnvelopeVault, MasterKey
from cyberdesk_server.adapters.vault.hashicorp import AppRole, HashiCorpKeeper, Token
from cyberdesk_server.adapters.vault.outside import KeptOutside

__all__ = [
    "AppRole",
    "BasisTheoryKeeper",
    "EnvelopeVault",
    "HashiCorpKeeper",
    "KeptOutside",
    "MasterKey",
    "Token",
    "VaultServer",
]
