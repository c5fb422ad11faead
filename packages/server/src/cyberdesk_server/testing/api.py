"""The API for tests: built once, for that takes longer than most tests."""

from functools import cache
from typing import Any, cast

from fastapi import FastAPI

from cyberdesk_server.api.app import create_app, equip
from cyberdesk_server.api.parts import Parts


def an_api(parts: Parts) -> FastAPI:
    """The API over these parts, and no longer over those it was asked for before."""
    app = _app()
    equip(app, parts)
    return app


def the_description() -> dict[str, Any]:
    """What the API says of itself at `/openapi.json`."""
    return _app().openapi()


@cache
def _app() -> FastAPI:
    return create_app(cast(Parts, None))  # describing needs none
