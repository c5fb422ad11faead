"""Invariant 8, field by field: what names a thing in a body or a query names none of another organization.

The description of the API says which fields there are: one that nobody has thought about fails a test.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from cyberdesk_server.testing.api import the_description
from cyberdesk_server.testing.description import Description, Place, last_name

Ids = Mapping[str, str]
NOBODYS = "00000000-0000-4000-8000-000000000000"

Field = tuple[str, Place]
"""Method and path of an operation, and a place in its body."""

THING = {
    "workflow_id": "workflow_id",
    "workflow_ids": "workflow_id",
    "target_workflow_id": "workflow_id",
    "machine_id": "machine_id",
    "machine_ids": "machine_id",
    "pool_ids": "pool_id",
    "run_id": "run_id",
    "last_errored_run_uuid": "run_id",
    "session_id": "session_id",
    "reserved_session_id": "session_id",
    "tag_ids": "tag_id",
    "group_id": "group_id",
    "output_attachment_ids": "attachment_id",
    "main_agent_model_id": "model_configuration_id",
    "cache_detection_model_id": "model_configuration_id",
    "fallback_model_1_id": "model_configuration_id",
    "fallback_model_2_id": "model_configuration_id",
    "model": "model_configuration_id",
    "post_run_check_id": "check_id",
    "endpoint_id": "endpoint_id",
    "endpoint_ids": "endpoint_id",
    "id": "check_id",
}
"""Which thing a field names, by its name."""

IDS = {
    "PUT /v1/workflow-tags/reorder": "tag_id",
    "PUT /v1/workflow-tag-groups/reorder": "group_id",
}
"""Which things `ids` names, by operation."""

CALLERS_OWN: set[Field] = {
    ("POST /v1/machines", ("unkey_key_id",)),
    ("POST /v1/connections", ("websocket_id",)),
    ("POST /v1/request-logs", ("request_id",)),
    ("POST /v1/computer/{machine_id}/shell/powershell/exec", ("session_id",)),
    ("POST /v1/computer/{machine_id}/shell/powershell/session", ("session_id",)),
    ("PUT /v1/provider-credentials/{slot}", ("aws_access_key_id",)),
}
"""Texts that name nothing in this server, though they are called ids."""

REFUSED_AS_UNFIT = {
    *("main_agent_model_id", "cache_detection_model_id", "fallback_model_1_id", "fallback_model_2_id"),
    *("model", "output_attachment_ids", "reserved_session_id"),
}
"""Fields whose unknown ids are a 422 that names the field; another organization's are unknown, too."""

KEPT_AS_SENT: set[Field] = {
    ("PATCH /v1/runs/{run_id}", ("post_run_checks", "[]", "model")),
    ("PATCH /v1/runs/{run_id}", ("post_run_checks", "[]", "id")),
    ("PATCH /v1/runs/{run_id}", ("post_run_checks", "[]", "post_run_check_id")),
    ("PATCH /v1/workflows/{workflow_id}", ("workflow_metadata", "last_errored_run_uuid")),
}
"""Ids in a caller's own notes, by which nothing is looked up, so that any will do."""

NOTHING_YET: set[Field] = {("POST /v1/workflows", ("post_run_checks", "[]", "id"))}
"""Ids of what a new thing cannot have yet."""

PATHS = {"POST /v1/runs/{run_id}/retry": {"run_id": "ended_run_id"}}
"""Which things paths name where not any will do, by operation."""

FILTERS = {"workflow_id", "machine_id", "session_id", "run_id", "tag_ids", "endpoint_id"}
"""Queries that name things: of another organization they find nothing."""

ALSO = {"/v1/trajectories": {"is_generated": "false"}}
"""What a list must be told to tell what a caller has written, by path."""

ADDRESSES = {"path", "image_url"}
"""Queries that name a picture by its address."""

OTHER_QUERIES = {
    *("search", "deep_search", "name", "status", "status_code", "method", "attachment_type", "mode"),
    *("created_at_from", "created_at_to", "updated_at_from", "updated_at_to", "from_date", "to_date"),
    *("is_approved", "is_generated", "is_on_trial", "fields", "include", "include_tags", "include_archived"),
    *("include_machines", "include_payload", "event_type", "sort_mode", "skip", "limit", "expires_in"),
    *("api_key_id", "operation", "target_id"),  # of the audit log, which test_audit_log.py has
}
"""Queries that name nothing: what they find is the caller's, as `test_isolation.py` has it."""


def ids_in_bodies(described: Description) -> Iterator[Field]:
    """All places in bodies that hold ids, or are called so."""
    for name in described.operations:
        body = described.body(name)
        for place, schema in described.fields(body) if body else ():
            is_called_so = last_name(place).endswith(("id", "ids", "uuid"))
            if schema.get("format") == "uuid" or (schema.get("type") == "string" and is_called_so):
                yield name, place


def thing(name: str, place: Place) -> str:
    """Which of `own` is named here."""
    return IDS[name] if last_name(place) == "ids" else THING[last_name(place)]


@pytest.fixture
def described() -> Description:
    return Description(the_description())


