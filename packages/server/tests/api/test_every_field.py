"""Invariant 10, field by field: what does not fit is a 422 that names the field, in every body of the API."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from cyberdesk_server.testing.api import the_description
from cyberdesk_server.testing.description import Description, Place

NOBODYS = "00000000-0000-4000-8000-000000000000"

ONE_OF_EACH: tuple[Any, ...] = (None, True, 7, -1, 1.5, "", "no such word", [], [7], [None], {}, {"x": [7]})
"""Values of every kind JSON has."""

FORMATS = {"uuid": ("x", NOBODYS[:-1]), "date-time": ("x", "7", "2030-02-30T12:00:00Z")}
"""Texts that are none of this format."""

NOT_BASE64 = ("~", "QUJ", "\u00e4")

READ_BY_THE_DRIVER = ("POST /v1/computer/{machine_id}/fs/write", ("content",))
"""Base64 that this server passes on unread; `make fuzz` asks a driver."""


@pytest.fixture
def described() -> Description:
    return Description(the_description())


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_what_does_not_fit_is_named(
    client: httpx.AsyncClient, described: Description, own: Mapping[str, str]
) -> None:
    for name, body, place, schema in all_fields(described):
        for value in unfit(described, schema):
            if (name, place) == READ_BY_THE_DRIVER and value in NOT_BASE64:
                continue
            answer = await ask(client, name, own, described.filled(body, place, value, lambda _: NOBODYS))

            assert names(answer, place), (name, place, value, answer.status_code, answer.text)


async def test_what_is_missing_is_named(
    client: httpx.AsyncClient, described: Description, own: Mapping[str, str]
) -> None:
    for name in described.operations:
        body = described.body(name)
        for member in body.get("required", ()) if body else ():
            least = described.least(body, lambda _: NOBODYS)

            answer = await ask(client, name, own, {key: least[key] for key in least if key != member})

            assert names(answer, (member,)), (name, member, answer.status_code, answer.text)


async def test_a_number_is_no_text_and_no_boolean(client: httpx.AsyncClient, own: Mapping[str, str]) -> None:
    path = f"/v1/computer/{own['machine_id']}/input/mouse/move"

    answers = [await client.post(path, json={"x": x, "y": 1}) for x in (True, "1", 1.5, None)]
    whole = await client.post(path, json={"x": 1.0, "y": 1})

    assert [(answer.status_code, answer.json()["detail"][0]["loc"]) for answer in answers] == [
        (422, ["body", "x"])
    ] * 4
    assert whole.status_code == 503  # a place; the machine is not there


@pytest.mark.parametrize("half", [{"x": 1}, {"y": 1}, {"x": None, "y": 1}])
async def test_half_a_place_is_named(
    client: httpx.AsyncClient, own: Mapping[str, str], half: dict[str, Any]
) -> None:
    refused = await client.post(f"/v1/computer/{own['machine_id']}/input/mouse/click", json=half)

    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "y"])


@pytest.mark.parametrize("moment", [0, 0.5, True, "0", "1e3", "20300101"])
async def test_a_number_is_no_time(client: httpx.AsyncClient, own: Mapping[str, str], moment: Any) -> None:
    path = f"/v1/request-logs/{own['log_id']}"

    in_body = await client.patch(path, json={"completed_at": moment})
    in_query = await client.get("/v1/runs", params={"created_at_from": str(moment)})

    assert [in_body.status_code, in_query.status_code] == [422, 422]
    assert in_query.json()["detail"][0]["loc"] == ["query", "created_at_from"]


def all_fields(described: Description) -> list[tuple[str, Any, Place, Any]]:
    """Operation, its body, a place in it, and what may stand there. What may be anything is left out."""
    return [
        (name, body, place, described.at(body, place))
        for name in described.operations
        if (body := described.body(name)) is not None
        for place, schema in described.fields(body)
        if {"type", "enum"} & schema.keys()
    ]


def unfit(described: Description, schema: Mapping[str, Any]) -> Iterator[Any]:
    """Values of every kind that do not fit the schema, and those that are just beyond its limits."""
    fits = described.fitting(schema)
    yield from (value for value in (*ONE_OF_EACH, *beyond(described.schema(schema))) if not fits(value))
    plain = described.schema(schema)
    yield from FORMATS.get(plain.get("format", ""), NOT_BASE64 if "contentEncoding" in plain else ())


def beyond(plain: Mapping[str, Any]) -> Iterator[Any]:
    if "maxLength" in plain:
        yield "x" * (plain["maxLength"] + 1)
    if "minimum" in plain:
        yield plain["minimum"] - 1
    if "maximum" in plain:
        yield plain["maximum"] + 1
    if "maxItems" in plain:
        yield [NOBODYS] * (plain["maxItems"] + 1)


async def ask(client: httpx.AsyncClient, name: str, own: Mapping[str, str], body: Any) -> httpx.Response:
    method, path = name.split(" ")
    return await client.request(method, path.format(**own), json=body)


def names(answer: httpx.Response, place: Place) -> bool:
    """Whether the answer complains about this place, or something in it."""
    loc = ["body", *(0 if member == "[]" else member for member in place)]
    return answer.status_code == 422 and any(
        problem["loc"][: len(loc)] == loc for problem in answer.json()["detail"]
    )
