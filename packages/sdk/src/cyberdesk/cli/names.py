"""Which machine, workflow or pool is meant: an id is taken as it is, anything else is an exact name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from cyberdesk import CyberdeskClient
from cyberdesk.cli.failures import Misuse, each

LONGEST_LIST_OF_CANDIDATES = 10


class Named(Protocol):
    """What has an id and may have a name."""

    @property
    def id(self) -> UUID: ...

    @property
    def name(self) -> str | None: ...


def machine_id(client: CyberdeskClient, given: str) -> UUID:
    """The id of the machine that is meant. Raises `Misuse` when there is none, or more than one."""
    return _as_id(given) or _the_one(
        "machine",
        given,
        each(client.machines.iterate_sync(search=given)),
    )


def workflow_id(client: CyberdeskClient, given: str) -> UUID:
    """The id of the workflow that is meant. Raises `Misuse` when there is none, or more than one."""
    return _as_id(given) or _the_one(
        "workflow",
        given,
        each(client.workflows.iterate_sync(search=given)),
    )


def pool_id(client: CyberdeskClient, given: str) -> UUID:
    """The id of the pool that is meant. Raises `Misuse` when there is none, or more than one."""
    return _as_id(given) or _the_one("pool", given, each(client.pools.iterate_sync()))


def _as_id(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None


def _the_one(noun: str, given: str, found: Iterable[Named]) -> UUID:
    candidates = list(found)
    exact = [one for one in candidates if one.name == given]
    if len(exact) == 1:
        return exact[0].id
    if exact:
        raise Misuse(f"{len(exact)} {noun}s are called {given!r}; give an id: {_listed(exact)}")
    alike = [one for one in candidates if one.name and given.casefold() in one.name.casefold()]
    hint = f"; there is {_listed(alike)}" if alike else ""
    raise Misuse(f"no {noun} is called {given!r}{hint}")


def _listed(candidates: list[Named]) -> str:
    shown = [f"{one.id} ({one.name})" for one in candidates[:LONGEST_LIST_OF_CANDIDATES]]
    left_out = len(candidates) - len(shown)
    return ", ".join([*shown, f"and {left_out} more"] if left_out else shown)
