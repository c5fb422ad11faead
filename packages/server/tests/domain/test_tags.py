"""The rule of groups, and how things are sorted by hand."""

from collections.abc import Sequence
from uuid import uuid4

from cyberdesk_server.domain.ids import OrganizationId, TagGroupId, TagId
from cyberdesk_server.domain.tags import Tag, TagGroup, reordered, with_added
from cyberdesk_server.testing.rows import NOON
from hypothesis import given
from hypothesis import strategies as st

ORGANIZATION = OrganizationId("org_1")


def a_group(name: str) -> TagGroup:
    return TagGroup(TagGroupId(uuid4()), ORGANIZATION, name, 0, NOON, NOON)


def a_tag(name: str, group: TagGroup | None = None) -> Tag:
    return Tag(TagId(uuid4()), ORGANIZATION, name, 0, NOON, NOON, group=group)


STATUS, TEAM = a_group("status"), a_group("team")
TAGS = [a_tag(f"{group and group.name} {n}", group) for group in (None, STATUS, TEAM) for n in range(3)]
SOME = st.lists(st.sampled_from(TAGS), max_size=6)


@given(st.lists(SOME, max_size=5))
def test_a_workflow_never_has_two_tags_of_one_group(additions: Sequence[Sequence[Tag]]) -> None:
    tags: tuple[Tag, ...] = ()

    for added in additions:
        tags = with_added(tags, added)

        groups = [tag.group_id for tag in tags if tag.group_id is not None]
        assert len(set(groups)) == len(groups)
        assert len(set(tags)) == len(tags)


@given(SOME, SOME)
def test_adding_several_is_adding_one_after_the_other(present: Sequence[Tag], added: Sequence[Tag]) -> None:
    one_by_one = with_added((), present)
    for tag in added:
        one_by_one = with_added(one_by_one, [tag])

    assert with_added(with_added((), present), added) == one_by_one


@given(SOME, SOME)
def test_what_is_added_stays_unless_a_later_one_of_its_group_comes(
    present: Sequence[Tag], added: Sequence[Tag]
) -> None:
    after = with_added(with_added((), present), added)

    last_of_group = {tag.group_id: tag for tag in added if tag.group is not None}
    free = {tag for tag in (*present, *added) if tag.group is None}
    assert set(last_of_group.values()) | free <= set(after)


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), unique=True))
def test_a_few_are_sorted_on_the_places_they_hold(before: list[int], asked: list[int]) -> None:
    after = reordered(before, asked)

    assert sorted(after) == sorted(before)
    assert [item for item in after if item in asked] == asked
    assert all(old == new for old, new in zip(before, after, strict=True) if old not in asked)
