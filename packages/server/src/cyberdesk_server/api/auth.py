"""Who is asking: `Authorization: Bearer <key>`, and whether that key may."""

from collections.abc import Callable
from hashlib import sha256
from time import monotonic
from typing import Annotated

from starlette.exceptions import HTTPException
from starlette.requests import Request

from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.supplied import Supplied
from cyberdesk_server.domain.organizations import ApiKey, KeyScope
from cyberdesk_server.store import keys

SECURITY_SCHEME = "HTTPBearer"
"""Name in the description. The key is checked by `authenticate`, before the body is read."""

FRESH_SECONDS = 2.0
"""How long a key that was looked up counts as known; so long a revoked key may go on to work."""

MOST_KEYS = 10_000


class KnownKeys:
    """The keys of the last moments, so that a busy caller's is not looked up for each of its requests."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """`clock` tells seconds and never goes back."""
        self._clock = clock
        self._known: dict[bytes, tuple[float, ApiKey]] = {}

    async def owner(self, parts: Parts, key: str) -> ApiKey | None:
        """Whose key this is, even if it has expired; None for an unknown or revoked one, which is looked up
        every time."""
        digest, now = sha256(key.encode("utf-8", "surrogatepass")).digest(), self._clock()
        looked_up_at, api_key = self._known.get(digest, (-FRESH_SECONDS, None))
        if api_key is not None and now - looked_up_at < FRESH_SECONDS:
            return api_key
        async with parts.database.read() as conn:
            found = await keys.authenticate(conn, key)
        if found is not None:
            parts.key_uses.note(found.id)
            if len(self._known) >= MOST_KEYS:
                self._known.clear()
            self._known[digest] = now, found
        return found


async def authenticate(request: Request, parts: Parts) -> ApiKey:
    """The key of this request. Answers 401 when there is none, or it opens nothing."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise _unauthorized("an API key is required: Authorization: Bearer <key>")
    known: KnownKeys = request.app.state.known_keys
    api_key = await known.owner(parts, key.strip())
    if api_key is None:
        raise _unauthorized("the API key is not valid")
    if api_key.expires_at is not None and not api_key.is_valid(parts.clock.now()):
        raise _unauthorized("the API key has expired")
    return api_key


def authorize(api_key: ApiKey, needed: KeyScope) -> None:
    """Answers 403, naming the scope, when the key may not do what asks for it."""
    if not api_key.scope.covers(needed):
        raise HTTPException(
            403, f"this needs an API key with the scope {needed}; the scope of this one is {api_key.scope}"
        )


def _unauthorized(detail: str) -> HTTPException:
    return HTTPException(401, detail, {"WWW-Authenticate": "Bearer"})


def _caller(request: Request) -> ApiKey:
    caller: ApiKey = request.state.caller
    return caller


Caller = Annotated[ApiKey, Supplied(_caller)]
"""The key of the request, for endpoints."""
