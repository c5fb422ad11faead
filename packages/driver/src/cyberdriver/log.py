"""Log lines for people: time, level, what happened, facts as `name=value`; on standard error."""

import logging
import sys
from datetime import UTC, datetime
from typing import TextIO


class _Line(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """The time in UTC, to the millisecond."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def start_logging(stream: TextIO | None = None, *, is_verbose: bool = False) -> None:
    """From now on this process logs. The WebSocket library stays quiet: its debug lines hold handshakes."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Line())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if is_verbose else logging.INFO)
    for library in ("websockets", "asyncio", "PIL"):
        logging.getLogger(library).setLevel(logging.WARNING)
