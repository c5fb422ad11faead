"""Asking a vault over HTTPS: a limit for each question, and another try where one makes sense.

No error says what was sent or answered: either may be a secret.
"""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyberdesk_server.ports import Clock, VaultUnavailable

if TYPE_CHECKING:
    import httpx

PAUSES_SECONDS = (0.1, 0.5)
"""Before the second and the third try; there is no fourth."""

_PASSING = frozenset({408, 412, 425, 429, 472, 473})
"""Statuses besides the 5xx that may be others a moment later; HashiCorp's replicas have some of their own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a vault said."""

    status: int
    body: Any
    """JSON, or None."""


class VaultServer:
    """The HTTP API of one vault."""

    def __init__(
        self, name: str, url: str, clock: Clock, *, timeout_seconds: float, ca: Path | None = None
    ) -> None:
        """`timeout_seconds` is for one try; `ca` has the certificates to trust, in PEM, in place of the
        usual ones."""
        self.name = name
        self._url = url
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._tls = ssl.create_default_context(cafile=ca)

    @cached_property
    def _client(self) -> "httpx.AsyncClient":
        import httpx  # only who has a vault elsewhere needs it

        return httpx.AsyncClient(base_url=self._url, timeout=self._timeout_seconds, verify=self._tls)

    async def ask(self, method: str, path: str, *, headers: Mapping[str, str], body: object = None) -> Answer:
        """The answer, whatever it says. Raises `VaultUnavailable` when there is none after three tries."""
        for pause_seconds in PAUSES_SECONDS:
            try:
                return await self._once(method, path, headers, body)
            except VaultUnavailable:
                await self._clock.sleep(pause_seconds)
        return await self._once(method, path, headers, body)

    def refusal(self, answer: Answer) -> VaultUnavailable:
        """What to raise for an answer that is none of those expected."""
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return VaultUnavailable(f"{self.name} refuses this server ({answer.status})")
        return VaultUnavailable(f"{self.name} answered {answer.status}")

    async def close(self) -> None:
        if "_client" in self.__dict__:
            await self._client.aclose()

    async def _once(self, method: str, path: str, headers: Mapping[str, str], body: object) -> Answer:
        import httpx

        try:
            answer = await self._client.request(method, path, headers=headers, json=body)
        except httpx.TimeoutException:
            raise VaultUnavailable(
                f"{self.name} did not answer in {self._timeout_seconds:g} seconds"
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise VaultUnavailable(f"{self.name} cannot be asked: {type(error).__name__}") from None
        if answer.status_code >= 500 or answer.status_code in _PASSING:
            raise VaultUnavailable(f"{self.name} answered {answer.status_code}")
        return Answer(answer.status_code, _json(answer.content))


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None


def member(body: Any, *path: str) -> Any:
    """What is at this path of a JSON body; None when nothing is."""
    for name in path:
        body = body.get(name) if isinstance(body, Mapping) else None
    return body
