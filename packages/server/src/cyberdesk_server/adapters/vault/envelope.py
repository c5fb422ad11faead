"""Secrets sealed with AES-256-GCM in two layers.

A sealed secret is

    kind (1 byte) | master key id (8) | nonce (12) | wrapped data key (48) | nonce (12) | ciphertext, tag

Each secret has a data key of its own, and the master key only wraps data keys: changing the master key
rewrites 68 bytes of each row and never shows a plaintext. Both layers are bound to the secret's context, so
that a row copied to another organization or another secret does not open.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cyberdesk_server.domain.sealed import ENVELOPE, is_elsewhere
from cyberdesk_server.ports import SecretContext, SecretUnreadable

_KEY_BYTES = 32
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_TAG_BYTES = 16
_WRAPPED_BYTES = _KEY_BYTES + _TAG_BYTES
_HEAD_BYTES = len(ENVELOPE) + _KEY_ID_BYTES + 2 * _NONCE_BYTES + _WRAPPED_BYTES


@dataclass(frozen=True, slots=True)
class MasterKey:
    """32 random bytes; whoever has them and the database can read every secret."""

    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.value) != _KEY_BYTES:
            raise ValueError(f"a master key has {_KEY_BYTES} bytes, not {len(self.value)}")

    @property
    def id(self) -> bytes:
        """Names the key without telling anything about it."""
        return hashlib.sha256(b"cyberdesk master key id\0" + self.value).digest()[:_KEY_ID_BYTES]

    def key_for(self, purpose: str) -> bytes:
        """Another key of 32 bytes, the same wherever this one is used; it tells nothing about this one."""
        return hmac.digest(self.value, f"cyberdesk {purpose}".encode(), "sha256")


class EnvelopeVault:
    """A `ports.Vault` whose sealed bytes hold the secret itself."""

    def __init__(self, master_key: MasterKey, *others: MasterKey) -> None:
        """Seals with `master_key`, and opens what was sealed with it or with one of the others."""
        self._key_id = master_key.id
        self._wrapping = {key.id: AESGCM(key.value) for key in (*others, master_key)}

    async def seal(self, plaintext: str, context: SecretContext) -> bytes:
        associated = _associated_data(context)
        data_key = AESGCM.generate_key(8 * _KEY_BYTES)
        wrap_nonce, nonce = secrets.token_bytes(_NONCE_BYTES), secrets.token_bytes(_NONCE_BYTES)
        wrapped = self._wrapping[self._key_id].encrypt(wrap_nonce, data_key, associated)
        # "surrogatepass": a password is whatever the caller sent, and it is typed as it came.
        ciphertext = AESGCM(data_key).encrypt(nonce, plaintext.encode("utf-8", "surrogatepass"), associated)
        return b"".join((ENVELOPE, self._key_id, wrap_nonce, wrapped, nonce, ciphertext))

    async def open(self, sealed: bytes, context: SecretContext) -> str:
        parts, associated = _Parts.of(sealed), _associated_data(context)
        try:
            plaintext = AESGCM(self._data_key(parts, associated)).decrypt(
                parts.nonce, parts.ciphertext, associated
            )
        except InvalidTag as error:
            raise _altered() from error
        return plaintext.decode("utf-8", "surrogatepass")

    async def close(self) -> None:
        """Nothing is open."""

    def rewrapped(self, sealed: bytes, context: SecretContext) -> bytes:
        """The same secret under this vault's own master key; what is under it already comes back as it is.

        The secret itself is not opened. Raises `SecretUnreadable`.
        """
        parts, associated = _Parts.of(sealed), _associated_data(context)
        data_key = self._data_key(parts, associated)
        if parts.key_id == self._key_id:
            return sealed
        wrap_nonce = secrets.token_bytes(_NONCE_BYTES)
        wrapped = self._wrapping[self._key_id].encrypt(wrap_nonce, data_key, associated)
        return b"".join((ENVELOPE, self._key_id, wrap_nonce, wrapped, parts.nonce, parts.ciphertext))

    def _data_key(self, parts: "_Parts", associated: bytes) -> bytes:
        wrapping = self._wrapping.get(parts.key_id)
        if wrapping is None:
            raise SecretUnreadable("the secret was sealed with another master key")
        try:
            return wrapping.decrypt(parts.wrap_nonce, parts.wrapped, associated)
        except InvalidTag as error:
            raise _altered() from error


@dataclass(frozen=True, slots=True)
class _Parts:
    """A sealed secret, taken apart."""

    key_id: bytes
    wrap_nonce: bytes
    wrapped: bytes
    nonce: bytes
    ciphertext: bytes

    @classmethod
    def of(cls, sealed: bytes) -> "_Parts":
        if is_elsewhere(sealed):
            raise SecretUnreadable("the secret is kept in a vault that this server is not set up for")
        if len(sealed) < _HEAD_BYTES + _TAG_BYTES or sealed[:1] != ENVELOPE:
            raise SecretUnreadable("this is not a sealed secret of this vault")
        ends = accumulate((_KEY_ID_BYTES, _NONCE_BYTES, _WRAPPED_BYTES, _NONCE_BYTES), initial=len(ENVELOPE))
        key_id, wrap_nonce, wrapped, nonce = (sealed[start:end] for start, end in pairwise(ends))
        return cls(key_id, wrap_nonce, wrapped, nonce, ciphertext=sealed[_HEAD_BYTES:])


def _altered() -> SecretUnreadable:
    return SecretUnreadable("the secret was altered or belongs to another context")


def _associated_data(context: SecretContext) -> bytes:
    # The length in front keeps organization and secret apart, whatever an organization id looks like.
    organization = context.organization_id.encode()
    return b"cyberdesk secret\0" + len(organization).to_bytes(4) + organization + context.secret_id.bytes
