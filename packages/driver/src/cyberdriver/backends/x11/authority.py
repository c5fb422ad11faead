"""Files of X cookies (Xau, "X Authority"): what lets a client in to a display."""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

_ANY_HOST = 0xFFFF
_PROTOCOL = b"MIT-MAGIC-COOKIE-1"


@dataclass(frozen=True, slots=True)
class Cookie:
    """A protocol name and its secret."""

    name: bytes
    data: bytes

    def __repr__(self) -> str:
        return "Cookie(...)"


def write_new_cookie(path: Path) -> None:
    """A new secret, for every host and display number, in a new file only its owner reads."""
    fields = (b"", b"", _PROTOCOL, secrets.token_bytes(16))
    record = struct.pack(">H", _ANY_HOST) + b"".join(struct.pack(">H", len(part)) + part for part in fields)
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(record)


def cookie_in(path: Path) -> Cookie | None:
    """The first cookie of a file written by `write_new_cookie`; None when there is none."""
    try:
        record = path.read_bytes()
        offset = 2
        fields: list[bytes] = []
        for _ in range(4):
            (length,) = struct.unpack_from(">H", record, offset)
            fields.append(record[offset + 2 : offset + 2 + length])
            offset += 2 + length
    except (OSError, struct.error):
        return None
    return Cookie(fields[2], fields[3])
