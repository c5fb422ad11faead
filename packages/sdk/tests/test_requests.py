"""What each method sends: method, path, query and body, held against the published surface."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import re
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberdesk import (
    AttachmentType,
    ConnectionCreate,
    CyberdeskClient,
    FileInput,
    MachineCreate,
    MachinePoolAssignment,
    MachineUpdate,
    RunCreate,
    RunField,
    RunListSortMode,
    RunStatus,
    TrajectoryCreate,
    UsageMode,
    WorkflowCreate,
    models,
)
from cyberdesk._arguments import identifier, path_segment
from cyberdesk.testing import Scripted, ScriptedApi, a_page, a_run

ROOT = Path(__file__).resolve().parents[3]
SURFACE = json.loads((ROOT / "contract" / "sdk_surface.json").read_text())
OPENAPI = json.loads((ROOT / "contract" / "openapi.json").read_text())
ID = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"

BODIES = {
    "ConnectionCreate": ConnectionCreate(machine_id=ID),
    "MachineCreate": MachineCreate(name="Front desk"),
    "MachineUpdate": MachineUpdate(name="Front desk"),
    "MachinePoolAssignment": MachinePoolAssignment(machine_ids=[ID]),
    "MachinePoolUpdate": models.MachinePoolUpdate(pool_ids=[ID]),
    "ModelConfigurationCreate": models.ModelConfigurationCreate("a", "openai", model_id="b"),
    "ModelConfigurationUpdate": models.ModelConfigurationUpdate(name="a"),
    "PoolCreate": models.PoolCreate(name="Clinic"),
    "PoolUpdate": models.PoolUpdate(description="Clinic"),
    "RunAttachmentCreate": models.RunAttachmentCreate(
        ID, "a.txt", "YQ==", "text/plain", AttachmentType.INPUT
    ),
    "RunAttachmentUpdate": models.RunAttachmentUpdate(expires_at=None),
    "RunBulkCreate": models.RunBulkCreate(workflow_id=ID, count=2),
    "RunCreate": RunCreate(workflow_id=ID),
    "RunRetry": models.RunRetry(),
    "RunUpdate": models.RunUpdate(status=RunStatus.CANCELLED),
    "TrajectoryCreate": TrajectoryCreate(workflow_id=ID, steps=[]),
    "TrajectoryUpdate": models.TrajectoryUpdate(steps=[]),
    "WorkflowChainCreate": models.WorkflowChainCreate(steps=[{"workflow_id": ID}]),
    "WorkflowCreate": WorkflowCreate(name="Lookup", main_prompt="Look"),
    "WorkflowUpdate": models.WorkflowUpdate(name="Lookup"),
}
TEXTS = {"name": "Urgent", "path": "org/a b.png", "image_url": "supabase://a/b.png"}
DAY = dt.datetime(2025, 1, 31, 12)  # noqa: DTZ001  # a time without a zone is in UTC

METHODS = [
    (described["attribute_on_client"], method)
    for described in SURFACE["classes"].values()
    for method in described.get("methods", ())
    if method["async"] and method.get("http")
]


def an_argument(parameter):
    """A value that fits a required parameter of this name and annotation."""
    name, annotation = parameter["name"], parameter["annotation"]
    if annotation in BODIES:
        return BODIES[annotation]
    if name.endswith("_ids"):
        return [ID]
    if name.endswith("_id"):
        return ID
    return DAY if annotation == "datetime" else TEXTS[name]


def required_arguments(method):
    arguments = {one["name"]: an_argument(one) for one in method["params"] if one.get("required")}
    if method["name"] == "upload_prompt_image":
        arguments["file_content"] = b"PNG"
    return arguments


def success_schema(method):
    verb, path = method["http"].split(" ")
    answer = OPENAPI["paths"][path][verb.lower()]["responses"][str(method["success_statuses"][0])]
    return answer.get("content", {}).get("application/json", {}).get("schema")


@pytest.mark.parametrize(
    ("group", "method"), METHODS, ids=[f"{group}.{method['name']}" for group, method in METHODS]
)
class TestEachMethod:
    def test_sends_the_published_request(self, api, client, call, group, method):
        status = method["success_statuses"][0]
        api.answers(Scripted(status, content=b"" if status == 204 else b"{}"))
        arguments = required_arguments(method)

        call(getattr(client, group), method["name"], **arguments)

        verb, template = method["http"].split(" ")
        [asked] = api.asked
        pattern = re.sub(r"\\\{\w+\\\}", ID, re.escape(template))
        assert asked.method == verb
        assert re.fullmatch(pattern, asked.path)
        assert {key for key, _ in asked.query} <= set(method["arguments"])
        always = {name for name, rule in method["arguments"].items() if "always sent" in rule.get("rule", "")}
        assert always <= {key for key, _ in asked.query}

    def test_promises_the_published_status_and_type(self, api, client, group, method):
        schema = success_schema(method)
        is_list = schema is not None and schema.get("type") == "array"
        body = [] if is_list else {}
        content = b"" if method["success_statuses"] == [204] else json.dumps(body).encode()
        api.answers(Scripted(method["success_statuses"][0], content=content))

        response = getattr(getattr(client, group), f"{method['name']}_sync")(**required_arguments(method))

        assert response.error is None
        reference = json.dumps(schema or {})
        names = re.findall(r"schemas/(\w+)", reference)
        if names and is_list:
            returns = inspect.signature(getattr(getattr(client, group), method["name"])).return_annotation
            assert response.data == []
            assert names[0] in list_types(client, group)[returns]
        elif names:
            assert type(response.data) is getattr(models, names[0])


def list_types(client, group):
    """Return annotation -> what the alias in it stands for."""
    module = inspect.getmodule(type(getattr(client, group)))
    return {f"ApiResponse[{name}]": value for name, value in vars(module).items() if isinstance(value, str)}


@pytest.mark.parametrize(
    ("group", "method", "arguments", "query"),
    [
        ("runs", "list", {}, [("deep_search", "false")]),
        (
            "runs",
            "list",
            {
                "skip": 0,
                "limit": 5,
                "status": RunStatus.RUNNING_CHECKS,
                "workflow_id": UUID(ID),
                "machine_id": ID.upper(),
                "session_id": "",
                "created_at_from": DAY,
                "created_at_to": dt.datetime(2025, 2, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2))),
                "search": "a b&c",
                "deep_search": True,
                "sort_mode": RunListSortMode.CREATED_AT_DESC,
                "fields": [RunField.INPUT_VALUES, "error"],
                "include": ["workflow", "machine.pools"],
            },
            [
                ("skip", "0"),
                ("limit", "5"),
                ("status", "running_checks"),
                ("workflow_id", ID),
                ("machine_id", ID),
                ("created_at_from", "2025-01-31T12:00:00+00:00"),
                ("created_at_to", "2025-02-01T00:00:00+00:00"),
                ("search", "a b&c"),
                ("deep_search", "true"),
                ("sort_mode", "created_at_desc"),
                ("fields", "input_values"),
                ("fields", "error"),
                ("include", "workflow,machine.pools"),
            ],
        ),
        ("runs", "list", {"status": None, "include": []}, [("deep_search", "false")]),
        ("runs", "list", {"status": "archived"}, [("status", "archived"), ("deep_search", "false")]),
        ("runs", "get", {"run_id": ID, "include": "workflow"}, [("include", "workflow")]),
        ("runs", "generate_trajectory", {"run_id": ID}, []),
        ("runs", "generate_trajectory", {"run_id": ID, "is_on_trial": True}, [("is_on_trial", "true")]),
        ("machines", "list", {"created_at_from": "yesterday"}, [("created_at_from", "yesterday")]),
        ("workflows", "list", {"tag_ids": [ID, ID]}, [("tag_ids", f"{ID},{ID}"), ("include_tags", "false")]),
        ("workflows", "list", {"tag_ids": ID}, [("tag_ids", ID), ("include_tags", "false")]),
        ("connections", "list", {"status": "connected"}, [("status", "connected")]),
        ("trajectories", "list", {}, [("is_generated", "true")]),
        ("trajectories", "list", {"is_generated": False}, [("is_generated", "false")]),
        (
            "usage",
            "aggregate",
            {"from_date": DAY, "to_date": "2025-02-01", "mode": UsageMode.BILLED},
            [("from_date", "2025-01-31T12:00:00+00:00"), ("to_date", "2025-02-01"), ("mode", "billed")],
        ),
    ],
)
def test_arguments_become_the_query(api, client, call, group, method, arguments, query):
    api.answers(Scripted(200, json=a_page()))

    call(getattr(client, group), method, **arguments)

    assert list(api.asked[0].query) == query


@pytest.mark.parametrize("name", ["workflow_id", "machine_id", "session_id"])
def test_a_malformed_id_in_a_filter_is_an_error_without_a_request(api, client, call, name):
    response = call(client.runs, "list", **{name: "nonsense"})

    assert str(response.error) == f"{name}: 'nonsense' is not a UUID"
    assert api.asked == []


def test_an_unknown_connection_status_is_an_error_without_a_request(api, client, call):
    response = call(client.connections, "list", status="asleep")

    assert isinstance(response.error, ValueError)
    assert api.asked == []


def test_a_body_says_what_was_given_and_nothing_else(api, client, call):
    api.answers(Scripted(201, json=a_run()))
    data = RunCreate(
        workflow_id=UUID(ID),
        machine_id=None,
        input_values={"patient": {"id": 7}},
        file_inputs=[FileInput(filename="a.txt", content="YQ=="), {"filename": "b.txt", "content": "Yg=="}],
        sensitive_input_values={"password": "s3cret"},
    )

    call(client.runs, "create", data)

    assert api.asked[0].json == {
        "workflow_id": ID,
        "is_priority": False,
        "machine_id": None,
        "input_values": {"patient": {"id": 7}},
        "file_inputs": [
            {"filename": "a.txt", "content": "YQ==", "cleanup_imports_after_run": False},
            {"filename": "b.txt", "content": "Yg=="},
        ],
        "sensitive_input_values": {"password": "s3cret"},
        "start_session": False,
    }


def test_a_body_that_is_no_model_is_an_error_without_a_request(api, client, call):
    response = call(client.runs, "create", {"workflow_id": ID})

    assert str(response.error) == "expected a model such as RunCreate, got dict"
    assert api.asked == []


def test_clearing_a_session_sends_a_null(api, client, call):
    api.answers(Scripted(200, json={}))

    call(client.machines, "clear_session", ID)

    assert api.asked[0].json == {"reserved_session_id": None}


def test_an_empty_update_sends_an_empty_object(api, client, call):
    api.answers(Scripted(200, json={}))

    call(client.machines, "update", ID, MachineUpdate())

    assert api.asked[0].json == {}


def test_machines_leave_a_pool_with_a_body(api, client, call):
    api.answers(Scripted(204))

    call(client.pools, "remove_machines", ID, MachinePoolAssignment(machine_ids=[ID]))

    assert (api.asked[0].method, api.asked[0].json) == ("DELETE", {"machine_ids": [ID]})


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({}, {}),
        ({"name": "Urgent", "color": None}, {"name": "Urgent"}),
        ({"group_id": UUID(ID)}, {"group_id": ID}),
        ({"group_id": ""}, {"group_id": None}),
        ({"description": "", "emoji": "", "color": ""}, {"description": None, "emoji": None, "color": None}),
        ({"name": ""}, {"name": ""}),
    ],
)
def test_a_tag_update_sends_what_is_not_none(api, client, call, arguments, body):
    api.answers(Scripted(200, json={}))

    call(client.workflow_tags, "update", "tag-id", **arguments)

    assert api.asked[0].json == body


def test_a_tag_group_update_sends_what_is_not_none(api, client, call):
    api.answers(Scripted(200, json={}))

    call(client.workflow_tag_groups, "update", "group-id", name="Urgency", description="", color=None)

    assert api.asked[0].json == {"name": "Urgency", "description": None}


GENERATED = [{"id": str(UUID(int=number))} for number in range(1, 6)]
RECORDED = [{"id": str(UUID(int=number))} for number in range(11, 14)]


def a_list_of_one_kind(asked):
    """Trajectories as the API lists them: one kind, a page of it."""
    query = dict(asked.query)
    kind = GENERATED if query["is_generated"] == "true" else RECORDED
    skip, limit = int(query.get("skip", 0)), int(query.get("limit", 4))
    assert limit > 0
    return Scripted(200, json=a_page(*kind[skip : skip + limit], total=len(kind), skip=skip, limit=limit))


@pytest.mark.parametrize("skip", [None, 0, 1, 3, 4, 5, 6, 7, 8, 9])
@pytest.mark.parametrize("limit", [None, 1, 2, 3, 5, 8, 20])
def test_both_kinds_of_trajectories_are_one_list(call, skip, limit):
    everything = [UUID(item["id"]) for item in (*GENERATED, *RECORDED)]

    with ScriptedApi(otherwise=a_list_of_one_kind) as api, CyberdeskClient("key", api.base_url) as client:
        page = call(client.trajectories, "list", skip, limit, is_generated=None).unwrap()

    begin = skip or 0
    assert [item.id for item in page] == everything[begin : begin + (limit or 4)]
    assert page.total == 8


def test_a_tag_id_cannot_name_another_path(api, client, call):
    api.answers(Scripted(404))

    call(client.workflow_tags, "get", "../runs/x?y#z")
    refused = [call(client.workflow_tags, "get", nothing).error for nothing in ("", ".", "..")]

    assert [asked.path for asked in api.asked] == ["/v1/workflow-tags/..%2Fruns%2Fx%3Fy%23z"]
    assert all(isinstance(error, ValueError) for error in refused)


@given(st.uuids())
def test_an_id_may_be_given_as_text_or_as_uuid(value):
    assert identifier("run_id", value) == identifier("run_id", str(value)) == str(value)


@given(st.text(min_size=1).filter(lambda text: text.strip(".")))
def test_any_text_is_one_segment_of_a_path(text):
    assert set(path_segment("tag_id", text)).isdisjoint("/?#. \\") or "." in text
    assert "/" not in path_segment("tag_id", text)
