"""What to do after a connection failed or ended: decided by codes alone, never by reading an error's text.

The codes are those of the published servers (protocol, section 5).
"""

import re
from dataclasses import dataclass

from cyberdriver.errors import DriverError, KeyRefused, TurnedAway

NO_CLOSE = 1006
DO_NOT_COME_BACK = 4001
COME_BACK_LATER = 4008
MACHINE_LIMIT = 4009
DEFAULT_WAIT_SECONDS = 60.0
MAX_WAIT_SECONDS = 300.0
_WAIT = re.compile(r"(?:\bwait\s+|retry-after=)(\d{1,6})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Join again after the next back-off."""

    why: str


@dataclass(frozen=True, slots=True)
class WaitFor:
    """The server said when: join again then, with the back-off as new."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Joining again cannot succeed."""

    error: DriverError


Verdict = TryAgain | WaitFor | Stop


def after_close(code: int, reason: str) -> Verdict:
    """What a close of a tunnel that stood means."""
    if code == DO_NOT_COME_BACK:
        return Stop(TurnedAway(code, reason))
    if code == COME_BACK_LATER:
        return WaitFor(_seconds_in(reason), "the server asked to come back later")
    if code == MACHINE_LIMIT:
        return WaitFor(DEFAULT_WAIT_SECONDS, "the organization's machine limit is reached")
    if code == NO_CLOSE:
        return TryAgain("the line dropped")
    return TryAgain(f"the server closed the tunnel ({code}{f', {reason}' if reason else ''})")


def after_status(status: int, retry_after: str | None, location: str | None) -> Verdict:
    """What an HTTP answer in place of a WebSocket means."""
    if status in (401, 403):
        return Stop(KeyRefused(status))
    if 300 <= status < 400:
        # Not followed: the key must not travel to an address its owner did not write.
        return TryAgain(
            f"the server redirects (HTTP {status}) to {location or 'nowhere'}; join it there instead"
        )
    if status in (429, 503) and retry_after and retry_after.isdecimal():
        return WaitFor(min(float(retry_after[:6]), MAX_WAIT_SECONDS), f"the server is busy (HTTP {status})")
    if status == 404:
        return TryAgain("the server has no tunnel at this address (HTTP 404)")
    return TryAgain(f"the server answered HTTP {status}")


def _seconds_in(reason: str) -> float:
    found = _WAIT.search(reason)
    return min(float(found[1]), MAX_WAIT_SECONDS) if found else DEFAULT_WAIT_SECONDS
