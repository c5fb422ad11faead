"""A language model that asks a server on this machine."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from cyberdesk_server.adapters.models.anthropic.client import AnthropicProvider
from cyberdesk_server.adapters.models.conversation import Provider
from cyberdesk_server.adapters.models.libraries import Libraries
from cyberdesk_server.adapters.models.openai.client import ChatProvider, ResponsesProvider
from cyberdesk_server.testing.model_servers import ModelServer
from cyberdesk_server.testing.talks import Talk


@pytest.fixture
async def libraries() -> AsyncIterator[Libraries]:
    libraries = Libraries()
    yield libraries
    await libraries.close()


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer().running() as server:
        yield server


@pytest.fixture
def talking(server: ModelServer, libraries: Libraries) -> Callable[..., Talk]:
    """A talk with the provider of this interface."""

    def talk(endpoint: str, **options: Any) -> Talk:
        usual: dict[str, Any] = {"model": "model-test", "max_tokens": None, "extra": {}} | options
        match endpoint:
            case "messages":
                provider: Provider = AnthropicProvider(libraries, base_url=server.url, **usual)
            case "responses":
                provider = ResponsesProvider(libraries, base_url=f"{server.url}/v1", **usual)
            case _:
                provider = ChatProvider(libraries, platform="vllm", base_url=f"{server.url}/v1", **usual)
        return Talk(provider, server)

    return talk
