"""The limits of new runs and of workflows: refused when the server allows less, and reckoned from when."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cyberdesk_server.domain.limits import Limited, RunLimits, ServerLimits
from cyberdesk_server.domain.refusals import Problem


def limits_too_large(
    asked: RunLimits, allowed: ServerLimits, at: tuple[str | int, ...] = ("body",)
) -> Iterator[Problem]:
    """What the server does not allow of these limits, which stand at this place of a request."""
    for name, most in asked.beyond(allowed.most):
        yield Problem((*at, name), f"this server allows at most {most:g}", "less_than_equal")


def start_within_seconds(own: RunLimits, workflow: Limited, allowed: ServerLimits) -> float | None:
    """How long a run with these limits of its own may wait; None for ever."""
    return own.or_else(RunLimits.of(workflow)).or_else(allowed.usual).wait_time_limit_seconds


def start_by(within_seconds: float | None, now: datetime) -> datetime | None:
    """When a run whose turn it is from now on has waited too long; None never."""
    return None if within_seconds is None else now + timedelta(seconds=within_seconds)
