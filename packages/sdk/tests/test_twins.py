"""Every method is there twice, and the two are the same in all that people and tools can see."""

from __future__ import annotations

import inspect
from unittest.mock import AsyncMock, create_autospec

import pytest

from cyberdesk import CyberdeskClient
from cyberdesk._resources._resource import Resource

GROUPS = {
    name: type(part) for name, part in vars(CyberdeskClient("key")).items() if isinstance(part, Resource)
}
PUBLIC = [
    (group, name)
    for group, kind in GROUPS.items()
    for name in vars(kind)
    if not name.startswith("_") and not name.endswith("_sync")
]
ITERATORS = [(group, name) for group, name in PUBLIC if name.startswith("iterate")]
METHODS = [one for one in PUBLIC if one not in ITERATORS]


@pytest.mark.parametrize(("group", "name"), METHODS)
class TestEachMethod:
    def test_has_a_blocking_twin(self, group, name):
        method, twin = getattr(GROUPS[group], name), getattr(GROUPS[group], f"{name}_sync")

        assert inspect.iscoroutinefunction(method)
        assert not inspect.iscoroutinefunction(twin)
        assert not inspect.isgeneratorfunction(twin)

    def test_shares_its_signature(self, group, name):
        method, twin = getattr(GROUPS[group], name), getattr(GROUPS[group], f"{name}_sync")

        signature = inspect.signature(twin)

        assert signature == inspect.signature(method)
        assert signature.return_annotation.startswith("ApiResponse[")
        assert method.__annotations__ == twin.__annotations__

    def test_shares_its_documentation(self, group, name):
        method, twin = getattr(GROUPS[group], name), getattr(GROUPS[group], f"{name}_sync")

        assert method.__doc__
        assert method.__doc__ == twin.__doc__

    def test_has_its_own_name(self, group, name):
        kind = GROUPS[group]

        assert getattr(kind, name).__qualname__ == f"{kind.__name__}.{name}"
        assert getattr(kind, f"{name}_sync").__qualname__ == f"{kind.__name__}.{name}_sync"


@pytest.mark.parametrize(("group", "name"), ITERATORS)
class TestEachIterator:
    def test_has_a_blocking_twin_with_its_arguments(self, group, name):
        iterate, twin = getattr(GROUPS[group], name), getattr(GROUPS[group], f"{name}_sync")

        asked, asked_twin = inspect.signature(iterate), inspect.signature(twin)

        assert asked.parameters == asked_twin.parameters
        assert (asked.return_annotation, asked_twin.return_annotation) == ("AsyncIterator", "Iterator")

    def test_takes_the_arguments_of_its_list(self, group, name):
        method = getattr(GROUPS[group], name.removeprefix("iterate").removeprefix("_") or "list")

        parameters = inspect.signature(getattr(GROUPS[group], name)).parameters

        assert parameters == inspect.signature(method).parameters

    def test_has_its_own_name_and_documentation(self, group, name):
        kind = GROUPS[group]

        assert getattr(kind, name).__qualname__ == f"{kind.__name__}.{name}"
        assert getattr(kind, f"{name}_sync").__qualname__ == f"{kind.__name__}.{name}_sync"
        assert "page after page" in getattr(kind, name).__doc__


def test_every_paged_list_has_an_iterator():
    paged = [
        (group, name)
        for group, name in METHODS
        if "Pag" in inspect.signature(getattr(GROUPS[group], name)).return_annotation
    ]

    assert len(paged) == len(ITERATORS) == 13


def test_every_blocking_method_is_a_twin():
    alone = [
        f"{group}.{name}"
        for group, kind in GROUPS.items()
        for name in vars(kind)
        if name.endswith("_sync") and not hasattr(kind, name.removesuffix("_sync"))
    ]

    assert alone == []


async def test_mocks_know_both_twins():
    runs = create_autospec(GROUPS["runs"], instance=True)

    assert isinstance(runs.get, AsyncMock)
    await runs.get("id")
    runs.get_sync("id", include=["machine"])
    with pytest.raises(TypeError, match="includes"):
        runs.get_sync("id", includes=["machine"])
    with pytest.raises(TypeError, match="run_id"):
        await runs.get()


def test_help_shows_the_call():
    import pydoc

    text = pydoc.plain(pydoc.render_doc(GROUPS["runs"].get_sync))

    assert "get_sync(self, run_id: 'Id', *, include: 'Sequence[str] | None' = None)" in text
    assert "ApiResponse[models.RunResponseWithIncludes]" in text
    assert "The run with this id" in text
