"""Secrets that arrive with a request."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager

from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.ports import Vault
from cyberdesk_server.usecases.sealing import preparing


def sealing(parts: Parts, caller: Caller, secrets: Iterable[JsonValue]) -> AbstractAsyncContextManager[Vault]:
    """The vault for the request's transaction, each of these secrets kept where it belongs already."""
    organization_id = caller.organization_id
    return preparing(parts.database, parts.vault, organization_id, secrets, clock=parts.clock)
