"""Which server: what a user may write, and the WebSocket address it means.

https://cyberdesk.example        wss://cyberdesk.example/tunnel/ws
cyberdesk.example:8443           wss://cyberdesk.example:8443/tunnel/ws
https://example.org/cyberdesk    wss://example.org/cyberdesk/tunnel/ws
http://localhost:8080            ws://localhost:8080/tunnel/ws
http://elsewhere:8080            refused, unless insecure addresses are allowed:
                                 the API key would travel in clear
"""

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from cyberdriver.errors import SettingsError

TUNNEL_PATH = "/tunnel/ws"
_IS_SECURE = {"https": True, "wss": True, "http": False, "ws": False}


@dataclass(frozen=True, slots=True)
class Address:
    """A server's tunnel."""

    host: str
    port: int | None
    path: str
    is_secure: bool

    @property
    def uri(self) -> str:
        """The address of the tunnel's WebSocket."""
        return f"{'wss' if self.is_secure else 'ws'}://{self._authority}{self.path}"

    @property
    def is_loopback(self) -> bool:
        """Whether the server is this very host."""
        return _is_loopback(self.host)

    def __str__(self) -> str:
        path = self.path.removesuffix(TUNNEL_PATH)
        return f"{'https' if self.is_secure else 'http'}://{self._authority}{path}"

    @property
    def _authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def parse_address(text: str, *, allow_insecure: bool = False) -> Address:
    """The server meant by this text. Raises `SettingsError` naming what is wrong with it."""
    parts = _split(text.strip())
    is_secure = _IS_SECURE.get(parts.scheme.lower())
    if is_secure is None:
        raise SettingsError(f"--server {text}: must begin with https:// (or http:// on this host)")
    if parts.username or parts.password:
        raise SettingsError("--server: must not hold a user or a password")
    if parts.query or parts.fragment:
        raise SettingsError(f"--server {text}: must not hold a query or a fragment")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SettingsError(f"--server {text}: the port must be a number up to 65535") from None
    if not host or any(character.isspace() for character in text.strip()):
        raise SettingsError(f"--server {text}: names no host")
    path = parts.path.rstrip("/").removesuffix(TUNNEL_PATH)
    address = Address(host, port, path + TUNNEL_PATH, is_secure)
    if not is_secure and not address.is_loopback and not allow_insecure:
        raise SettingsError(
            f"--server {text}: the API key would travel in clear; use https://, or --insecure if you mean it"
        )
    return address


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text if "://" in text else f"https://{text}")
    except ValueError as error:
        raise SettingsError(f"--server {text}: {error}") from error


def _is_loopback(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
