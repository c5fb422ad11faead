"""Tags of workflows, the groups they are in, and the one rule of groups.

A workflow has at most one tag of a group: a tag that is added takes the place of the one that was there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cyberdesk_server.domain.ids import OrganizationId, TagGroupId, TagId

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class TagGroup:
    id: TagGroupId
    organization_id: OrganizationId
    name: str
    order: int
    """Its place among the organization's groups; the smallest is first."""

    created_at: datetime
    updated_at: datetime
    description: str | None = None
    emoji: str | None = None
    color: str | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    id: TagId
    organization_id: OrganizationId
    name: str
    order: int
    """Its place among the organization's tags; the smallest is first."""

    created_at: datetime
    updated_at: datetime
    description: str | None = None
    emoji: str | None = None
    color: str | None = None
    group: TagGroup | None = None
    is_archived: bool = False
    """An archived tag stays on its workflows and is left out of lists."""

    @property
    def group_id(self) -> TagGroupId | None:
        return None if self.group is None else self.group.id


def with_added(present: Sequence[Tag], added: Sequence[Tag]) -> tuple[Tag, ...]:
    """The tags of a workflow once `added` came to it, one after the other, as each takes its group's place.

    Of several tags of one group in `added` the last one stays.
    """
    tags: dict[TagId, Tag] = {tag.id: tag for tag in present}
    for new in added:
        tags = {
            tag.id: tag
            for tag in tags.values()
            if tag.id == new.id or new.group is None or tag.group_id != new.group_id
        }
        tags.setdefault(new.id, new)
    return tuple(tags.values())


def reordered(all_: Sequence[Item], asked: Sequence[Item]) -> tuple[Item, ...]:
    """`all_` with those of `asked` in that order, on the places they hold together; the others stay put.

    So a list of a few is enough to sort those few. `asked` are members of `all_`, each named once.
    """
    moved = frozenset(asked)
    in_new_order = iter(asked)
    return tuple(next(in_new_order) if item in moved else item for item in all_)
