"""The Python SDK of Cyberdesk: drive legacy desktop programs through an API.

    from cyberdesk import CyberdeskClient, RunCreate

    with CyberdeskClient("your-api-key") as client:
        run = client.runs.create_sync(RunCreate(workflow_id="…", input_values={"patient_id": "12345"})).data
        run = client.runs.wait_sync(run.id).data
        print(run.status, run.output_data)

Models are loaded when they are first used, so importing the package is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cyberdesk import client, models
from cyberdesk._version import __version__ as __version__
from cyberdesk.client import DEFAULT_API_BASE_URL as DEFAULT_API_BASE_URL
from cyberdesk.client import ApiResponse as ApiResponse
from cyberdesk.client import Attempt as Attempt
from cyberdesk.client import AttemptResult as AttemptResult
from cyberdesk.client import CyberdeskClient as CyberdeskClient
from cyberdesk.client import RetryConfig as RetryConfig
from cyberdesk.errors import BadRequest as BadRequest
from cyberdesk.errors import ClientClosed as ClientClosed
from cyberdesk.errors import Conflict as Conflict
from cyberdesk.errors import Forbidden as Forbidden
from cyberdesk.errors import KeyAlreadyUsed as KeyAlreadyUsed
from cyberdesk.errors import MalformedAnswer as MalformedAnswer
from cyberdesk.errors import MalformedModel as MalformedModel
from cyberdesk.errors import MissingField as MissingField
from cyberdesk.errors import NotFound as NotFound
from cyberdesk.errors import RunStillGoing as RunStillGoing
from cyberdesk.errors import ServerError as ServerError
from cyberdesk.errors import TooManyRequests as TooManyRequests
from cyberdesk.errors import Unauthorized as Unauthorized
from cyberdesk.errors import UnexpectedStatus as UnexpectedStatus
from cyberdesk.errors import ValidationFailed as ValidationFailed

if TYPE_CHECKING:
    from cyberdesk.client import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT
    from cyberdesk.models import *  # noqa: F403
    from cyberdesk.types import ChatMessage as ChatMessage
    from cyberdesk.types import MessageContentBlock as MessageContentBlock
    from cyberdesk.types import RunMessageHistory as RunMessageHistory
else:
    _HISTORY = ("ChatMessage", "MessageContentBlock", "RunMessageHistory")

    __all__ = [
        "DEFAULT_API_BASE_URL",
        "DEFAULT_TIMEOUT",
        "ApiResponse",
        "Attempt",
        "AttemptResult",
        "BadRequest",
        "ClientClosed",
        "Conflict",
        "CyberdeskClient",
        "Forbidden",
        "KeyAlreadyUsed",
        "MalformedAnswer",
        "MalformedModel",
        "MissingField",
        "NotFound",
        "RetryConfig",
        "RunStillGoing",
        "ServerError",
        "TooManyRequests",
        "Unauthorized",
        "UnexpectedStatus",
        "ValidationFailed",
        "__version__",
        *_HISTORY,
        *models.__all__,
    ]

    def __getattr__(name: str) -> Any:
        if name in _HISTORY:
            return getattr(import_module("cyberdesk.types"), name)
        if name == "DEFAULT_TIMEOUT":
            return client.DEFAULT_TIMEOUT
        return getattr(models, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
