"""Answers as JSON, written by orjson from values of the domain."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from starlette.responses import Response

from cyberdesk_server.domain.json import JsonObject, uuid_as_text
from cyberdesk_server.domain.refusals import Problem


class JsonAnswer(Response):
    """JSON with UUIDs, enums and times (`2030-01-01T12:00:00Z`) in it."""

    media_type = "application/json"

    def __init__(
        self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(content, status_code, headers)

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content, uuid_as_text, option=orjson.OPT_UTC_Z)


def problem_details(problems: Iterable[Problem]) -> list[JsonObject]:
    """The `detail` of a 422, in the shape of the contract's `HTTPValidationError`."""
    return [
        {"loc": list(problem.location), "msg": problem.message, "type": problem.type} for problem in problems
    ]


def no_content() -> Response:
    return Response(status_code=204)
