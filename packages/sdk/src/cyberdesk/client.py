"""The client: where the API is, who is asking, how patiently; and the groups of methods."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

from cyberdesk import models
from cyberdesk._envelope import ApiResponse as ApiResponse
from cyberdesk._http import HttpClients
from cyberdesk._resources._resource import Idempotency
from cyberdesk._resources.computer import ComputerAPI as ComputerAPI
from cyberdesk._resources.connections import ConnectionsAPI as ConnectionsAPI
from cyberdesk._resources.health import HealthAPI as HealthAPI
from cyberdesk._resources.machines import MachinesAPI as MachinesAPI
from cyberdesk._resources.model_configurations import ModelConfigurationsAPI as ModelConfigurationsAPI
from cyberdesk._resources.pools import PoolsAPI as PoolsAPI
from cyberdesk._resources.provider_credentials import ProviderCredentialsAPI as ProviderCredentialsAPI
from cyberdesk._resources.request_logs import RequestLogsAPI as RequestLogsAPI
from cyberdesk._resources.run_attachments import RunAttachmentsAPI as RunAttachmentsAPI
from cyberdesk._resources.runs import RunsAPI as RunsAPI
from cyberdesk._resources.trajectories import TrajectoriesAPI as TrajectoriesAPI
from cyberdesk._resources.usage import UsageAPI as UsageAPI
from cyberdesk._resources.workflow_tag_groups import WorkflowTagGroupsAPI as WorkflowTagGroupsAPI
from cyberdesk._resources.workflow_tags import WorkflowTagsAPI as WorkflowTagsAPI
from cyberdesk._resources.workflows import WorkflowsAPI as WorkflowsAPI
from cyberdesk._retry import RetryConfig as RetryConfig
from cyberdesk._version import __version__

if TYPE_CHECKING:
    from typing_extensions import Self

    from cyberdesk.models import *  # noqa: F403
else:
    __all__ = [
        "DEFAULT_API_BASE_URL",
        "DEFAULT_TIMEOUT",
        "ApiResponse",
        "ComputerAPI",
        "ConnectionsAPI",
        "CyberdeskClient",
        "HealthAPI",
        "MachinesAPI",
        "ModelConfigurationsAPI",
        "PoolsAPI",
        "ProviderCredentialsAPI",
        "RequestLogsAPI",
        "RetryConfig",
        "RunAttachmentsAPI",
        "RunsAPI",
        "TrajectoriesAPI",
        "UsageAPI",
        "WorkflowTagGroupsAPI",
        "WorkflowTagsAPI",
        "WorkflowsAPI",
        *models.__all__,
    ]

    def __getattr__(name: str) -> Any:
        return getattr(models, name)


DEFAULT_API_BASE_URL = "https://api.cyberdesk.io"

DEFAULT_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Seconds to wait for the next part of an answer (60) and for a connection (10)."""

DEFAULT_IDEMPOTENCY_HEADER = "Idempotency-Key"


class CyberdeskClient:
    """A client of the Cyberdesk API.

    Every method is there twice: `await client.runs.get(run_id)` and `client.runs.get_sync(run_id)`. Both
    answer with an `ApiResponse`; they do not raise for anything that the API or the network does.

    Use it as `with CyberdeskClient(...)` or `async with CyberdeskClient(...)`, or call `close()` or
    `await aclose()`. One client may be shared by threads and by event loops.

    - `api_key`: sent as bearer token.
    - `base_url`: where the API is; a path in it is kept.
    - `timeout`: seconds, or an `httpx.Timeout`; None is `DEFAULT_TIMEOUT`. No limit is `httpx.Timeout(None)`.
    - `retry`: how failures that may pass are tried again.
    - `idempotency_enabled`: whether writes carry a key by which the API recognizes a repetition. Writes
      without one are never repeated.
    - `idempotency_header_name`, `idempotency_key_generator`: the header of the key, and what makes the keys.

    Raises ValueError, naming the argument, for what cannot work.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str = DEFAULT_API_BASE_URL,
        timeout: httpx.Timeout | float | None = None,
        *,
        retry: RetryConfig | None = None,
        idempotency_enabled: bool = True,
        idempotency_header_name: str = DEFAULT_IDEMPOTENCY_HEADER,
        idempotency_key_generator: Callable[[], str] | None = None,
    ) -> None:
        self._http = HttpClients(
            base_url=_checked_address(base_url),
            headers={
                "Authorization": f"Bearer {_checked_key(api_key)}",
                "User-Agent": f"cyberdesk-python/{__version__}",
            },
            timeout=_checked_timeout(timeout),
        )
        idempotency = Idempotency(
            header_name=_checked_header_name(idempotency_header_name),
            new_key=idempotency_key_generator or _random_key,
            is_enabled=idempotency_enabled,
        )
        parts = (self._http, retry or RetryConfig(), idempotency, _full_jitter)
        self.machines = MachinesAPI(*parts)
        self.pools = PoolsAPI(*parts)
        self.workflows = WorkflowsAPI(*parts)
        self.workflow_tags = WorkflowTagsAPI(*parts)
        self.workflow_tag_groups = WorkflowTagGroupsAPI(*parts)
        self.runs = RunsAPI(*parts)
        self.connections = ConnectionsAPI(*parts)
        self.trajectories = TrajectoriesAPI(*parts)
        self.run_attachments = RunAttachmentsAPI(*parts)
        self.model_configurations = ModelConfigurationsAPI(*parts)
        self.usage = UsageAPI(*parts)
        self.computer = ComputerAPI(*parts)
        self.request_logs = RequestLogsAPI(*parts)
        self.provider_credentials = ProviderCredentialsAPI(*parts)
        self.health = HealthAPI(*parts)

    def __repr__(self) -> str:
        return f"CyberdeskClient(base_url={self._http.base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.aclose()

    def close(self) -> None:
        """Close all connections, those of async calls too. Later calls answer with `ClientClosed`."""
        self._http.close()

    async def aclose(self) -> None:
        """Close all connections and wait until those of this event loop are closed."""
        await self._http.aclose()


def _random_key() -> str:
    return str(uuid4())


def _full_jitter(longest_seconds: float) -> float:
    return random.uniform(0, longest_seconds)


def _checked_key(api_key: str) -> str:
    """The key. The message of the ValueError never shows it."""
    if not isinstance(api_key, str) or not api_key:
        raise ValueError("api_key: must be a text that is not empty")
    if not all("!" <= character <= "~" for character in api_key):
        raise ValueError("api_key: contains a character that no key has, such as a space or a line break")
    return api_key


def _checked_address(base_url: str) -> str:
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, TypeError) as error:
        raise ValueError(f"base_url: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(
            f"base_url: {base_url!r} is not an address like https://host or http://host:port/path"
        )
    if url.userinfo:
        raise ValueError("base_url: must not carry a user name or a password")
    if url.query or url.fragment:
        raise ValueError(f"base_url: {base_url!r} must not have a query or a fragment")
    return base_url


def _checked_timeout(timeout: httpx.Timeout | float | None) -> httpx.Timeout:
    match timeout:
        case None:
            return DEFAULT_TIMEOUT
        case httpx.Timeout():
            return timeout
        case int() | float() if timeout > 0:
            return httpx.Timeout(timeout)
        case _:
            raise ValueError(f"timeout: {timeout!r} is neither a number of seconds nor an httpx.Timeout")


def _checked_header_name(name: str) -> str:
    if not name or not all(
        character.isascii() and (character.isalnum() or character in "-_") for character in name
    ):
        raise ValueError(f"idempotency_header_name: {name!r} is no name of a header")
    return name
