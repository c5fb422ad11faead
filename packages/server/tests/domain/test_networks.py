"""Webhooks lead to public addresses only, however an address is spelled."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from cyberdesk_server.domain.networks import NOT_PUBLIC_V4, Reach, networks_in, numeric_v4
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "172.32.0.1",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_public_addresses_are_reached(address: str) -> None:
    assert Reach().includes(ip_address(address))


@given(st.sampled_from(NOT_PUBLIC_V4), st.data())
def test_what_is_not_public_is_not_reached_in_any_ipv6_form(network: object, data: st.DataObject) -> None:
    first, last = int(network[0]), int(network[-1])  # type: ignore[index]
    address = data.draw(st.integers(first, last))
    forms = [
        address,
        0xFFFF_0000_0000 | address,
        0xFFFF_0000_0000_0000 | address,
        0x64_FF9B << 96 | address,
        0x2002 << 112 | address << 80,
        0x2001_0000 << 96 | (address ^ 0xFFFFFFFF),
        0x2606_4700 << 96 | 0x5EFE << 32 | address,
        0x2606_4700 << 96 | 0x0200_5EFE << 32 | address,
    ]

    assert not Reach().includes(IPv4Address(address))
    assert [hex(form) for form in forms if Reach().includes(IPv6Address(form))] == []


@pytest.mark.parametrize(
    "address",
    ["::", "::1", "fe80::1", "fec0::1", "fd00:ec2::254", "ff02::1", "100::1", "2001:db8::1", "5f00::1"],
)
def test_special_ipv6_addresses_are_not_reached(address: str) -> None:
    assert not Reach().includes(ip_address(address))


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::7"])
def test_the_operator_may_allow_networks(address: str) -> None:
    reach = Reach(networks_in("10.1.0.0/16, fd00::/8"))

    assert reach.includes(ip_address(address))
    assert not reach.includes(ip_address("10.2.0.1"))


def test_a_list_of_networks_must_be_one() -> None:
    assert networks_in("") == ()
    with pytest.raises(ValueError, match="has host bits set"):
        networks_in("10.1.2.3/8")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0X7F000001", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0x7f.0", "127.0.0.0"),
        ("0x.0x1", "0.0.0.1"),
        ("1.2.3.256", None),
        ("256.1", None),
        ("09.1", None),
        ("1.2.3.4.5", None),
        ("example.com", None),
        ("1.2.3.x", None),
    ],
)
def test_numeric_hosts_are_read_as_the_operating_system_does(host: str, address: str | None) -> None:
    assert numeric_v4(host) == (None if address is None else IPv4Address(address))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com:8443/path?query=1&x=%20",
        "https://xn--bcher-kva.example/",
        "https://my_host.example.com.",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]:443/",
    ],
)
def test_a_url_of_a_public_host_is_taken(url: str) -> None:
    assert Reach().problem_of(url) is None


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://example.com", "must start with https://"),
        ("ftp://example.com", "must start with https://"),
        ("//example.com", "must start with https://"),
        ("example.com", "must start with https://"),
        ("", "must be a URL of at most"),
        ("https://example.com/" + "x" * 2048, "must be a URL of at most"),
        ("https://example.com/a b", "must be a URL of at most"),
        ("https://bücher.example", "must be a URL of at most"),
        ("https://example.com\\@127.0.0.1", "must be a URL of at most"),
        ("https://user@example.com", "must have no user"),
        ("https://:@example.com", "must have no user"),
        ("https://example.com#", "must have no user"),
        ("https://example.com:0", "must have no user"),
        ("https://example.com:99999", "is no URL"),
        ("https://example.com:x", "is no URL"),
        ("https://[::1", "is no URL"),
        ("https://", "names no host"),
        ("https://.example.com", "names no host"),
        ("https://exa$mple.com", "names no host"),
        ("https://[fe80::1%25eth0]/", "names no host"),
        ("https://" + ".".join(["a" * 60] * 5), "names no host"),
        ("https://169.254.169.254/latest", "leads to 169.254.169.254"),
    ],
)
def test_a_url_that_cannot_be_used_says_why(url: str, problem: str) -> None:
    assert problem in (Reach().problem_of(url) or "")


def test_plain_http_may_be_allowed() -> None:
    assert Reach(allows_http=True).problem_of("http://example.com") is None
