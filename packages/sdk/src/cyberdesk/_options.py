"""How calls are made: how patiently, marked with which key, with which headers, heard of by whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cyberdesk._attempts import Hooks
from cyberdesk._flow import Request
from cyberdesk._retry import RetryConfig
from cyberdesk.errors import KeyAlreadyUsed

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class Idempotency:
    """How writes are marked, so that the API does them once however often they arrive."""

    header_name: str
    new_key: Callable[[], str]
    is_enabled: bool = True

    def mark(self, request: Request, key: str | None = None) -> Request:
        """The request with a key of its own, or with the given one; reads are left alone."""
        if not request.is_write or (key is None and not self.is_enabled):
            return request
        return request._replace(headers={**request.headers, self.header_name: key or self.new_key()})

    def is_repeatable(self, request: Request) -> bool:
        """Whether sending the request twice does no more than sending it once."""
        return not request.is_write or self.header_name in request.headers

    def with_key(self, key: str) -> Idempotency:
        """The first write carries this key; a second one is refused with `KeyAlreadyUsed`."""
        left = [key]

        def take() -> str:
            try:
                return left.pop()  # atomic, so of two threads one gets it
            except IndexError:
                raise KeyAlreadyUsed from None

        return replace(self, new_key=take, is_enabled=True)


@dataclass(frozen=True)
class Options:
    """How the calls of a client, or of a view of it, are made."""

    retry: RetryConfig
    idempotency: Idempotency
    jitter: Callable[[float], float]
    """Chooses a time between zero and the given number of seconds."""
    hooks: Hooks = field(default_factory=Hooks)
    timeout: httpx.Timeout | None = None
    """None: as long as the HTTP client waits anyway."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
