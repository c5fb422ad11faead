"""What a user may write as a server, and what it means."""

import pytest
from cyberdriver.errors import SettingsError
from cyberdriver.tunnel import parse_address


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("https://cyberdesk.example", "wss://cyberdesk.example/tunnel/ws"),
        ("https://cyberdesk.example/", "wss://cyberdesk.example/tunnel/ws"),
        ("HTTPS://Cyberdesk.Example:8443", "wss://cyberdesk.example:8443/tunnel/ws"),
        ("wss://cyberdesk.example/tunnel/ws", "wss://cyberdesk.example/tunnel/ws"),
        ("https://example.org/desk/", "wss://example.org/desk/tunnel/ws"),
        ("cyberdesk.example", "wss://cyberdesk.example/tunnel/ws"),
        ("cyberdesk.example:8443", "wss://cyberdesk.example:8443/tunnel/ws"),
        ("http://localhost:8080", "ws://localhost:8080/tunnel/ws"),
        ("ws://127.0.0.1", "ws://127.0.0.1/tunnel/ws"),
        ("http://[::1]:8080", "ws://[::1]:8080/tunnel/ws"),
    ],
)
def test_an_address_leads_to_its_tunnel(text: str, uri: str) -> None:
    assert parse_address(text).uri == uri


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("http://cyberdesk.example", "--insecure"),
        ("ws://10.0.0.1", "--insecure"),
        ("http://127.0.0.1.evil.example", "--insecure"),
        ("ftp://cyberdesk.example", "must begin with https"),
        ("https://user:word@cyberdesk.example", "user or a password"),
        ("https://cyberdesk.example?x=1", "query or a fragment"),
        ("https://cyberdesk.example#x", "query or a fragment"),
        ("https://", "no host"),
        ("", "no host"),
        ("https://a b", "no host"),
        ("https://cyberdesk.example:99999", "port"),
        ("https://cyberdesk.example:x", "port"),
        ("https://[::1", "--server"),
    ],
)
def test_what_cannot_be_taken_is_one_line(text: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint) as refused:
        parse_address(text)

    assert "word" not in str(refused.value).replace("password", "")


def test_an_insecure_address_is_taken_when_meant() -> None:
    assert parse_address("http://10.0.0.1:80", allow_insecure=True).uri == "ws://10.0.0.1:80/tunnel/ws"


def test_an_address_reads_as_it_was_written() -> None:
    assert str(parse_address("https://example.org/desk")) == "https://example.org/desk"
    assert parse_address("http://localhost").is_loopback
    assert not parse_address("https://example.org").is_loopback
