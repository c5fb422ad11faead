"""A body names things in members that are called so, in whichever spelling, and nowhere else."""

from typing import Any
from uuid import UUID

import pytest
from cyberdesk_server.api.named_ids import MAX_NAMED_IDS, as_id, ids_in, members_with_ids
from pydantic import BaseModel, TypeAdapter

ID = "5a6b7c8d-0000-4000-8000-00000000000a"
OTHER = "5a6b7c8d-0000-4000-8000-00000000000b"


class Step(BaseModel):
    workflow_id: UUID
    text: str


class Chain(BaseModel):
    machine_id: UUID | None = None
    pool_ids: list[UUID] | None = None
    ids: list[UUID] = []
    steps: list[Step] = []
    first: Step | None = None
    identity: str = ""
    input_values: dict[str, Any] | None = None
    by_name: dict[str, Step] = {}


MEMBERS = members_with_ids(Chain | None)


def test_members_that_hold_ids_are_found_by_their_names() -> None:
    assert MEMBERS == {
        "machine_id": {},
        "pool_ids": {},
        "ids": {},
        "steps": {"workflow_id": {}},
        "first": {"workflow_id": {}},
    }


@pytest.mark.parametrize("none", [None, str, dict[str, Any], list[int]])
def test_other_bodies_name_nothing(none: Any) -> None:
    assert members_with_ids(none) == {}


def test_ids_come_in_the_order_of_the_members() -> None:
    body = {"steps": [{"workflow_id": OTHER}], "pool_ids": [ID, OTHER], "machine_id": ID}

    assert ids_in(body, MEMBERS) == [ID, ID, OTHER, OTHER]


@pytest.mark.parametrize(
    "body",
    [
        None,
        ID,
        [[ID]],
        {"machine_id": {"machine_id": ID}},
        {"machine_id": None, "pool_ids": 7, "steps": ID, "first": [ID]},
        {"input_values": {"machine_id": ID}, "by_name": {"x": {"workflow_id": ID}}, "identity": ID},
        {"machine_id": "a text that is no id"},
    ],
)
def test_what_is_elsewhere_or_no_id_is_not_taken(body: Any) -> None:
    assert ids_in(body, MEMBERS) == []


def test_only_so_many_are_taken() -> None:
    assert len(ids_in({"pool_ids": [ID] * (MAX_NAMED_IDS + 1)}, MEMBERS)) == MAX_NAMED_IDS


@pytest.mark.parametrize("spelling", [ID, ID.upper(), ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}"])
def test_every_spelling_of_an_id_that_is_understood_is_one(spelling: str) -> None:
    assert UUID(ID) == TypeAdapter(UUID).validate_python(spelling)
    assert as_id(spelling) == ID


@pytest.mark.parametrize("text", ["", "x", ID[:-1], ID + "0", "{" * 1000 + ID])
def test_what_is_no_id_is_none(text: str) -> None:
    assert as_id(text) is None
