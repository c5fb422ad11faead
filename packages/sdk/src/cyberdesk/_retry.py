"""When a request is sent again, and how long to wait before.

Sent again: after a timeout or a broken connection, and after the statuses 408, 429, 500, 502, 503, 504 and
the 409 of a request that is still in progress. A write only when it carries an idempotency key, so that twice
is once. The wait doubles from attempt to attempt, with full jitter; a `Retry-After` of the API replaces it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cyberdesk._attempts import log
from cyberdesk._flow import Answer, Flow, NoAnswer, Outcome, clock, paused, told

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})

LONGEST_RETRY_AFTER_SECONDS = 120.0
"""A `Retry-After` beyond this is not waited for: the answer that asks for it is the answer of the call."""


@dataclass
class RetryConfig:
    """How often and how patiently a failed request is sent again.

    `max_retries` counts the attempts after the first; 0 sends once. Before retry n (from 0) the SDK waits
    what the API asks for, else a random time up to `min_delay_seconds * 2**n`, at most `max_delay_seconds`.

    `on_retry` is called before each wait with `attempt` (0-based index of the attempt that failed),
    `max_retries`, `delay_seconds`, `reason` (`timeout`, `network_error` or `http_status`) and, for the last,
    `status_code`. What it raises ends the call with that error. For async calls it may be async.
    """

    max_retries: int = 3
    min_delay_seconds: float = 0.25
    max_delay_seconds: float = 8.0
    on_retry: Callable[[dict[str, Any]], object] | None = None

    def __post_init__(self) -> None:
        for name in ("max_retries", "min_delay_seconds", "max_delay_seconds"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}: {getattr(self, name)!r} is less than nothing")


def retrying(
    attempt: Callable[[int], Flow[Outcome]],
    retry: RetryConfig,
    jitter: Callable[[float], float],
    is_promised: Callable[[int], bool],
) -> Flow[Outcome]:
    """The last outcome of a flow that is performed again while its failure is worth it.

    The flow is made with the number of the attempt, from 0.
    `jitter` chooses a time between zero and the given number of seconds. A status that `is_promised` is no
    failure, whatever it is.
    """
    for number in range(retry.max_retries):
        outcome = yield from attempt(number)
        failure = _passing_failure(outcome)
        if failure is None or (isinstance(outcome, Answer) and is_promised(outcome.status)):
            return outcome
        backoff = jitter(min(retry.max_delay_seconds, retry.min_delay_seconds * 2**number))
        asked = None
        if isinstance(outcome, Answer):
            asked = retry_after_seconds(outcome.headers, (yield from clock()).utc)
        if asked is not None and asked > LONGEST_RETRY_AFTER_SECONDS:
            return outcome
        delay = backoff if asked is None else asked
        if retry.on_retry is not None:
            about = {"attempt": number, "max_retries": retry.max_retries, "delay_seconds": delay}
            yield from told(retry.on_retry, {**about, **failure})
        log().debug("waiting %.3f s before attempt %d", delay, number + 2)
        yield from paused(delay)
    return (yield from attempt(retry.max_retries))


def _passing_failure(outcome: Outcome) -> dict[str, Any] | None:
    """Why this outcome may be another one next time; None when it is final."""
    match outcome:
        case NoAnswer(is_permanent=True):
            return None
        case NoAnswer(reason=reason):
            return {"reason": reason}
        case Answer(status=status, headers=headers):
            in_progress = status == 409 and headers.get("idempotency-status", "").lower() == "in_progress"
            if status in RETRIED_STATUSES or in_progress:
                return {"reason": "http_status", "status_code": status}
            return None


def retry_after_seconds(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """How long the API asks to wait, given in seconds or as a date; None when it does not, or unclearly."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        return _seconds_until(text, now)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _seconds_until(date: str, now: dt.datetime) -> float | None:
    from email.utils import parsedate_to_datetime  # here, because it takes long to load and is rarely needed

    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)
    return max(0.0, (moment - now).total_seconds())
