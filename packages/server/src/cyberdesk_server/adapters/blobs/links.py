"""Links that anybody may read one blob by, until they expire.

    {public_url}/v1/blobs/{key}?expires={unix seconds}&signature={hex}

The signature is an HMAC-SHA256 over expiry and key: neither can be changed, and nothing is stored per link.
"""

import hmac
from urllib.parse import quote, urlencode

from cyberdesk_server.ports import Clock


class SignedLinks:
    """Makes and checks links with one signing key, the same at every server of one database."""

    def __init__(self, signing_key: bytes, *, public_url: str, clock: Clock) -> None:
        """`public_url` is the address callers reach the server by, without a final slash."""
        self._signing_key = signing_key
        self._public_url = public_url
        self._clock = clock

    def url(self, key: str, *, expires_in_seconds: int) -> str:
        expires = int(self._clock.now().timestamp()) + expires_in_seconds
        query = urlencode({"expires": expires, "signature": self._signature(key, expires)})
        return f"{self._public_url}/v1/blobs/{quote(key)}?{query}"

    def is_valid(self, key: str, *, expires: int, signature: str) -> bool:
        """True when this server signed exactly this key and expiry, and the time is not up."""
        is_ours = hmac.compare_digest(self._signature(key, expires).encode(), signature.encode())
        return is_ours and self._clock.now().timestamp() < expires

    def _signature(self, key: str, expires: int) -> str:
        return hmac.digest(self._signing_key, f"{expires}\n{key}".encode(), "sha256").hex()
