"""One attempt of a request: sent, timed, told to the log and to those who want to hear of it.

`CYBERDESK_LOG=info` (or `debug`) shows attempts on standard error; a program that has set up logging finds
them under the logger `cyberdesk`. Neither keys nor queries, headers or bodies are ever logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cyberdesk._flow import Answer, Flow, Outcome, Request, clock, sent, told
from cyberdesk.errors import REQUEST_ID

if TYPE_CHECKING:
    import logging

LOG_VARIABLE = "CYBERDESK_LOG"
LEVELS = ("debug", "info")


@cache
def log() -> logging.Logger:
    """Where attempts are logged. Loading `logging` takes long; importing the SDK does without."""
    import logging

    return logging.getLogger("cyberdesk")


@dataclass(frozen=True)
class Attempt:
    """A request that is about to be sent: `path` is below the base URL, `number` counts from 0."""

    method: str
    path: str
    number: int


@dataclass(frozen=True)
class AttemptResult:
    """What came of an attempt after so many `seconds`.

    `status` and `request_id` are those of the answer; without an answer `error` says why there is none.
    """

    attempt: Attempt
    seconds: float
    status: int | None = None
    request_id: str | None = None
    error: Exception | None = None


@dataclass(frozen=True)
class Hooks:
    """Who wants to hear of attempts. What they raise ends the call with that error."""

    on_request: Callable[[Attempt], object] | None = None
    on_response: Callable[[AttemptResult], object] | None = None


def attempted(request: Request, number: int, hooks: Hooks) -> Flow[Outcome]:
    """The outcome of sending the request once."""
    if not _is_heard(hooks):
        return (yield from sent(request))
    attempt = Attempt(request.method, request.path, number)
    log().debug("%s %s attempt %d", attempt.method, attempt.path, number + 1)
    if hooks.on_request is not None:
        yield from told(hooks.on_request, attempt)
    begun = (yield from clock()).seconds
    outcome = yield from sent(request)
    result = _result(attempt, (yield from clock()).seconds - begun, outcome)
    _log(result)
    if hooks.on_response is not None:
        yield from told(hooks.on_response, result)
    return outcome


def _is_heard(hooks: Hooks) -> bool:
    """Whether anyone wants to hear of attempts: a hook, or the log."""
    import logging

    has_hook = hooks.on_request is not None or hooks.on_response is not None
    return has_hook or log().isEnabledFor(logging.INFO)


def _result(attempt: Attempt, seconds: float, outcome: Outcome) -> AttemptResult:
    if isinstance(outcome, Answer):
        return AttemptResult(attempt, seconds, outcome.status, outcome.headers.get(REQUEST_ID))
    return AttemptResult(attempt, seconds, error=outcome.error)


def _log(result: AttemptResult) -> None:
    log().info(
        "%s %s %s %.0f ms attempt %d request %s",
        result.attempt.method,
        result.attempt.path,
        result.status or type(result.error).__name__,
        result.seconds * 1000,
        result.attempt.number + 1,
        result.request_id or "-",
    )


def switch_log_on(environment: Mapping[str, str]) -> None:
    """Log as the environment asks; on standard error where the program has not set logging up."""
    wish = environment.get(LOG_VARIABLE, "").strip().lower()
    if not wish:
        return
    if wish not in LEVELS:
        raise ValueError(f"{LOG_VARIABLE}: {wish!r} is neither debug nor info")
    import logging

    log().setLevel(wish.upper())
    if not log().hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
        log().addHandler(handler)
