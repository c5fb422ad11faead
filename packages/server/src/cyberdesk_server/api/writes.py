"""Writes: one transaction each, and once per idempotency key.

What was answered under a key is kept in the transaction of the write itself, so there is no moment at which
one is there without the other. Of two requests with the same key at the same time the second waits for
the first and gets its answer. A 5xx is never kept.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api import errors
from cyberdesk_server.api.bodies import text_problem
from cyberdesk_server.api.routes import parts_of
from cyberdesk_server.domain.organizations import ApiKey
from cyberdesk_server.domain.refusals import IdempotencyKeyReused, Refused, invalid
from cyberdesk_server.store import idempotency
from cyberdesk_server.store.idempotency import Remembered

HEADER = "idempotency-key"
MAX_KEY_LENGTH = 255
REPLAYED = {"Idempotency-Status": "replayed"}

Work = Callable[[AsyncConnection], Awaitable[Response]]


async def write(request: Request, work: Work) -> Response:
    """Do `work` in one transaction and answer what it answers, or what was answered under the request's key.

    A refusal undoes the transaction and is kept as an answer like any other.
    """
    parts = parts_of(request)
    key = _key(request)
    if key is None:
        async with parts.database.transaction() as conn:
            return await work(conn)
    caller: ApiKey = request.state.caller
    digest = await _digest(request)
    try:
        async with parts.database.transaction() as conn:
            known = await idempotency.recall(conn, caller.organization_id, key, now=parts.clock.now())
            if known is not None:
                return _again(known, digest, key)
            response = await work(conn)
            await _remember(conn, caller, key, digest, response, request)
            return response
    except IdempotencyKeyReused:
        raise
    except Refused as refusal:
        response = errors.answer(refusal)
        async with parts.database.transaction() as conn:
            await _remember(conn, caller, key, digest, response, request)
        return response


def _key(request: Request) -> str | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY_LENGTH or text_problem(key):
        raise invalid(("header", "Idempotency-Key"), f"must have 1 to {MAX_KEY_LENGTH} characters")
    return key


async def _digest(request: Request) -> str:
    # Keyed, so that nobody who reads the table can try out which short secret was in the body.
    digest = hmac.new(request.headers["authorization"].encode(), digestmod=hashlib.sha256)
    for part in (request.method, request.url.path, request.url.query):
        digest.update(part.encode() + b"\n")
    digest.update(await request.body())
    return digest.hexdigest()


def _again(known: Remembered, digest: str, key: str) -> Response:
    if known.request_digest != digest:
        raise IdempotencyKeyReused(key)
    media_type = "application/json" if known.body else None
    return Response(known.body, known.status, REPLAYED, media_type)


async def _remember(
    conn: AsyncConnection, caller: ApiKey, key: str, digest: str, response: Response, request: Request
) -> None:
    answered = Remembered(digest, response.status_code, bytes(response.body))
    await idempotency.remember(conn, caller.organization_id, key, answered, now=parts_of(request).clock.now())