@pytest.fixture
def asked(stranger: httpx.AsyncClient, described: Description, theirs: Ids) -> Any:
    """Asks as the other organization, for something of its own but for one id."""

    async def ask(field: Field, id_: str) -> httpx.Response:
        name, place = field
        method, path = name.split(" ")
        body = described.body(name)
        assert body is not None
        replaced = {key: theirs[other] for key, other in PATHS.get(name, {}).items()}
        return await stranger.request(
            method,
            path.format(**{**theirs, **replaced}),
            json=described.filled(body, place, id_, lambda member: theirs[thing(name, (member,))]),
        )

    return ask


def test_every_field_that_is_called_an_id_is_known(described: Description) -> None:
    fields = set(ids_in_bodies(described))
    known = {field for field in fields if last_name(field[1]) in THING or field[0] in IDS}

    assert fields - known - CALLERS_OWN == set()
    assert CALLERS_OWN - fields == set()


def test_every_query_is_known(described: Description) -> None:
    queries = {
        query["name"]
        for operation in described.operations.values()
        for query in operation.get("parameters", ())
        if query["in"] == "query"
    }

    assert queries == FILTERS | ADDRESSES | OTHER_QUERIES


async def test_no_body_names_what_another_organization_has(
    described: Description, asked: Any, own: Ids, client: httpx.AsyncClient
) -> None:
    fields = [field for field in ids_in_bodies(described) if field not in CALLERS_OWN]
    before = await everything_of(client)

    answers = {field: await asked(field, own[thing(*field)]) for field in fields}
    nobodys = {field: await asked(field, NOBODYS) for field in fields}

    assert statuses(answers) == statuses(nobodys) == {field: expected(field) for field in fields}
    for field, answer in answers.items():
        assert "secret name" not in answer.text or field in KEPT_AS_SENT  # their own workflow has this name
        if field not in KEPT_AS_SENT:
            assert answer.text.replace(own[thing(*field)], NOBODYS) == nobodys[field].text
    assert await everything_of(client) == before


async def test_what_the_organization_has_itself_is_found_in_the_same_places(
    described: Description, asked: Any, theirs: Ids
) -> None:
    fields = [field for field in ids_in_bodies(described) if field not in CALLERS_OWN | NOTHING_YET]

    answers = {field: await asked(field, theirs[thing(*field)]) for field in reversed(fields)}

    assert {field: status for field, status in statuses(answers).items() if status in (404, 500)} == {}


def statuses(answers: Mapping[Field, httpx.Response]) -> dict[Field, int]:
    return {field: answer.status_code for field, answer in answers.items()}


def expected(field: Field) -> int:
    if field in KEPT_AS_SENT:
        return 200
    return 422 if last_name(field[1]) in REFUSED_AS_UNFIT else 404


async def test_filters_find_nothing_of_another_organization(
    described: Description, stranger: httpx.AsyncClient, own: Ids, theirs: Ids
) -> None:
    filters = list(queries(described, FILTERS))

    for path, query in filters:
        of_others = {**ALSO.get(path, {}), query: own[thing("", (query,))]}
        found = await stranger.get(path, params=of_others)
        itself = await stranger.get(path, params={**of_others, query: theirs[thing("", (query,))]})

        assert (path, query, found.json()["items"], found.json()["total"]) == (path, query, [], 0)
        assert (path, query, itself.json()["total"] > 0) == (path, query, True)


async def test_no_link_shows_a_picture_of_another_organization(
    described: Description, stranger: httpx.AsyncClient, client: httpx.AsyncClient, own: Ids, theirs: Ids
) -> None:
    step = {"func_name": "click", "args": [own["image_address"]], "kwargs": {}}
    by_address = list(queries(described, ADDRESSES))
    await stranger.patch(f"/v1/trajectories/{theirs['trajectory_id']}", json={"trajectory_data": [step]})

    answers = {
        (method, path): await stranger.request(
            method, path.format(**theirs), params={query: own["image_address"]}
        )
        for path, query in by_address
        for method in ("GET", "DELETE")
        if f"{method} {path}" in described.operations
    }

    assert {key: answer.status_code for key, answer in answers.items()} == dict.fromkeys(answers, 404)
    assert len((await client.get("/v1/workflows/prompt-images")).json()) == 1


def queries(described: Description, names: set[str]) -> Iterator[tuple[str, str]]:
    """Paths with these queries; files of a machine are named by paths of its own."""
    for name, operation in described.operations.items():
        for query in operation.get("parameters", ()):
            if query["in"] == "query" and query["name"] in names and "/fs/" not in name:
                yield name.split(" ")[1], query["name"]


async def everything_of(client: httpx.AsyncClient) -> dict[str, Any]:
    """All that the organization has, as its lists tell it."""
    nouns = (
        *(
            "workflows",
            "workflow-tags",
            "workflow-tag-groups",
            "machines",
            "pools",
            "runs",
            "run-attachments",
        ),
        *("trajectories", "connections", "request-logs", "model-configurations", "workflows/prompt-images"),
        *("webhooks/endpoints", "webhooks/messages"),
    )
    return {noun: (await client.get(f"/v1/{noun}")).json() for noun in nouns}
