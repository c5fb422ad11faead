"""Files of X cookies (Xau, "X Authority"): what lets a client in to a display."""

from __future__ import annotations

import secrets
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

_ANY_HOST = 0xFFFF
_THIS_HOST = 0x0100
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
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(_record(_ANY_HOST, b"", b"", secrets.token_bytes(16)))


def name_display(path: Path, number: str) -> None:
    """Add the secret for this host and display too: not every X library reads an entry for any host."""
    cookie = cookie_in(path)
    if cookie is None:
        raise ValueError(f"{path} holds no cookie")
    with path.open("ab") as file:
        file.write(_record(_THIS_HOST, socket.gethostname().encode(), number.encode(), cookie.data))


def _record(family: int, address: bytes, number: bytes, secret: bytes) -> bytes:
    fields = (address, number, _PROTOCOL, secret)
    return struct.pack(">H", family) + b"".join(struct.pack(">H", len(part)) + part for part in fields)


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
