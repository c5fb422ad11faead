"""Writes: once per idempotency key, and one transaction each unless they reach beyond the database.

What was answered under a key is kept in the transaction of the write itself, so there is no moment at which
one is there without the other, and a write that was cut off by the end of its process has neither. While one
request works under a key, another with the same key is told to come back: by this process's own list, and
between processes by a lock in the database. A 5xx is never kept, nor is what is refused before the write
begins: a missing API key, too many requests, a body that is no such thing.

What reaches beyond the database, to a desktop, is no transaction. It is noted under its key before it begins
and answered there afterwards; if that answer never came to be, whoever does the work is told that it may have
been done, and by which id.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api import errors
from cyberdesk_server.api.bodies import is_form
from cyberdesk_server.api.routes import parts_of
from cyberdesk_server.api.schemas.common import MAX_KEY_LENGTH
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.refusals import IdempotencyKeyReused, Refused, WriteUnderWay, invalid
from cyberdesk_server.ports import DesktopError, DesktopNotAsked
from cyberdesk_server.store import idempotency
from cyberdesk_server.store.idempotency import Begun, Remembered

HEADER = "idempotency-key"
REPLAYED = {"Idempotency-Status": "replayed"}

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
    Raises `IdempotencyKeyReused`, `WriteUnderWay`, and `InvalidFields` for a key that is none.
    """
    key = _key_of(request)
    if key is None:
        async with parts_of(request).database.transaction() as conn:
            return await work(conn)
    with _alone(request, key):
        digest = await _digest(request)
        try:
            return await _write_once(request, key, digest, work)
        except (IdempotencyKeyReused, WriteUnderWay):
            raise
        except Refused as refusal:
            refused = errors.answer(refusal)
            if refused.status_code >= 500:
                return refused

            async def refuse(_: AsyncConnection) -> Response:
                return refused

            # Its transaction is undone, so meanwhile another process may have given the key another answer.
            return await _write_once(request, key, digest, refuse)


async def reach(request: Request, work: Reaching) -> Response:
    """Do `work`, which is no transaction, and answer what it answers, or what was answered under the key.

    A 5xx leaves it open whether the work was done, save when the desktop was never asked.
    Raises `IdempotencyKeyReused`, `WriteUnderWay`, and `InvalidFields` for a key that is none.
    """
    key = _key_of(request)
    if key is None:
        return await work(Attempt())
    with _alone(request, key):
        return await _reach_once(request, key, await _digest(request), work)


def _key_of(request: Request) -> str | None:
    key = request.headers.get(HEADER)
    if key is not None and not 0 < len(key) <= MAX_KEY_LENGTH:
        raise invalid(("header", "Idempotency-Key"), f"must have 1 to {MAX_KEY_LENGTH} characters")
    return key


@contextmanager
def _alone(request: Request, key: str) -> Iterator[None]:
    """Nobody else in this process works under the key meanwhile."""
    under_way, name = parts_of(request).under_way, (_organization_of(request), key)
    if name in under_way:
        raise WriteUnderWay(key)
    under_way.add(name)
    try:
        yield
    finally:
        under_way.remove(name)


async def _write_once(request: Request, key: str, digest: str, work: Work) -> Response:
    parts, organization_id = parts_of(request), _organization_of(request)
    async with parts.database.transaction() as conn:
        if not await idempotency.lock(conn, organization_id, key):
            raise WriteUnderWay(key)
        known = await idempotency.recall(conn, organization_id, key, now=parts.clock.now())
        if known is not None:
            return _again(known, digest, key)
        response = await work(conn)
        answered = _answered(digest, response)
        await idempotency.remember(conn, organization_id, key, answered, now=parts.clock.now())
        return response


async def _reach_once(request: Request, key: str, digest: str, work: Reaching) -> Response:
    parts, organization_id = parts_of(request), _organization_of(request)
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
    if response.status_code < 500:
        async with parts.database.transaction() as conn:
            await idempotency.finish(conn, organization_id, key, _answered(digest, response))
    elif begun.is_new and not was_asked:
        async with parts.database.transaction() as conn:
            await idempotency.take_back(conn, organization_id, key)
    return response


def _organization_of(request: Request) -> OrganizationId:
    organization_id: OrganizationId = request.state.caller.organization_id
    return organization_id


def _action_id(organization_id: str, key: str, begun: Begun) -> str:
    # With its time, because a key is new again after a day and what a driver remembers may be older.
    asked = f"{organization_id}\n{key}\n{begun.since.isoformat()}"
    return hashlib.sha256(asked.encode()).hexdigest()[:32]


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


def _answered(digest: str, response: Response) -> Remembered:
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Remembered(digest, response.status_code, bytes(response.body), headers)


def _again(known: Remembered, digest: str, key: str) -> Response:
    if known.request_digest != digest:
        raise IdempotencyKeyReused(key)
    return Response(known.body, known.status, {**known.headers, **REPLAYED})
