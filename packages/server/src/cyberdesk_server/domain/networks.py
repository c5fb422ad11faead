"""Which addresses callers may make the server connect to, and which URLs name such an address.

What a caller writes is only half of the check: a name says nothing about where it leads. Each address a name
resolves to is asked about again, in the moment of the connection.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL_LENGTH = 2048
MAX_HOST_LENGTH = 253

NOT_PUBLIC_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers and clouds; metadata of Alibaba is at 100.100.100.200
            "127.0.0.0/8",
            "168.63.129.16/32",  # a public address by which Azure reaches the host of a virtual machine
            "169.254.0.0/16",  # link-local; metadata of most clouds is at 169.254.169.254
            "172.16.0.0/12",
            "192.0.0.0/24",  # metadata of Oracle is at 192.0.0.192
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
PUBLIC_V6 = IPv6Network("2000::/3")
NOT_PUBLIC_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # special purposes, Teredo among them
            "2001:db8::/32",
            "2002::/16",  # 6to4: an IPv4 address in disguise
            "3fff::/20",
        ),
    )
)
V4_INSIDE_V6 = tuple(
    map(
        IPv6Network,
        (
            "::/96",
            "::ffff:0:0/96",
            "::ffff:0:0:0/96",
            "64:ff9b::/96",
        ),
    )
)
"""IPv6 addresses whose last four bytes are the IPv4 address that answers."""

ISATAP = (0x00005EFE, 0x02005EFE)
"""The third group of four bytes of an address whose last is an IPv4 address."""

HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
PRINTABLE = re.compile(r"[\x21-\x7e]+")
NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


@dataclass(frozen=True, slots=True)
class Reach:
    """What the operator lets webhooks reach beyond public addresses by HTTPS."""

    networks: Collection[Network] = ()
    allows_http: bool = False

    def includes(self, address: Address) -> bool:
        """True when the server may connect to this address."""
        behind = _behind(address)
        if any(behind in network or address in network for network in self.networks):
            return True
        if isinstance(behind, IPv4Address):
            return not any(behind in network for network in NOT_PUBLIC_V4)
        return behind in PUBLIC_V6 and not any(behind in network for network in NOT_PUBLIC_V6)

    def problem_of(self, url: str) -> str | None:
        """Why nothing can be sent to this URL, as a text behind its field's name; None if it can be tried."""
        if len(url) > MAX_URL_LENGTH or not PRINTABLE.fullmatch(url) or "\\" in url:
            return f"must be a URL of at most {MAX_URL_LENGTH} printable ASCII characters"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return "is no URL"
        if parts.scheme != "https" and not (self.allows_http and parts.scheme == "http"):
            return "must start with https://"
        if parts.username is not None or parts.password is not None or "#" in url or port == 0:
            return "must have no user, no password, no fragment and no port 0"
        return self._problem_of_host(parts)

    def _problem_of_host(self, parts: SplitResult) -> str | None:
        host = parts.hostname or ""
        address: Address | None
        if "[" in parts.netloc:
            address = _v6(host)
            if address is None:
                return "names no host"
        elif not HOST_NAME.fullmatch(host) or len(host) > MAX_HOST_LENGTH:
            return "names no host"
        else:
            address = numeric_v4(host.removesuffix("."))
        if address is not None and not self.includes(address):
            return f"leads to {address}, which is no public address"
        return None


def networks_in(text: str) -> tuple[Network, ...]:
    """The networks in a list separated by commas, such as `127.0.0.0/8, fd00::/8`. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def numeric_v4(host: str) -> IPv4Address | None:
    """The address that the operating system takes such a host for: `127.1`, `0x7f000001`, `2130706433`.

    None when it is a name.
    """
    parts = host.split(".")
    if len(parts) > 4 or not all(NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        *first, last = (_number(part) for part in parts)
    except ValueError:
        return None
    if any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    value = last + sum(number << (24 - 8 * index) for index, number in enumerate(first))
    return IPv4Address(value)


def _number(text: str) -> int:
    if text[:2] in ("0x", "0X"):
        return int(text[2:] or "0", 16)
    return int(text, 8) if text.startswith("0") else int(text)


def _v6(host: str) -> IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    is_plain = isinstance(address, IPv6Address) and address.scope_id is None
    return address if is_plain and isinstance(address, IPv6Address) else None


def _behind(address: Address) -> Address:
    """The address that answers in the end: that inside, for IPv6 addresses that carry one of IPv4."""
    if isinstance(address, IPv4Address):
        return address
    low, third = int(address) & 0xFFFFFFFF, int(address) >> 32 & 0xFFFFFFFF
    is_inside = third in ISATAP or any(address in network for network in V4_INSIDE_V6)
    return IPv4Address(low) if is_inside else address
