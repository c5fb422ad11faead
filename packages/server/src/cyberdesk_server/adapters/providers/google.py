"""The assertion by which a Google service account asks for an access token: a JWT signed with RS256."""

import base64
import json
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cyberdesk_server.domain.provider_credentials import ServiceAccount

AUDIENCE = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
LIFE_SECONDS = 300


class UnusableKey(ValueError):
    """The private key of the service account is none, or not of a kind that Google gives out."""


def assertion(account: ServiceAccount, now: datetime) -> str:
    """The signed assertion. Raises `UnusableKey`."""
    issued_at = int(now.timestamp())
    claims: dict[str, str | int] = {
        "iss": account.client_email,
        "scope": SCOPE,
        "aud": AUDIENCE,
        "iat": issued_at,
        "exp": issued_at + LIFE_SECONDS,
    }
    signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    return f"{signed}.{_base64(_key(account).sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _key(account: ServiceAccount) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(account.private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Without the cause: its text may quote the key.
        raise UnusableKey("the private key of the service account cannot be read") from None
    if not isinstance(key, RSAPrivateKey):
        raise UnusableKey("the private key of the service account is not an RSA key")
    return key


def _part(value: dict[str, str | int]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
