"""What a desktop looked like at one moment."""

from dataclasses import dataclass

from cyberdesk_server.domain.geometry import Size


@dataclass(frozen=True, slots=True)
class Screenshot:
    """One look at a desktop."""

    png: bytes
    """The whole screen as a PNG, RGB, one picture pixel for one real pixel."""

    size: Size
    """Width and height of the picture, equal to those of the desktop."""

    digest: str
    """SHA-256 of `png` in hex: equal digests mean equal screens; also the blob's name."""
