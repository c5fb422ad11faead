"""Secrets sealed with AES-256-GCM in two layers.

A sealed secret is

    version (1 byte) | master key id (8) | nonce (12) | wrapped data key (48) | nonce (12) | ciphertext, tag

Each secret has a data key of its own, and the master key only wraps data keys: changing the master key
rewrites 68 bytes of each row and never shows a plaintext. Both layers are bound to the secret's context, so
that a row copied to another organization or another secret does not open.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cyberdesk_server.ports import SecretContext, SecretUnreadable

_VERSION = b"\x01"
_KEY_BYTES = 32
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_TAG_BYTES = 16
_WRAPPED_BYTES = _KEY_BYTES + _TAG_BYTES
_HEAD_BYTES = len(_VERSION) + _KEY_ID_BYTES + 2 * _NONCE_BYTES + _WRAPPED_BYTES


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
    """A `ports.Vault` with one master key."""

    def __init__(self, master_key: MasterKey) -> None:
        self._key_id = master_key.id
        self._wrapping = AESGCM(master_key.value)

    async def seal(self, plaintext: str, context: SecretContext) -> bytes:
        associated = _associated_data(context)
        data_key = AESGCM.generate_key(8 * _KEY_BYTES)
        wrap_nonce, nonce = secrets.token_bytes(_NONCE_BYTES), secrets.token_bytes(_NONCE_BYTES)
        wrapped = self._wrapping.encrypt(wrap_nonce, data_key, associated)
        # "surrogatepass": a password is whatever the caller sent, and it is typed as it came.
        ciphertext = AESGCM(data_key).encrypt(nonce, plaintext.encode("utf-8", "surrogatepass"), associated)
        return b"".join((_VERSION, self._key_id, wrap_nonce, wrapped, nonce, ciphertext))

    async def open(self, sealed: bytes, context: SecretContext) -> str:
        if len(sealed) < _HEAD_BYTES + _TAG_BYTES or sealed[:1] != _VERSION:
            raise SecretUnreadable("this is not a sealed secret of this vault")
        rest = memoryview(sealed)[len(_VERSION) :]
        key_id, rest = rest[:_KEY_ID_BYTES], rest[_KEY_ID_BYTES:]
        wrap_nonce, rest = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        wrapped, rest = rest[:_WRAPPED_BYTES], rest[_WRAPPED_BYTES:]
        nonce, ciphertext = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        if key_id != self._key_id:
            raise SecretUnreadable("the secret was sealed with another master key")
        associated = _associated_data(context)
        try:
            data_key = self._wrapping.decrypt(wrap_nonce, wrapped, associated)
            plaintext = AESGCM(data_key).decrypt(nonce, ciphertext, associated)
        except InvalidTag as error:
            raise SecretUnreadable("the secret was altered or belongs to another context") from error
        return plaintext.decode("utf-8", "surrogatepass")


def _associated_data(context: SecretContext) -> bytes:
    # The length in front keeps organization and secret apart, whatever an organization id looks like.
    organization = context.organization_id.encode()
    return b"cyberdesk secret\0" + len(organization).to_bytes(4) + organization + context.secret_id.bytes
