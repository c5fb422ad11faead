"""What fails in the same way every time is not tried again."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
import trustme

from cyberdesk import CyberdeskClient, RetryConfig, RunCreate
from cyberdesk._http import _no_answer
from cyberdesk.testing import Scripted


class QuietServer(HTTPServer):
    def handle_error(self, request, client_address):
        """Callers that do not trust the certificate hang up."""


@pytest.fixture
def untrusted_address():
    """An HTTPS server whose certificate nobody here knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = QuietServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_certificate_that_is_not_trusted(untrusted_address, call):
    heard = []
    retry = RetryConfig(min_delay_seconds=0, on_retry=heard.append)

    with CyberdeskClient("key", untrusted_address, retry=retry) as client:
        response = call(client.runs, "list")

    assert isinstance(response.error, httpx.ConnectError)
    assert "certificate" in str(response.error).lower()
    assert heard == []


def test_a_key_that_no_header_can_carry(api, call):
    heard = []
    retry = RetryConfig(min_delay_seconds=0, on_retry=heard.append)

    with CyberdeskClient(
        "key", api.base_url, retry=retry, idempotency_key_generator=lambda: "two\nlines"
    ) as client:
        response = call(client.runs, "create", RunCreate(workflow_id="w"))

    assert isinstance(response.error, httpx.LocalProtocolError)
    assert (heard, api.asked) == ([], [])


def test_a_body_that_is_not_encoded_as_it_says(api, call):
    heard = []
    retry = RetryConfig(min_delay_seconds=0, on_retry=heard.append)
    api.answers(Scripted(200, content=b"not gzip", headers={"Content-Encoding": "gzip"}))

    with CyberdeskClient("key", api.base_url, retry=retry) as client:
        response = call(client.runs, "list")

    assert isinstance(response.error, httpx.DecodingError)
    assert heard == []


@pytest.mark.parametrize(
    ("error", "is_permanent"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ReadError("reset"), False),
        (httpx.RemoteProtocolError("hung up"), False),
        (httpx.ProxyError("busy"), False),
        (httpx.PoolTimeout("full"), False),
        (httpx.UnsupportedProtocol("no scheme"), True),
        (httpx.TooManyRedirects("round and round"), True),
    ],
)
def test_which_failures_are_permanent(error, is_permanent):
    assert _no_answer(error).is_permanent is is_permanent
