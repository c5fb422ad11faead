"""The audit log: who did what in an organization, each entry chained to the one before it.

An entry's hash covers the hash of the one before, its number, and all that it says: whoever changes, removes
or adds an entry has to change all that follow. The hash of the last entry, noted elsewhere, holds them all.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cyberdesk_server.domain.ids import ApiKeyId, OrganizationId

BEFORE_ALL = "0" * 64
"""In place of the hash before the first entry."""

OPERATOR = "operator"
"""Who acts by the server's command line."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One write that was asked for. Never what was in it."""

    organization_id: OrganizationId
    at: datetime
    api_key_id: ApiKeyId | None
    """None for the operator."""

    actor: str
    """What the key was called then."""

    operation: str
    """Method and path with the names of its parts, `PATCH /v1/runs/{run_id}`, or an operator's command."""

    targets: tuple[str, ...]
    """Ids in the path and in the body, each in its order, and those of what was made."""

    status_code: int
    """Of the answer; 0 for a command."""

    request_id: str
    """As `X-Request-Id` told it; empty for a command."""


@dataclass(frozen=True, slots=True)
class Chained:
    """An entry in its place."""

    number: int
    """From 1 on in each organization, without gaps."""

    entry: Entry
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: what is noted elsewhere to hold all that is before it."""

    number: int = 0
    hash: str = BEFORE_ALL

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a chain does not hold: the first entry that is not what was written."""

    number: int
    reason: str

    def __str__(self) -> str:
        return f"{self.number}: broken: {self.reason}"


def by_operator(
    organization_id: OrganizationId, operation: str, targets: tuple[str, ...], at: datetime
) -> Entry:
    """What the operator did by a command."""
    return Entry(organization_id, at, None, OPERATOR, operation, targets, 0, "")


def chained(entries: Iterable[Entry], head: Head) -> list[Chained]:
    """The entries of one organization in their order, after the head."""
    found = []
    for entry in entries:
        head = Head(head.number + 1, _hash(entry, head))
        found.append(Chained(head.number, entry, head.hash))
    return found


def verify(part: Iterable[Chained], head: Head) -> Head | Broken:
    """The head after this part of a chain, which follows the one given; or where it does not hold."""
    for link in part:
        if link.number != head.number + 1:
            return Broken(head.number + 1, f"it is missing: {link.number} comes next")
        if link.hash != _hash(link.entry, head):
            return Broken(link.number, "it is not what was written")
        head = Head(link.number, link.hash)
    return head


def _hash(entry: Entry, before: Head) -> str:
    said = [
        before.hash,
        before.number + 1,
        entry.organization_id,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.api_key_id and str(entry.api_key_id),
        entry.actor,
        entry.operation,
        *entry.targets,
        entry.status_code,
        entry.request_id,
    ]
    return sha256(json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
