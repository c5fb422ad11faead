"""The providers' own libraries, loaded with the first question: an idle server does without their 90 MB."""

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

CONNECT_SECONDS = 10.0
"""For a connection to a provider."""

NO_KEY = "none"
"""Sent to servers that want no key: the libraries do not go without."""


class Libraries:
    """One client for each address, which holds connections and no key: a key is a header of one request.

    What a client sends is what it is told. The libraries look into the environment for keys, addresses,
    organizations and further headers; nothing of that counts here. Only its proxies do, as everywhere.
    """

    def __init__(self) -> None:
        self._anthropic: dict[str, AsyncAnthropic] = {}
        self._openai: dict[str, AsyncOpenAI] = {}

    async def anthropic(self, base_url: str) -> "AsyncAnthropic":
        if base_url not in self._anthropic:
            client = await asyncio.to_thread(_new_anthropic, base_url)
            self._anthropic.setdefault(base_url, client)
        return self._anthropic[base_url]

    async def openai(self, base_url: str) -> "AsyncOpenAI":
        if base_url not in self._openai:
            client = await asyncio.to_thread(_new_openai, base_url)
            self._openai.setdefault(base_url, client)
        return self._openai[base_url]

    async def close(self) -> None:
        """Close the connections."""
        for anthropic in self._anthropic.values():
            await anthropic.close()
        for openai in self._openai.values():
            await openai.close()


# Loading a library takes a second or more, and a client some tenths for its certificates: in a thread, so
# that other runs go on meanwhile. The first question loads the prices with it.


def _new_anthropic(base_url: str) -> "AsyncAnthropic":
    import genai_prices  # noqa: F401
    from anthropic import AsyncAnthropic, Timeout

    client = AsyncAnthropic(
        base_url=base_url,
        api_key=NO_KEY,
        max_retries=0,
        timeout=Timeout(None, connect=CONNECT_SECONDS),
        open_telemetry=False,
    )
    client._custom_headers = {}  # of the environment
    _quiet("anthropic")
    return client


def _new_openai(base_url: str) -> "AsyncOpenAI":
    import genai_prices  # noqa: F401
    from openai import AsyncOpenAI, Timeout

    client = AsyncOpenAI(
        base_url=base_url, api_key=NO_KEY, max_retries=0, timeout=Timeout(None, connect=CONNECT_SECONDS)
    )
    client.organization = client.project = client.admin_api_key = None
    client._custom_headers = {}  # of the environment
    _quiet("openai")
    return client


def _quiet(library: str) -> None:
    """At its most talkative, which the environment may ask for, a library logs requests, key and all."""
    logging.getLogger(library).setLevel(logging.WARNING)
