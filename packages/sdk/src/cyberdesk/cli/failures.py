"""How a command ends when it does not end well: one line on standard error, and an exit code of its kind.

    Failure
    ├── Misuse       2  what was typed cannot be right: an unknown name, an unreadable file, no key
    ├── ApiFailure   3  the API did not answer, or refused
    └── StillGoing   4  the run did not end within `--timeout`; it goes on

A run that ended in another status than `success` is 1, and no failure of the command: its result is printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, TypeVar

import httpx

from cyberdesk import ApiResponse, MalformedAnswer, RunStillGoing, Unauthorized, UnexpectedStatus

T = TypeVar("T")

RUN_DID_NOT_SUCCEED_EXIT_CODE = 1
INTERRUPTED_EXIT_CODE = 130


class Failure(Exception):
    """Ends the command. Its text is the line that is printed."""

    exit_code: ClassVar[int]


class Misuse(Failure):
    """What was typed cannot be right."""

    exit_code = 2


class ApiFailure(Failure):
    """The API did not answer, or refused."""

    exit_code = 3


class StillGoing(Failure):
    """The run did not end in time; it goes on."""

    exit_code = 4


def answered(response: ApiResponse[T]) -> T:
    """What the API answered. Raises the `Failure` that says why it is not there."""
    with _as_failures():
        return response.unwrap()


def each(items: Iterator[T]) -> Iterator[T]:
    """The items of an iterator of the SDK. Raises the `Failure` that says why there are no more."""
    with _as_failures():
        yield from items


@contextmanager
def _as_failures() -> Iterator[None]:
    """What the SDK raises, as what it means for a command."""
    try:
        yield
    except RunStillGoing as error:
        raise StillGoing(f"{error}; it goes on: cyberdesk runs wait {error.run_id}") from error
    except Unauthorized as error:
        raise ApiFailure(f"the API does not accept this key: {error}") from error
    except UnexpectedStatus as error:
        raise ApiFailure(f"the API refused: {error}") from error
    except httpx.RequestError as error:
        raise ApiFailure(f"no answer from {_address(error)}: {error or type(error).__name__}") from error
    except MalformedAnswer as error:
        raise ApiFailure(str(error)) from error
    except ValueError as error:
        raise Misuse(str(error)) from error


def _address(error: httpx.RequestError) -> str:
    """Where the request went; httpx refuses to say for a request that was never made."""
    try:
        url = error.request.url
    except RuntimeError:
        return "the API"
    return f"{url.scheme}://{url.netloc.decode()}"
