"""How much one side accepts from the other before it says no."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one connection; the defaults suit every published driver.

    A published driver answers a 100 MB file read with about 134 MB of base64, so bodies need room.
    """

    max_message_bytes: int = 150 * 1024 * 1024
    """The longest body of one message, all binary frames together."""
    max_outstanding_requests: int = 64
    """Requests that wait for an answer at the same time."""
    max_headers: int = 64
    max_header_bytes: int = 8 * 1024
    """Names and values of one message together."""
    max_meta_bytes: int = 64 * 1024
    """The JSON text that opens a message, in UTF-8."""
