"""What the audit log is told of a request: whose key, which operation, on what, and how it ended."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice

import orjson
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.named_ids import as_id
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.audit import Entry
from cyberdesk_server.domain.organizations import ApiKey

MAX_TARGETS = 1100
"""As many as one request makes, and what it names besides."""

MAX_TARGET_CHARACTERS = 128

TOO_MANY = 429
"""Not noted: a key that asks too often must not fill the log with it."""

_ONE = re.compile(rb'\{"id":"([0-9a-f-]{36})"')
"""How an answer begins that tells one thing."""

_MANY = ("created_runs", "run_ids")
"""Members of answers that tell the things that were made."""


def note(request: Request, parts: Parts, operation: str, response: Response | None) -> None:
    """Note this write, unless nobody with a key asked for it. Without an answer it ended in a 500."""
    caller: ApiKey | None = getattr(request.state, "caller", None)
    if parts.audit is None or caller is None:
        return
    status = 500 if response is None else response.status_code
    if status == TOO_MANY:
        return
    in_path = (_in_path(str(value)) for value in request.scope["path_params"].values())
    in_body: Sequence[str] = getattr(request.state, "named_ids", ())
    made = _made(bytes(response.body)) if response is not None and status == 201 else ()
    parts.audit.note(
        Entry(
            organization_id=caller.organization_id,
            at=parts.clock.now(),
            api_key_id=caller.id,
            actor=caller.name,
            operation=operation,
            targets=tuple(islice(dict.fromkeys(chain(in_path, in_body, made)), MAX_TARGETS)),
            status_code=status,
            request_id=getattr(request.state, "request_id", ""),
        )
    )


def _in_path(text: str) -> str:
    return as_id(text) or text[:MAX_TARGET_CHARACTERS]


def _made(body: bytes) -> Iterator[str]:
    """Ids of what the answer says was made. Most begin with it, and are not read any further."""
    if (one := _ONE.match(body)) is not None:
        yield one[1].decode()
        return
    value = orjson.loads(body)
    if "id" in value:
        yield value["id"]
    for name in _MANY:
        for made in value.get(name, ()):
            yield made if isinstance(made, str) else made["id"]
