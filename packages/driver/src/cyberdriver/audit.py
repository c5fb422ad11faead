"""What the server asked of this machine, for its owner: one JSON line per request, never a typed text.

    {"at": "2030-01-01T09:00:00.000+00:00", "method": "POST", "path": "/computer/input/keyboard/type",
     "status": 200, "milliseconds": 3.1, "action_id": "5b0f", "about": {"characters": 12}}

When the file has grown to its limit it is kept as `audit.jsonl.1`, in place of the one before.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cyberdesk_wire import Request

from cyberdriver.answers import Answer

AUDIT_FILE = "audit.jsonl"

logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Audit:
    """The audit log in one folder; usable from any thread."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = _now, max_bytes: int = 10_000_000) -> None:
        self._path = folder / AUDIT_FILE
        self._now = now
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

    def note(
        self,
        request: Request,
        answer: Answer,
        about: Mapping[str, str | int | float],
        duration_seconds: float,
    ) -> None:
        """Appends one line. A disk that refuses it is reported in the driver's log and stops nothing."""
        line: dict[str, object] = {
            "at": self._now().isoformat(timespec="milliseconds"),
            "method": request.method,
            "path": request.path,
            "status": answer.status,
            "milliseconds": round(duration_seconds * 1000, 1),
        }
        if action_id := request.header("x-action-id"):
            line["action_id"] = action_id
        line["about"] = dict(about)
        try:
            self._append(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        except OSError as error:
            logger.warning("the audit log cannot be written error=%s", error.strerror or error)

    def _append(self, line: bytes) -> None:
        with self._lock:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, line)
                is_full = os.fstat(descriptor).st_size >= self._max_bytes
            finally:
                os.close(descriptor)
            if is_full:
                self._path.replace(self._path.with_name(f"{AUDIT_FILE}.1"))
