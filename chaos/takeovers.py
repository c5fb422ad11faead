"""How long runs were nobody's: from the blow that took a run's server away to the claim by the next."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chaos.blows import DATABASE, Blow, Kind

AT_ONCE = timedelta(seconds=0.5)
"""How much later than a blow a server may still log a claim: it hears of its end, and finishes its line."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A line of a server's log: it has a run from now on."""

    run_id: str
    attempt: int
    server: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Takeover:
    """A run that was claimed again."""

    claim: Claimed
    blow: Blow | None
    """What took it from its worker; None when nothing had happened to that."""

    seconds: float
    """From the blow to the claim. From the return of a database that was away; without a blow, from the claim
    before."""


def claims_in(logs: Iterable[Path]) -> Iterator[Claimed]:
    """Every claim that the servers logged; a log's folder has the name of its server."""
    for log in logs:
        for entry in entries_of(log):
            if entry.get("event") == "run claimed":
                at = datetime.fromisoformat(entry["timestamp"])
                yield Claimed(entry["run_id"], entry["attempt"], log.parent.name, at)


def entries_of(log: Path) -> Iterator[dict[str, Any]]:
    """The log's lines that are JSON."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except ValueError:  # the server was killed in the middle of a line
                continue


def takeovers(claims: Iterable[Claimed], blows: Sequence[Blow]) -> list[Takeover]:
    """Each claim of a run that another attempt had before."""
    by_attempt = {(claim.run_id, claim.attempt): claim for claim in claims}
    found = []
    for (run_id, attempt), claim in sorted(by_attempt.items(), key=lambda item: item[1].at):
        before = by_attempt.get((run_id, attempt - 1))
        if before is not None:
            found.append(_takeover(before, claim, blows))
    return found


def _takeover(before: Claimed, claim: Claimed, blows: Sequence[Blow]) -> Takeover:
    hits = (blow for blow in blows if blow.victim in (before.server, DATABASE))
    between = [hit for hit in hits if before.at - AT_ONCE <= hit.began_at <= claim.at]
    # A worker that was paused may have kept its run; one that has ended has not.
    ends = [hit for hit in between if hit.kind in (Kind.SERVER_KILLED, Kind.SERVER_STOPPED)]
    blow = ends[0] if ends else between[-1] if between else None
    return Takeover(claim, blow, (claim.at - _beginning(blow, before)).total_seconds())


def _beginning(blow: Blow | None, before: Claimed) -> datetime:
    if blow is None:
        return before.at
    began_at = blow.over_at if blow.kind is Kind.DATABASE_KILLED else blow.began_at
    return max(began_at, before.at)
