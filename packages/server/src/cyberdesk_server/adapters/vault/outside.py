"""Secrets that are kept outside of the database: it has their places, and a keeper has what is there.

What was sealed by the server itself before it got a keeper goes on opening.
"""

import base64
import binascii
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from cyberdesk_server.adapters.vault.envelope import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.sealed import ENVELOPE
from cyberdesk_server.ports import Clock, SecretContext, SecretUnreadable

REMEMBERED = timedelta(seconds=30)
"""How long a secret that was fetched is not fetched again. Each turn of a run looks for it in texts."""

MOST_REMEMBERED = 1000


class Keeper(Protocol):
    """Another's store of secrets. Each call raises `VaultUnavailable` when it was not done for sure."""

    kind: bytes
    """The first byte of its places."""

    @property
    def name(self) -> str:
        """As operators know it."""
        ...

    async def put(self, organization_id: OrganizationId, secret_id: UUID, text: str) -> None: ...

    async def get(self, organization_id: OrganizationId, secret_id: UUID) -> str | None:
        """The text; None when the organization has none of this id."""
        ...

    async def delete(self, organization_id: OrganizationId, secret_id: UUID) -> None:
        """Remove it and all traces; a missing one is no error."""
        ...

    async def close(self) -> None: ...


class KeptOutside:
    """A `ports.OutsideVault`.

    What was fetched is remembered for a moment, sealed with a key that never leaves this process's memory.
    """

    def __init__(self, keeper: Keeper, envelope: EnvelopeVault, clock: Clock) -> None:
        self._keeper = keeper
        self._envelope = envelope
        self._clock = clock
        self._memory = EnvelopeVault(MasterKey(secrets.token_bytes(32)))
        self._remembered: OrderedDict[tuple[OrganizationId, bytes], tuple[datetime, bytes]] = OrderedDict()

    async def seal(self, plaintext: str, context: SecretContext) -> bytes:
        return await self._envelope.seal(plaintext, context)

    async def open(self, sealed: bytes, context: SecretContext) -> str:
        if sealed[:1] == ENVELOPE:
            return await self._envelope.open(sealed, context)
        secret_id = self._id_at(sealed)
        which = context.organization_id, sealed
        if which in self._remembered:
            at, remembered = self._remembered[which]
            if self._clock.now() - at < REMEMBERED:
                return await self._memory.open(remembered, context)
        plaintext = await self._keeper.get(context.organization_id, secret_id)
        if plaintext is None:
            raise SecretUnreadable(f"the secret is not in {self._keeper.name} any more")
        self._remembered[which] = self._clock.now(), await self._memory.seal(plaintext, context)
        self._remembered.move_to_end(which)
        if len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return plaintext

    def new_place(self) -> bytes:
        return self._keeper.kind + uuid4().bytes

    async def keep(self, place: bytes, plaintext: str, organization_id: OrganizationId) -> None:
        await self._keeper.put(organization_id, self._id_at(place), plaintext)

    async def discard(self, place: bytes, organization_id: OrganizationId) -> None:
        self._remembered.pop((organization_id, place), None)
        await self._keeper.delete(organization_id, self._id_at(place))

    async def close(self) -> None:
        await self._keeper.close()

    def _id_at(self, place: bytes) -> UUID:
        kind, secret_id = place[:1], place[1:]
        if kind != self._keeper.kind or len(secret_id) != 16:
            raise SecretUnreadable(f"the secret is kept elsewhere than in {self._keeper.name}")
        return UUID(bytes=secret_id)


class Undecodable(ValueError):
    """This is nothing `encoded` makes."""


def encoded(text: str) -> str:
    """The text in base64: a password may hold what JSON of others does not carry unchanged."""
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


def decoded(value: Any) -> str:
    """What was `encoded`. Raises `Undecodable`."""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "surrogatepass")
    except (TypeError, binascii.Error, ValueError):
        raise Undecodable from None
