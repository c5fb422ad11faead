"""Who knocks: the headers a driver sends when it opens its tunnel, read once into a value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_NAME_CHARACTERS = 128
MAX_FEATURES = 32

_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_FINGERPRINT = re.compile(r"[0-9A-Za-z._:-]{1,128}")
_FEATURE = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Handshake:
    """A driver's claim about itself; only the key is proof of anything."""

    key: str = field(repr=False)
    fingerprint: str
    """Made once per installation. Together with the key's organization it names the machine."""

    version: str | None = None
    name: str | None = None
    """What its owner calls the machine."""

    hostname: str | None = None
    features: frozenset[str] = frozenset()
    """What the driver does beyond the published protocol."""

    peer_id: str | None = None
    """By what the driver is known at a relay of live views."""

    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the socket is not opened."""

    status: int
    """403 makes every published driver stop for good; 503 makes it try again."""

    detail: str


def read_handshake(headers: Mapping[str, str]) -> Handshake | Refused:
    """The handshake in these headers (names in lower case).

    Display texts that no driver sends are left out rather than refused.
    """
    scheme, _, key = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        return Refused(403, "Authorization: Bearer <API key> is missing")
    fingerprint = headers.get("x-piglet-fingerprint", "").strip()
    if not _FINGERPRINT.fullmatch(fingerprint):
        return Refused(400, "X-PIGLET-FINGERPRINT must be 1 to 128 letters, digits, or . _ : -")
    return Handshake(
        key=key.strip(),
        fingerprint=fingerprint,
        version=_display(headers, "x-piglet-version"),
        name=_display(headers, "x-cyberdriver-name"),
        hostname=_display(headers, "x-piglet-hostname"),
        features=_features(headers.get("x-cyberdriver-features", "")),
        peer_id=_display(headers, "x-cyberdriver-peer-id"),
        user_agent=_display(headers, "user-agent"),
    )


def _display(headers: Mapping[str, str], name: str) -> str | None:
    text = headers.get(name, "").strip()
    return text[:MAX_NAME_CHARACTERS] if _PRINTABLE.fullmatch(text) else None


def _features(text: str) -> frozenset[str]:
    words = [word.strip().lower() for word in text.split(",")]
    return frozenset([word for word in words if _FEATURE.fullmatch(word)][:MAX_FEATURES])
