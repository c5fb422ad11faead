"""What a client is told, by its arguments or by the environment, checked before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

DEFAULT_API_BASE_URL = "https://api.cyberdesk.io"

API_KEY_VARIABLE = "CYBERDESK_API_KEY"
BASE_URL_VARIABLE = "CYBERDESK_BASE_URL"


def api_key(given: str | None, environment: Mapping[str, str]) -> str:
    """The key that was given, else that of the environment. The ValueError never shows it."""
    key = environment.get(API_KEY_VARIABLE) if given is None else given
    if not isinstance(key, str) or not key:
        raise ValueError(f"api_key: is missing; give it as api_key or set {API_KEY_VARIABLE}")
    if not is_printable(key):
        raise ValueError("api_key: contains a character that no key has, such as a space or a line break")
    return key


def base_url(given: str | None, environment: Mapping[str, str]) -> str:
    """The address that was given, else that of the environment, else the published one."""
    import httpx

    address = environment.get(BASE_URL_VARIABLE) or DEFAULT_API_BASE_URL if given is None else given
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError) as error:
        raise ValueError(f"base_url: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(
            f"base_url: {address!r} is not an address like https://host or http://host:port/path"
        )
    if url.userinfo:
        raise ValueError("base_url: must not carry a user name or a password")
    if url.query or url.fragment:
        raise ValueError(f"base_url: {address!r} must not have a query or a fragment")
    return address


def timeout(given: httpx.Timeout | float | None) -> httpx.Timeout | None:
    """How long to wait; None when it was not said."""
    import httpx

    match given:
        case None | httpx.Timeout():
            return given
        case int() | float() if given > 0:
            return httpx.Timeout(given)
        case _:
            raise ValueError(f"timeout: {given!r} is neither a number of seconds nor an httpx.Timeout")


def header_name(argument: str, name: str) -> str:
    """The name of a header. `argument` is named when it is none."""
    if not name or not all(
        character.isascii() and (character.isalnum() or character in "-_") for character in name
    ):
        raise ValueError(f"{argument}: {name!r} is no name of a header")
    return name


def headers(given: Mapping[str, str], reserved: str) -> dict[str, str]:
    """Headers to send, with lower-case names. `reserved` is the one that has its own argument.

    The ValueError never shows a value.
    """
    for name, value in given.items():
        if header_name("headers", name).lower() == reserved.lower():
            raise ValueError(f"headers: give {name} as idempotency_key")
        if not isinstance(value, str) or not is_printable(value.replace(" ", "").replace("\t", "")):
            raise ValueError(f"headers: {name} has a value that no header can carry")
    return {name.lower(): value.strip() for name, value in given.items()}


def idempotency_key(given: str) -> str:
    """A key that names one call."""
    if not isinstance(given, str) or not given or not is_printable(given):
        raise ValueError("idempotency_key: must be a text of printable ASCII characters without spaces")
    return given


def instance(argument: str, given: T | None, kind: type[T]) -> T | None:
    """The object, when it is of this kind."""
    if given is not None and not isinstance(given, kind):
        raise ValueError(f"{argument}: is a {type(given).__name__}, not an httpx.{kind.__name__}")
    return given


def is_printable(text: str) -> bool:
    """Whether every character is one of ASCII that can be seen."""
    return all("!" <= character <= "~" for character in text)
