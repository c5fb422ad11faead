"""Asking the providers of models whether they accept a credential."""

from cyberdesk_server.adapters.providers.checks import HttpProviders, ProviderUrls

__all__ = ["HttpProviders", "ProviderUrls"]
