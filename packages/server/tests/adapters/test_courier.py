"""Messages reach their endpoint and nothing else, within bounds of time and size."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.adapters.webhooks import HttpCourier
from cyberdesk_server.adapters.webhooks.courier import MAX_ANSWER_BYTES
from cyberdesk_server.domain.networks import Reach
from cyberdesk_server.domain.webhooks import Answer
from cyberdesk_server.testing.webhooks import NO_CONTENT, a_receiver

LOOPBACK = Reach((ip_network("127.0.0.0/8"), ip_network("::1/128")), allows_http=True)


@pytest.fixture
async def courier() -> AsyncIterator[HttpCourier]:
    courier = HttpCourier(LOOPBACK, SystemClock(), timeout_seconds=0.5)
    yield courier
    await courier.close()


async def test_a_message_arrives_as_it_is(courier: HttpCourier) -> None:
    answers = b"HTTP/1.1 200 OK\r\nX-Name: value\r\nContent-Length: 5\r\n\r\nhello"
    async with a_receiver(lambda _: answers) as receiver:
        answer = await courier.carry(f"{receiver.url}/hook?a=1", {"webhook-id": "1"}, b'{"a": "\xc3\xa4"}')

    [received] = receiver.received
    assert (received.path, received.body) == ("/hook?a=1", b'{"a": "\xc3\xa4"}')
    assert received.headers["webhook-id"] == "1"
    assert received.headers["content-type"] == "application/json"
    assert answer.is_success
    assert (answer.status_code, answer.response_body) == (200, "hello")
    assert answer.response_headers["x-name"] == "value"
    assert answer.request_headers["webhook-id"] == "1"


async def test_connections_are_used_again(courier: HttpCourier) -> None:
    async with a_receiver() as receiver:
        for _ in range(3):
            assert (await courier.carry(receiver.url, {}, b"{}")).is_success

    assert (len(receiver.received), receiver.connections) == (3, 1)


async def test_origins_have_connections_of_their_own_until_they_are_idle(
    courier: HttpCourier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cyberdesk_server.adapters.webhooks.courier.IDLE_SECONDS", 0.0)
    async with a_receiver() as one, a_receiver() as other:
        for receiver in (one, other, one):
            assert (await courier.carry(receiver.url, {}, b"{}")).is_success

    assert (one.connections, other.connections) == (2, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(courier: HttpCourier, status: int) -> None:
    async with a_receiver() as inside:
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: {inside.url}/\r\nContent-Length: 0\r\n\r\n".encode()
        async with a_receiver(lambda _: moved) as receiver:
            answer = await courier.carry(receiver.url, {}, b"{}")

    assert (answer.status_code, answer.is_success) == (status, False)
    assert inside.received == []


async def test_a_large_answer_is_cut(courier: HttpCourier) -> None:
    body = b"x" * (10 * MAX_ANSWER_BYTES)
    large = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    async with a_receiver(lambda _: large) as receiver:
        answer = await courier.carry(receiver.url, {}, b"{}")

    assert answer.is_success
    assert answer.response_body == "x" * MAX_ANSWER_BYTES


async def test_an_answer_that_never_ends_counts_by_its_status(courier: HttpCourier) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun"
    async with a_receiver(lambda _: endless) as receiver:
        answer = await courier.carry(receiver.url, {}, b"{}")

    assert (answer.is_success, answer.response_body) == (True, "begun")


async def test_an_endpoint_that_says_nothing_is_waited_for_so_long_and_no_longer(
    courier: HttpCourier,
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        answer = await courier.carry(f"http://127.0.0.1:{port}", {}, b"{}")

    assert answer.error == "no answer in 0.5 seconds"


@pytest.mark.parametrize(
    "bytes_", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
async def test_an_endpoint_that_speaks_no_http_is_an_answer_too(courier: HttpCourier, bytes_: bytes) -> None:
    async with a_receiver(lambda _: bytes_) as receiver:
        answer = await courier.carry(receiver.url, {}, b"{}")

    assert (answer.is_success, answer.status_code) == (False, None)
    assert answer.error


async def test_an_endpoint_that_is_not_there_is_an_answer_too(courier: HttpCourier) -> None:
    async with a_receiver() as receiver:
        url = receiver.url

    answer: Answer = await courier.carry(url, {}, b"{}")

    assert answer.error
    assert answer.error.startswith("ConnectError")


async def test_proxies_of_the_environment_are_not_asked(
    courier: HttpCourier, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_receiver() as proxy, a_receiver(lambda _: NO_CONTENT) as receiver:
        for name in ("http_proxy", "all_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert (await courier.carry(receiver.url, {}, b"{}")).is_success

    assert proxy.received == []
