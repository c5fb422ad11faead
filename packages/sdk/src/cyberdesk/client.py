"""The client: where the API is, who is asking, how patiently; and the groups of methods.

httpx takes longer to load than all of this together, so it is loaded when the first client is built.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cyberdesk import _settings, models
from cyberdesk._attempts import Attempt as Attempt
from cyberdesk._attempts import AttemptResult as AttemptResult
from cyberdesk._attempts import Hooks, switch_log_on
from cyberdesk._envelope import ApiResponse as ApiResponse
from cyberdesk._options import Idempotency, Options
from cyberdesk._resources.audit_log import AuditLogAPI as AuditLogAPI
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
from cyberdesk._resources.sessions import SessionsAPI as SessionsAPI
from cyberdesk._resources.trajectories import TrajectoriesAPI as TrajectoriesAPI
from cyberdesk._resources.usage import UsageAPI as UsageAPI
from cyberdesk._resources.webhooks import WebhooksAPI as WebhooksAPI
from cyberdesk._resources.workflow_tag_groups import WorkflowTagGroupsAPI as WorkflowTagGroupsAPI
from cyberdesk._resources.workflow_tags import WorkflowTagsAPI as WorkflowTagsAPI
from cyberdesk._resources.workflows import WorkflowsAPI as WorkflowsAPI
from cyberdesk._retry import RetryConfig as RetryConfig
from cyberdesk._settings import DEFAULT_API_BASE_URL as DEFAULT_API_BASE_URL
from cyberdesk._version import __version__

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

    from cyberdesk._http import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT
    from cyberdesk._http import HttpClients
    from cyberdesk.models import *  # noqa: F403
else:
    __all__ = [
        "DEFAULT_API_BASE_URL",
        "DEFAULT_TIMEOUT",
        "ApiResponse",
        "Attempt",
        "AttemptResult",
        "AuditLogAPI",
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
        "SessionsAPI",
        "TrajectoriesAPI",
        "UsageAPI",
        "WebhooksAPI",
        "WorkflowTagGroupsAPI",
        "WorkflowTagsAPI",
        "WorkflowsAPI",
        *models.__all__,
    ]

    def __getattr__(name: str) -> Any:
        if name == "DEFAULT_TIMEOUT":
            return import_module("cyberdesk._http").DEFAULT_TIMEOUT
        return getattr(models, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


DEFAULT_IDEMPOTENCY_HEADER = "Idempotency-Key"


class CyberdeskClient:
    """A client of the Cyberdesk API.

    Every method is there twice: `await client.runs.get(run_id)` and `client.runs.get_sync(run_id)`. Both
    answer with an `ApiResponse`; they do not raise for anything that the API or the network does.

    Use it as `with CyberdeskClient(...)` or `async with CyberdeskClient(...)`, or call `close()` or
    `await aclose()`. One client may be shared by threads and by event loops.

    - `api_key`: sent as bearer token; None is the variable `CYBERDESK_API_KEY`.
    - `base_url`: where the API is; a path in it is kept. None is the variable `CYBERDESK_BASE_URL`, else
      `DEFAULT_API_BASE_URL`.
    - `timeout`: seconds, or an `httpx.Timeout`; None is `DEFAULT_TIMEOUT`. No limit is `httpx.Timeout(None)`.
    - `retry`: how failures that may pass are tried again.
    - `idempotency_enabled`: whether writes carry a key by which the API recognizes a repetition. Writes
      without one are never repeated.
    - `idempotency_header_name`, `idempotency_key_generator`: the header of the key, and what makes the keys.
    - `http_client`, `async_http_client`: httpx clients of yours to send with, for a proxy or a certificate
      of your own. Closing them stays yours, and so does the timeout unless you give one here. An
      `httpx.AsyncClient` belongs to one event loop.
    - `on_request`, `on_response`: called before and after every attempt with an `Attempt` and an
      `AttemptResult`. What they raise ends the call with that error. For async calls they may be async.

    The variable `CYBERDESK_LOG` (`info` or `debug`) logs every attempt. Raises ValueError, naming the
    argument, for what cannot work.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: httpx.Timeout | float | None = None,
        *,
        retry: RetryConfig | None = None,
        idempotency_enabled: bool = True,
        idempotency_header_name: str = DEFAULT_IDEMPOTENCY_HEADER,
        idempotency_key_generator: Callable[[], str] | None = None,
        http_client: httpx.Client | None = None,
        async_http_client: httpx.AsyncClient | None = None,
        on_request: Callable[[Attempt], object] | None = None,
        on_response: Callable[[AttemptResult], object] | None = None,
    ) -> None:
        import httpx

        from cyberdesk._http import HttpClients

        switch_log_on(os.environ)
        http = HttpClients(
            base_url=_settings.base_url(base_url, os.environ),
            headers={
                "authorization": f"Bearer {_settings.api_key(api_key, os.environ)}",
                "user-agent": f"cyberdesk-python/{__version__}",
            },
            timeout=_settings.timeout(timeout),
            sync=_settings.instance("http_client", http_client, httpx.Client),
            asynchronous=_settings.instance("async_http_client", async_http_client, httpx.AsyncClient),
        )
        idempotency = Idempotency(
            header_name=_settings.header_name("idempotency_header_name", idempotency_header_name),
            new_key=idempotency_key_generator or _random_key,
            is_enabled=idempotency_enabled,
        )
        hooks = Hooks(on_request, on_response)
        self._assemble(http, Options(retry or RetryConfig(), idempotency, _full_jitter, hooks))

    def _assemble(self, http: HttpClients, options: Options) -> None:
        self._http = http
        self._options = options
        self.machines = MachinesAPI(http, options)
        self.pools = PoolsAPI(http, options)
        self.workflows = WorkflowsAPI(http, options)
        self.workflow_tags = WorkflowTagsAPI(http, options)
        self.workflow_tag_groups = WorkflowTagGroupsAPI(http, options)
        self.runs = RunsAPI(http, options)
        self.connections = ConnectionsAPI(http, options)
        self.trajectories = TrajectoriesAPI(http, options)
        self.run_attachments = RunAttachmentsAPI(http, options)
        self.model_configurations = ModelConfigurationsAPI(http, options)
        self.sessions = SessionsAPI(http, options)
        self.usage = UsageAPI(http, options)
        self.computer = ComputerAPI(http, options)
        self.request_logs = RequestLogsAPI(http, options)
        self.provider_credentials = ProviderCredentialsAPI(http, options)
        self.webhooks = WebhooksAPI(http, options)
        self.health = HealthAPI(http, options)
        self.audit_log = AuditLogAPI(http, options)

    def with_options(
        self,
        *,
        timeout: httpx.Timeout | float | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Self:
        """This client with other options, for one call or for many; what is left out stays as it is.

            client.with_options(timeout=5, max_retries=0).runs.list_sync()

        It shares the connections, so it costs nearly nothing, and closing one of them closes both.

        - `headers`: sent too, and instead of those of the client with the same name.
        - `idempotency_key`: the key of the next write, on all its attempts. The same key given again, also
          in another process, gets the answer of the first call instead of a second effect. It names one
          call: a second write through the same view is refused with `KeyAlreadyUsed`, and nothing is sent.

        Raises ValueError, naming the argument, for what cannot work.
        """
        own = self._options
        retry, idempotency = own.retry, own.idempotency
        if max_retries is not None:
            retry = replace(retry, max_retries=max_retries)
        if idempotency_key is not None:
            idempotency = idempotency.with_key(_settings.idempotency_key(idempotency_key))
        view = copy(self)
        view._assemble(
            self._http,
            replace(
                own,
                retry=retry,
                idempotency=idempotency,
                timeout=_settings.timeout(timeout) or own.timeout,
                headers={**own.headers, **_settings.headers(headers or {}, idempotency.header_name)},
            ),
        )
        return view

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
    import random

    return random.uniform(0, longest_seconds)
