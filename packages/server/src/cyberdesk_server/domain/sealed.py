"""What the database keeps of a secret: the secret itself, sealed, or only its place in a vault elsewhere.

The first byte tells which. What is sealed is gone with its row; what is elsewhere is to be deleted there too.
"""

ENVELOPE = b"\x01"
"""The first byte of a secret that the server sealed itself."""

HASHICORP = b"\x02"
"""The first byte of a place in HashiCorp Vault or OpenBao."""

BASIS_THEORY = b"\x03"
"""The first byte of a place in Basis Theory."""


def is_elsewhere(sealed: bytes) -> bool:
    """True when the bytes name a place outside of the database, and hold no secret."""
    return sealed[:1] in (HASHICORP, BASIS_THEORY)
