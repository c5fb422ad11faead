"""Request bodies as JSON that can be kept, typed into a desktop, and answered again.

Refused with 422, naming the field: what no JSON is, NUL characters and halves of surrogate pairs (no
database keeps them), whole numbers beyond 64 bits and infinite ones (they would come back changed), and
nesting deeper than `MAX_DEPTH`.

A form holds one file of at most 10 MB; what surrounds it counts little.

A file in a body is base64 of up to 140 MB. It is held once, as it was received: where a route expects files,
long texts are cut out before the JSON is read, and endpoints get views of the body (`Base64Text`).
"""

import json
import math
from collections.abc import Iterator, MutableMapping
from typing import Any, NoReturn

from fastapi import HTTPException
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope

from cyberdesk_server.api.answers import problem_details
from cyberdesk_server.api.named_ids import Members, ids_in
from cyberdesk_server.domain.base64_text import Base64Text, cut_out
from cyberdesk_server.domain.prompt_images import MAX_BYTES
from cyberdesk_server.domain.refusals import InvalidFields, Problem, invalid

MAX_DEPTH = 64
"""How deep a body may be nested: orjson writes up to 254 levels, and an answer adds some."""

MAX_FORM_BYTES = MAX_BYTES + 64 * 1024
"""An image of a prompt and what a form writes around it."""

INTEGERS = range(-(2**63), 2**64)

Places = frozenset[tuple[str, ...]]
"""Where files stand in a body: the names of members from the outermost in, lists left out."""


class StrictRequest(Request):
    """A request whose `json` refuses what `parse` refuses, and whose `body` has a largest size.

    `state.named_ids` are the ids in these `members` of the body, once it was read.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        *,
        max_body_bytes: int,
        files: Places = frozenset(),
        members: Members | None = None,
    ) -> None:
        super().__init__(scope, receive)
        self._max_body_bytes = max_body_bytes
        self._files = files
        self._members = members
        self._received: bytearray | None = None

    async def body(self) -> bytes:
        if self._received is None:
            most = self._max_body_bytes
            if is_form(self):
                most = min(most, MAX_FORM_BYTES)
            received = bytearray()  # grows in place: pieces that are joined at the end would be there twice
            async for chunk in self.stream():
                if len(received) + len(chunk) > most:
                    raise HTTPException(413, f"the body is larger than {most} bytes")
                received += chunk
            self._received = received
        return self._received  # type: ignore[return-value]  # as good as bytes to all who read it

    async def _get_form(self, **limits: Any) -> FormData:
        # Received first, so that it is not too large, and can be read again for the idempotency key.
        self._body = bytes(await self.body())
        try:
            return await super()._get_form(**limits)
        except StarletteHTTPException as error:
            problem = Problem(("body",), f"is no form: {error.detail}", "form_invalid")
            raise HTTPException(422, problem_details([problem])) from error

    async def json(self) -> Any:
        try:
            value = parse(await self.body(), self._files)
        except InvalidFields as refusal:
            # FastAPI calls every exception here a 400, save its own kind.
            raise HTTPException(422, problem_details(refusal.problems)) from refusal
        if self._members:
            self.state.named_ids = ids_in(value, self._members)
        return value


def is_form(request: Request) -> bool:
    """True when the body is made of parts, between lines that each client makes up anew."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


def parse(body: bytes | bytearray, files: Places = frozenset()) -> Any:
    """The JSON value of a body. Long texts in the places of files are `Base64Text`s."""
    texts: MutableMapping[str, Base64Text] = {}
    document = body
    if files:
        document, texts = cut_out(body)
    try:
        value = json.loads(document, parse_constant=_refuse_constant)
    except RecursionError:
        raise invalid(("body",), f"is nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        raise invalid(("body", error.pos), f"is not JSON: {error.msg}", "json_invalid") from None
    except ValueError as error:  # not UTF-8, or a number with thousands of digits
        raise invalid(("body",), f"is not JSON: {error}", "json_invalid") from None
    if texts:
        value = _with_texts(value, texts, files)
    problems = tuple(_problems(value, ("body",)))
    if problems:
        raise InvalidFields(problems[:20])
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _with_texts(
    value: Any, texts: MutableMapping[str, Base64Text], files: Places, location: tuple[str | int, ...] = ()
) -> Any:
    """The value with the texts that were cut out. Each comes once: a second mark is the caller's own."""
    if len(location) > MAX_DEPTH:
        return value  # it is refused for that
    match value:
        case dict():
            return {name: _with_texts(item, texts, files, (*location, name)) for name, item in value.items()}
        case list():
            return [_with_texts(item, texts, files, (*location, index)) for index, item in enumerate(value)]
        case str() if value in texts:
            is_file = tuple(name for name in location if isinstance(name, str)) in files
            text = texts.pop(value)
            return text if is_file else text.as_text()
        case _:
            return value


def _problems(value: Any, location: tuple[str | int, ...]) -> Iterator[Problem]:
    if len(location) > MAX_DEPTH:
        yield Problem(location[:4], f"is nested deeper than {MAX_DEPTH} levels", "too_deep")
        return
    match value:
        case str():
            if (reason := text_problem(value)) is not None:
                yield Problem(location, reason, "string_characters")
        case bool() | None:
            return
        case int():
            if value not in INTEGERS:
                yield Problem(location, "is beyond 64 bits; send it as text", "int_size")
        case float():
            if not math.isfinite(value):
                yield Problem(location, "is too large a number", "float_size")
        case dict():
            for name, item in value.items():
                if (reason := text_problem(name)) is not None:
                    yield Problem(location, f"has a member whose name {reason}", "string_characters")
                else:
                    yield from _problems(item, (*location, name))
        case list():
            for index, item in enumerate(value):
                yield from _problems(item, (*location, index))


def text_problem(text: str) -> str | None:
    """Why a text cannot be kept; None when it can."""
    if text.isascii():
        return "holds a NUL character" if "\0" in text else None
    if "\0" in text:
        return "holds a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair"
    return None
