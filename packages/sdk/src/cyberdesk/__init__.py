"""The Python SDK of Cyberdesk: drive legacy desktop programs through an API.

    from cyberdesk import CyberdeskClient, RunCreate

    with CyberdeskClient("your-api-key") as client:
        run = client.runs.create_sync(RunCreate(workflow_id="…", input_values={"patient_id": "12345"})).data
        run = client.runs.wait_sync(run.id).data
        print(run.status, run.output_data)

Models are loaded when they are first used, so importing the package is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cyberdesk import models
from cyberdesk._version import __version__
from cyberdesk.client import DEFAULT_API_BASE_URL, DEFAULT_TIMEOUT, ApiResponse, CyberdeskClient, RetryConfig
from cyberdesk.errors import (
    ClientClosed,
    MalformedAnswer,
    MalformedModel,
    MissingField,
    RunStillGoing,
    UnexpectedStatus,
)

if TYPE_CHECKING:
    from cyberdesk.models import *  # noqa: F403
    from cyberdesk.types import ChatMessage, MessageContentBlock, RunMessageHistory

__all__ = [
    "DEFAULT_API_BASE_URL",
    "DEFAULT_TIMEOUT",
    "ApiResponse",
    "ChatMessage",
    "ClientClosed",
    "CyberdeskClient",
    "MalformedAnswer",
    "MalformedModel",
    "MessageContentBlock",
    "MissingField",
    "RetryConfig",
    "RunMessageHistory",
    "RunStillGoing",
    "UnexpectedStatus",
    "__version__",
]
__all__ += models.__all__


def __getattr__(name: str) -> Any:
    if name in ("ChatMessage", "MessageContentBlock", "RunMessageHistory"):
        from cyberdesk import types

        return getattr(types, name)
    return getattr(models, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
