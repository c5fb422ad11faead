"""How often may one API key ask?

Each key has a bucket of `requests` permits that fills evenly in `seconds`: a caller that was quiet may ask
`requests` times at once, and then every `seconds / requests`. Only buckets that are not full are kept, so
their number is bounded by the keys that were used in the last `seconds`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from cyberdesk_server.domain.ids import ApiKeyId


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the bucket of a key says to one request."""

    requests: int
    remaining: int
    full_at: datetime
    """When all `requests` are there again."""

    wait: timedelta = timedelta(0)
    """Nothing when the request may go on; else how long until one may."""

    @property
    def wait_seconds(self) -> int:
        """`wait` in whole seconds, rounded up."""
        return ceil(self.wait.total_seconds())

    def headers(self) -> Mapping[str, str]:
        """`X-RateLimit-Reset` is in seconds since 1970, `Retry-After` in seconds from now."""
        told = {
            "X-RateLimit-Limit": str(self.requests),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(ceil(self.full_at.timestamp())),
        }
        return told | {"Retry-After": str(self.wait_seconds)} if self.wait else told


class Rates:
    """The buckets of all keys of this process."""

    def __init__(self, requests: int, seconds: float) -> None:
        self._requests = requests
        self._refill = max(timedelta(seconds=seconds) // requests, timedelta.resolution)
        self._window = requests * self._refill  # so that rounding leaves no part of a permit
        self._full_at: dict[ApiKeyId, datetime] = {}
        """When each bucket is full again, the least recently used first."""

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key_id: ApiKeyId, now: datetime) -> Allowance:
        """One permit of this key, or how long to wait for one."""
        self._forget_full_ones(now)
        # A clock that was set back must not lock anybody out for longer than a window.
        before = min(max(self._full_at.pop(key_id, now), now), now + self._window)
        after = before + self._refill
        wait = after - now - self._window
        if wait > timedelta(0):
            self._full_at[key_id] = before
            return Allowance(self._requests, 0, before, wait)
        self._full_at[key_id] = after
        return Allowance(self._requests, -wait // self._refill, after)

    def _forget_full_ones(self, now: datetime) -> None:
        while self._full_at:
            oldest = next(iter(self._full_at))
            if self._full_at[oldest] > now:
                return
            del self._full_at[oldest]
