"""Invariant 8, answer by answer: no id is told to two organizations, whatever a caller asks to be added.

The description of the API says what can be asked for: all of it is, of everything that can be read.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.api.webhook_views import catalogue
from cyberdesk_server.domain.model_configurations import STEPS
from cyberdesk_server.testing.api import the_description
from cyberdesk_server.testing.description import Description

Ids = Mapping[str, str]
Query = dict[str, Any]

AN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OF_EVERYBODY = {str(STEPS.id), *AN_ID.findall(bytes(JsonAnswer(catalogue()).body).decode())}
"""Ids of what each organization has, and those in the examples of webhooks, which tests send."""

TALKS_TO_MACHINES = "/v1/computer/"
NEEDED: Mapping[str, Query] = {
    "/v1/usage/aggregate": {"from_date": "2000-01-01", "to_date": "2100-01-01"},
    "/v1/trajectories": {"is_generated": "false"},
}
"""What a path must be told to tell what a caller has written, or anything."""

BY_ADDRESS = {"path", "image_url"}
"""Queries that name a picture, which `test_isolation_of_fields.py` has."""


@pytest.fixture
def described() -> Description:
    return Description(the_description())


def readings(described: Description) -> Iterator[tuple[str, Query]]:
    """Paths that are read, and queries that ask for all there is."""
    for name, operation in described.operations.items():
        method, path = name.split(" ")
        queries = {one["name"]: one for one in operation.get("parameters", ()) if one["in"] == "query"}
        talks = path.startswith(TALKS_TO_MACHINES)
        if method == "GET" and not talks and BY_ADDRESS.isdisjoint(queries):
            yield path, {**NEEDED.get(path, {}), **asking_for_all(described, queries)}


def asking_for_all(described: Description, queries: Mapping[str, Any]) -> Query:
    asked: Query = {}
    for name, query in queries.items():
        schema = described.schema(query["schema"])
        if name == "include":
            asked[name] = ",".join(includable(query))
        elif name.startswith("include_") and schema["type"] == "boolean":
            asked[name] = "true"
        elif name == "fields":
            asked[name] = described.schema(schema["items"])["enum"]
    return asked


def includable(query: Mapping[str, Any]) -> list[str]:
    """The names that may stand in `include`, as its description lists them."""
    return re.findall(r"[a-z_.]+", query["description"].partition(": ")[2].removesuffix("."))


async def test_no_id_is_told_to_two_organizations(
    described: Description, client: httpx.AsyncClient, stranger: httpx.AsyncClient, own: Ids, theirs: Ids
) -> None:
    to_us: set[str] = set()
    to_them: set[str] = set()

    for path, query in readings(described):
        for caller, ids, told in ((client, own, to_us), (stranger, theirs, to_them)):
            answer = await caller.get(path.format(**ids), params=query)
            assert answer.status_code == 200, (path, query, answer.text)
            told.update(AN_ID.findall(answer.text))

    assert to_us & to_them == OF_EVERYBODY
    assert to_us >= {id_ for id_ in own.values() if AN_ID.fullmatch(id_)}
    assert to_them >= {id_ for id_ in theirs.values() if AN_ID.fullmatch(id_)}


async def test_all_that_can_be_included_was(
    described: Description, stranger: httpx.AsyncClient, own: Ids, theirs: Ids
) -> None:
    including = {path: query for path, query in readings(described) if "include" in query}

    for path, query in including.items():
        answer = (await stranger.get(path.format(**theirs), params=query)).json()
        kinds = {one["type"] for one in answer["included"]}
        assert len(kinds) == len(query["include"].split(",")), (path, kinds)
    assert len(including) > 5


async def test_a_filter_by_what_another_organization_has_brings_nothing_with_it(
    described: Description, stranger: httpx.AsyncClient, own: Ids, theirs: Ids
) -> None:
    filters = [
        (path, query, one["name"], own[name])
        for path, query in readings(described)
        for one in described.operations[f"GET {path}"].get("parameters", ())
        if one["in"] == "query" and (name := one["name"].replace("_ids", "_id")) in own
    ]

    for path, query, name, id_ in filters:
        answer = (await stranger.get(path.format(**theirs), params={**query, name: id_})).json()
        assert (path, name, answer["items"], answer.get("included") or []) == (path, name, [], [])
    assert len(filters) > 5
