"""A run beside a server that answers as providers of language models do."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from cyberdesk_server.testing.model_servers import ModelServer
from cyberdesk_server.testing.scenes import Scene


@pytest.fixture
async def scene(stage: Any) -> AsyncIterator[Scene]:
    async with ModelServer().running() as server:
        scene = Scene(stage, server)
        yield scene
        await scene.models.close()
