"""What the server says it answered: its own log, which knows what no client can hide."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DRIVER_CANNOT_UPDATE = 501
"""The driver does not replace itself on this system, which its answer says: no fault of the server."""

A_MACHINE_DOES_NOT_ANSWER = 503
"""`/v1/health/machines` is described to say so when it finds one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Answers by status, and log lines of what must not happen."""

    statuses: Counter[int]
    faults: list[str]


def read(log: Path) -> Verdict:
    """The verdict over one log of the server, in JSON lines."""
    statuses: Counter[int] = Counter()
    faults = []
    for line, entry in _entries(log):
        if entry.get("event") == "request":
            statuses[entry["status"]] += 1
        if _is_fault(entry):
            faults.append(line)
    return Verdict(statuses, faults)


def _entries(log: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in log.read_text(encoding="utf-8").splitlines():
        if line.startswith("{"):
            yield line, json.loads(line)


def _is_fault(entry: dict[str, Any]) -> bool:
    if entry.get("level") in ("error", "critical"):
        return True
    if entry.get("event") != "request" or entry["status"] < 500:
        return False
    path, status = str(entry["path"]), entry["status"]
    return not (
        (status == DRIVER_CANNOT_UPDATE and path.endswith("/internal/update"))
        or (status == A_MACHINE_DOES_NOT_ANSWER and path == "/v1/health/machines")
    )
