"""Who is asking: `Authorization: Bearer <key>`."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.requests import Request

from cyberdesk_server.domain.organizations import ApiKey
from cyberdesk_server.store import keys
from cyberdesk_server.store.database import Database

bearer = HTTPBearer(auto_error=False)
"""Only the description: the key is checked by `authenticate`, before the body is read."""


async def authenticate(request: Request, database: Database) -> ApiKey:
    """The key of this request. Answers 401 when there is none, or it opens nothing."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise _unauthorized("an API key is required: Authorization: Bearer <key>")
    async with database.read() as conn:
        api_key = await keys.authenticate(conn, key.strip())
    if api_key is None:
        raise _unauthorized("the API key is not valid")
    return api_key


def _unauthorized(detail: str) -> HTTPException:
    return HTTPException(401, detail, {"WWW-Authenticate": "Bearer"})


async def _caller(request: Request) -> ApiKey:
    caller: ApiKey = request.state.caller
    return caller


Caller = Annotated[ApiKey, Depends(_caller)]
"""The key of the request, for endpoints."""
