"""Writes: once per idempotency key, and one transaction each unless they reach beyond the database.

What was answered under a key is kept in the transaction of the write itself, so there is no moment at which
one is there without the other. Of two requests with the same key at the same time the second waits for
the first and gets its answer. A 5xx is never kept.

What reaches beyond the database, to a desktop, is no transaction. It is noted under its key before it begins
and answered there afterwards; if that answer never came to be, whoever does the work is told that it may have
been done, and by which id. Of two such requests at the same time the second is told to come back.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api import errors
from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.api.bodies import is_form, text_problem
from cyberdesk_server.api.routes import parts_of
from cyberdesk_server.domain.organizations import ApiKey
from cyberdesk_server.domain.refusals import IdempotencyKeyReused, Refused, invalid
from cyberdesk_server.ports import DesktopError, DesktopNotAsked
from cyberdesk_server.store import idempotency
from cyberdesk_server.store.idempotency import Begun, Remembered

HEADER = "idempotency-key"
MAX_KEY_LENGTH = 255
REPLAYED = {"Idempotency-Status": "replayed"}

IN_PROGRESS = {"Idempotency-Status": "in_progress", "Retry-After": "1"}

Work = Callable[[AsyncConnection], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a write that reaches beyond the database."""

    action_id: str | None = None
    """The same at every try under one idempotency key; None without a key."""

    is_repeat: bool = False
    """True when an earlier try got no answer: it may have been done."""


Reaching = Callable[[Attempt], Awaitable[Response]]


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


async def reach(request: Request, work: Reaching) -> Response:
    """Do `work`, which is no transaction, and answer what it answers, or what was answered under the key.

    A 5xx leaves it open whether the work was done, save when the desktop was never asked.
    """
    under_way, key = parts_of(request).under_way, _key(request)
    if key is None:
        return await work(Attempt())
    name = request.state.caller.organization_id, key
    if name in under_way:
        return JsonAnswer({"detail": "the first request under this key is still going on"}, 409, IN_PROGRESS)
    under_way.add(name)
    try:
        return await _reach_once(request, work, key)
    finally:
        under_way.remove(name)


async def _reach_once(request: Request, work: Reaching, key: str) -> Response:
    parts, organization_id = parts_of(request), request.state.caller.organization_id
    digest = await _digest(request)
    async with parts.database.transaction() as conn:
        begun = await idempotency.begin(conn, organization_id, key, digest, now=parts.clock.now())
    if isinstance(begun, Remembered):
        return _again(begun, digest, key)
    if begun.request_digest != digest:
        raise IdempotencyKeyReused(key)
    was_asked = True
    try:
        response = await work(Attempt(_action_id(organization_id, key, begun), is_repeat=not begun.is_new))
    except (Refused, DesktopError) as error:
        was_asked = not isinstance(error, DesktopNotAsked)
        response = errors.answer(error)
    answered = Remembered(digest, response.status_code, bytes(response.body))
    if response.status_code < 500:
        async with parts.database.transaction() as conn:
            await idempotency.finish(conn, organization_id, key, answered)
    elif begun.is_new and not was_asked:
        async with parts.database.transaction() as conn:
            await idempotency.take_back(conn, organization_id, key)
    return response


def _action_id(organization_id: str, key: str, begun: Begun) -> str:
    # With its time, because a key is new again after a day and what a driver remembers may be older.
    asked = f"{organization_id}\n{key}\n{begun.since.isoformat()}"
    return hashlib.sha256(asked.encode()).hexdigest()[:32]


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
    if is_form(request):
        await _digest_form(request, digest)
    else:
        digest.update(await request.body())
    return digest.hexdigest()


async def _digest_form(request: Request, digest: hmac.HMAC) -> None:
    # A client that sends a form again draws other lines between its parts; what is in them is the same.
    for name, value in (await request.form()).multi_items():
        content = value.encode() if isinstance(value, str) else await _content(value)
        filename = None if isinstance(value, str) else value.filename
        for part in (name.encode(), repr(filename).encode(), content):
            digest.update(len(part).to_bytes(8, "big") + part)


async def _content(file: UploadFile) -> bytes:
    await file.seek(0)
    return await file.read()


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
