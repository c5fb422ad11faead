"""A scripted API on loopback, and a way to call both twins of a method with one test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from cyberdesk import CyberdeskClient, RetryConfig
from cyberdesk.testing import ScriptedApi

ROOT = Path(__file__).resolve().parents[3]

Call: TypeAlias = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may use the SDK otherwise."""
    for name in ("CYBERDESK_API_KEY", "CYBERDESK_BASE_URL", "CYBERDESK_LOG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi() as scripted:
        yield scripted


@pytest.fixture
def client(api: ScriptedApi) -> Iterator[CyberdeskClient]:
    """A client of the scripted API that gives up at once."""
    with CyberdeskClient("test-key", api.base_url, retry=RetryConfig(max_retries=0)) as one:
        yield one


@pytest.fixture
def patient_client(api: ScriptedApi) -> Iterator[CyberdeskClient]:
    """A client of the scripted API that tries again, without waiting long."""
    retry = RetryConfig(min_delay_seconds=0.0001, max_delay_seconds=0.001)
    with CyberdeskClient("test-key", api.base_url, retry=retry) as one:
        yield one


def call_blocking(group: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    return getattr(group, f"{name}_sync")(*args, **kwargs)


def call_async(group: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    async def perform() -> Any:
        return await getattr(group, name)(*args, **kwargs)

    return asyncio.run(perform())


@pytest.fixture(params=[call_blocking, call_async], ids=["blocking", "async"])
def call(request: pytest.FixtureRequest) -> Call:
    """`call(client.runs, "get", run_id)`: the method under its blocking and its async name."""
    chosen: Call = request.param
    return chosen


@pytest.fixture(scope="session")
def surface() -> dict[str, Any]:
    """The published Python surface that this SDK is compatible with."""
    described: dict[str, Any] = json.loads((ROOT / "contract" / "sdk_surface.json").read_text())
    return described


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    """The published description of the API."""
    described: dict[str, Any] = json.loads((ROOT / "contract" / "openapi.json").read_text())
    return described


@pytest.fixture(scope="session")
def documents() -> Path:
    """The guides that this SDK keeps the promises of."""
    return Path(__file__).parent / "documents"
