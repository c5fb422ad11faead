"""What endpoints are given of the request, and what the framework sees of it."""

from inspect import signature
from typing import Annotated

from cyberdesk_server.api.supplied import Supplied, supplied
from starlette.requests import Request

PathOf = Annotated[str, Supplied(lambda request: request.url.path)]


def a_request() -> Request:
    return Request(
        {"type": "http", "path": "/runs", "headers": [], "server": ("host", 80), "query_string": b""}
    )


async def test_a_marked_parameter_is_filled_in_and_not_seen() -> None:
    async def endpoint(number: int, path: PathOf, text: str = "none") -> tuple[int, str, str]:
        return number, path, text

    seen = supplied(endpoint)

    assert {name: parameter.default for name, parameter in signature(seen).parameters.items()} == {
        "request": signature(seen).empty,
        "number": signature(endpoint).empty,
        "text": "none",
    }
    assert await seen(request=a_request(), number=1) == (1, "/runs", "none")


async def test_an_endpoint_gets_the_request_when_it_asks_for_it() -> None:
    async def endpoint(request: Request, path: PathOf) -> bool:
        return request.url.path == path

    assert await supplied(endpoint)(request=a_request())


def test_an_endpoint_without_marks_stays_as_it_is() -> None:
    async def endpoint(number: int) -> int:
        return number

    assert supplied(endpoint) is endpoint
