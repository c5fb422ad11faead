"""Iterators give every item of a list once, page after page, and raise what went wrong."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberdesk import NotFound, RunStatus, ValidationFailed
from cyberdesk._paging import Walk
from cyberdesk.models import PaginatedResponse
from cyberdesk.testing import Scripted, a_page, a_run


def all_blocking(group, name, /, *args, **kwargs):
    return list(getattr(group, f"{name}_sync")(*args, **kwargs))


def all_async(group, name, /, *args, **kwargs):
    async def collect():
        return [item async for item in getattr(group, name)(*args, **kwargs)]

    return asyncio.run(collect())


@pytest.fixture(params=[all_blocking, all_async], ids=["blocking", "async"])
def everything(request):
    return request.param


def runs(*numbers):
    return [a_run(id=str(UUID(int=number))) for number in numbers]


def numbers_of(items):
    return [item.id.int for item in items]


def test_all_pages_are_asked_for(api, client, everything):
    api.answers(
        Scripted(200, json=a_page(*runs(1, 2), total=5)),
        Scripted(200, json=a_page(*runs(3, 4), total=5)),
        Scripted(200, json=a_page(*runs(5), total=5)),
    )

    items = everything(client.runs, "iterate", limit=2, status=RunStatus.ERROR)

    assert numbers_of(items) == [1, 2, 3, 4, 5]
    assert [dict(asked.query)["skip"] for asked in api.asked] == ["0", "2", "4"]
    assert {dict(asked.query)["limit"] for asked in api.asked} == {"2"}
    assert {dict(asked.query)["status"] for asked in api.asked} == {"error"}


def test_an_empty_list_has_no_items(api, client, everything):
    api.answers(Scripted(200, json=a_page()))

    assert everything(client.machines, "iterate") == []


def test_items_may_be_left_out_at_the_beginning(api, client, everything):
    api.answers(Scripted(200, json=a_page(*runs(4), total=4, skip=3)))

    assert numbers_of(everything(client.runs, "iterate", 3)) == [4]
    assert dict(api.asked[0].query)["skip"] == "3"


def test_a_list_that_became_shorter_ends(api, client, everything):
    api.answers(Scripted(200, json=a_page(*runs(1, 2), total=4)), Scripted(200, json=a_page(total=2)))

    assert numbers_of(everything(client.runs, "iterate")) == [1, 2]


def test_an_item_that_moved_to_the_next_page_comes_once(api, client, everything):
    api.answers(
        Scripted(200, json=a_page(*runs(1, 2), total=3)), Scripted(200, json=a_page(*runs(2, 3), total=4))
    )

    assert numbers_of(everything(client.runs, "iterate")) == [1, 2, 3]


def test_items_without_an_id_all_come(api, client, everything):
    cost = {"run_id": str(UUID(int=1)), "total_cost_usd": 0.5}
    api.answers(*[Scripted(200, json=a_page(cost, total=2))] * 2)

    assert len(everything(client.usage, "iterate_llm_costs")) == 2


def test_pages_are_asked_for_when_their_items_are_wanted(api, client):
    api.answers(*[Scripted(200, json=a_page(*runs(1, 2), total=4))])
    iterator = client.runs.iterate_sync()

    before = len(api.asked)
    next(iterator)
    next(iterator)

    assert (before, len(api.asked)) == (0, 1)


@pytest.mark.parametrize(("status", "kind"), [(404, NotFound), (422, ValidationFailed)])
def test_what_went_wrong_is_raised(api, client, everything, status, kind):
    api.answers(Scripted(200, json=a_page(*runs(1), total=2)), Scripted(status, json={"detail": "no"}))

    with pytest.raises(kind):
        everything(client.runs, "iterate")


def test_a_malformed_filter_is_raised(api, client, everything):
    with pytest.raises(ValueError, match="workflow_id"):
        everything(client.runs, "iterate", workflow_id="nonsense")
    assert api.asked == []


def test_misuse_is_raised_at_once(client):
    with pytest.raises(TypeError, match="colour"):
        client.runs.iterate(colour="red")
    with pytest.raises(TypeError, match="colour"):
        client.runs.iterate_sync(colour="red")


def test_a_passing_failure_is_not_seen(api, patient_client, everything):
    api.answers(Scripted(503), Scripted(200, json=a_page(*runs(1))))

    assert numbers_of(everything(patient_client.runs, "iterate")) == [1]


def a_list_flow(skip=None, limit=None):
    """Never performed."""
    yield


@given(st.integers(0, 30), st.integers(1, 7), st.lists(st.integers(0, 3), max_size=12))
def test_what_was_there_from_the_start_comes_exactly_once(length, limit, arrivals):
    """New items come first, a few between any two pages, as in a list of the latest."""
    arrivals = [min(number, limit) for number in arrivals]
    present = [SimpleNamespace(id=f"old {number}") for number in range(length)]
    originals, walk, got = list(present), Walk(a_list_flow), []

    while not walk.is_over:
        items = present[walk._skip : walk._skip + limit]
        got += walk.take(PaginatedResponse(items, len(present), walk._skip, limit))
        new = arrivals.pop() if arrivals else 0
        present = [SimpleNamespace(id=f"new {len(present)} {number}") for number in range(new)] + present

    assert [item for item in got if item in originals] == originals
