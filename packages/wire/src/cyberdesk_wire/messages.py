"""What travels through the tunnel: a request to the driver, a response from it.

Both are HTTP without a connection. Their `repr` shows no body: it may hold a password that is to be typed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


def _lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@dataclass(frozen=True, slots=True)
class Request:
    """One thing the server asks of the driver."""

    request_id: str
    """Chosen by the server, unique among the requests that wait for an answer."""
    method: str
    """Upper case, such as `GET`."""
    path: str
    """Starts with `/` and holds no query."""
    query: str = ""
    """Percent-encoded, without the leading `?`; empty when there is none."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names are stored in lower case; of two spellings of one name the later wins."""
    body: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", _lower_case(self.headers))

    def header(self, name: str) -> str | None:
        """The value of this header in any spelling of its name, or None."""
        return self.headers.get(name.lower())


@dataclass(frozen=True, slots=True)
class Response:
    """The driver's answer to the request with this id."""

    request_id: str
    status: int
    """An HTTP status, 100 to 599."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names are stored in lower case; of two spellings of one name the later wins."""
    body: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", _lower_case(self.headers))

    def header(self, name: str) -> str | None:
        """The value of this header in any spelling of its name, or None."""
        return self.headers.get(name.lower())
