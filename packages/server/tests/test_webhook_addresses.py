"""Nobody can make webhooks connect to an address that is not public, however it is spelled."""

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.adapters.webhooks import HttpCourier
from cyberdesk_server.adapters.webhooks.guard import GuardedBackend
from cyberdesk_server.domain.networks import Reach

PUBLIC = Reach(allows_http=True)

NAMES = {
    "localtest.me": ["127.0.0.1"],
    "127.0.0.1.nip.io": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "instance-data.ec2.internal": ["169.254.169.254"],
    "kubernetes.default.svc": ["10.96.0.1"],
    "ipv6.test": ["::1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "nat64.test": ["64:ff9b::7f00:1"],
    "linklocal.test": ["fe80::1%eth0"],
    "ula.test": ["fd00:ec2::254"],
    "both.test": ["93.184.216.34", "127.0.0.1"],
    "sixtofour.test": ["2002:7f00:1::1"],
}

LINES = Path(__file__).with_name("webhook_addresses.txt").read_text("utf-8").splitlines()
SPELLINGS = [line for line in LINES if line and not line.startswith("# ")]
HOSTS = [spelling for spelling in SPELLINGS if ":" not in spelling or spelling.startswith("[")]
ODD_URLS = [
    "http://127.0.0.1\\@example.com/",
    "http://\t127.0.0.1/",
    " http://127.0.0.1/",
    "http://127.0.0.1\n.example.com",
]
CORPUS = [
    *(f"http://{host}/hook" for host in (*HOSTS, *NAMES)),
    *(spelling for spelling in SPELLINGS if spelling not in HOSTS),
    *ODD_URLS,
]
"""Spellings of addresses that nobody may make the server connect to."""


class NoNetwork(httpcore.AsyncMockBackend):
    """Notes where it would have connected to."""

    def __init__(self) -> None:
        super().__init__([])
        self.reached: list[str] = []

    async def connect_tcp(self, host: str, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        self.reached.append(host)
        raise httpcore.ConnectError("no network")


async def resolve_here(host: str, port: int) -> Sequence[str]:
    """As the operating system does for addresses and `localhost`; names come from `NAMES`."""
    if host.lower() in NAMES:
        return NAMES[host.lower()]
    flags = 0 if host.lower().rstrip(".") == "localhost" else socket.AI_NUMERICHOST
    found = socket.getaddrinfo(host.rstrip("."), port, type=socket.SOCK_STREAM, flags=flags)
    return [str(address[0]) for *_, address in found]


def test_the_corpus_is_large() -> None:
    assert len(set(CORPUS)) == len(CORPUS) >= 130


@pytest.mark.parametrize("url", CORPUS)
async def test_nothing_private_is_ever_connected_to(url: str) -> None:
    network = NoNetwork()
    backend = GuardedBackend(PUBLIC, resolve=resolve_here, backend=network)
    courier = HttpCourier(PUBLIC, SystemClock(), timeout_seconds=5, backend=backend)

    answer = await courier.carry(url, {}, b"{}")

    assert network.reached == []
    assert answer.status_code is None
    assert answer.error


@pytest.mark.parametrize("host", [host.strip("[]") for host in HOSTS])
async def test_the_connection_itself_is_guarded(host: str) -> None:
    """Whatever HTTP makes of a URL: where sockets are opened, only addresses count."""
    network = NoNetwork()
    backend = GuardedBackend(PUBLIC, resolve=resolve_here, backend=network)

    with pytest.raises(Exception, match=r"no public address|cannot be resolved"):
        await backend.connect_tcp(host, 80)

    assert network.reached == []


async def test_what_is_checked_is_what_is_connected_to() -> None:
    """A name that says something else each time it is asked is asked once."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return next(answers)

    network = NoNetwork()
    courier = HttpCourier(
        PUBLIC,
        SystemClock(),
        timeout_seconds=5,
        backend=GuardedBackend(PUBLIC, resolve=rebinding, backend=network),
    )

    await courier.carry("http://rebinding.test/", {}, b"{}")

    assert network.reached == ["93.184.216.34"]
