"""Reading, building and writing models."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pickle
from pathlib import Path
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberdesk import (
    UNSET,
    ChatMessage,
    ConnectionCreate,
    ConnectionStatus,
    FileInput,
    MachineCreate,
    MachineResponse,
    MachineStatus,
    MalformedModel,
    MessageContentBlock,
    MissingField,
    ModelConfigurationCreate,
    PaginatedResponseWithIncludesRunResponse,
    RunCompletedEvent,
    RunCreate,
    RunResponse,
    RunStatus,
    RunUpdate,
    TrajectoryCreate,
    TrajectoryUpdate,
    ValidationError,
    WorkflowChainCreate,
    WorkflowCreate,
    models,
)
from cyberdesk.models import FreeForm, Model
from cyberdesk.testing import a_page, a_run

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = json.loads((ROOT / "contract" / "openapi.json").read_text())["components"]["schemas"]
ID = UUID("4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11")


def json_of(schema):
    """A strategy for JSON that fits a schema."""
    if "$ref" in schema:
        return json_of(SCHEMAS[schema["$ref"].rsplit("/", 1)[-1]])
    if "anyOf" in schema:
        return st.one_of([json_of(part) for part in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"), schema.get("format"):
        case "object", _:
            return json_of_object(schema)
        case "array", _:
            return st.lists(json_of(schema["items"]), max_size=2)
        case "string", "uuid":
            return st.uuids().map(str)
        case "string", "date-time":
            return st.datetimes(timezones=st.just(dt.timezone.utc)).map(dt.datetime.isoformat)
        case "string", _:
            return st.text(max_size=5)
        case "integer", _:
            return st.integers()
        case "number", _:
            return st.floats(allow_nan=False)
        case "boolean", _:
            return st.booleans()
        case "null", _:
            return st.none()
        case _:
            return st.none() | st.booleans() | st.text(max_size=3)


def json_of_object(schema):
    if not schema.get("properties"):
        values = schema.get("additionalProperties")
        return st.dictionaries(st.text(max_size=5), json_of(values if isinstance(values, dict) else {}))
    required = schema.get("required", [])
    fields = {key: st.deferred(lambda part=part: json_of(part)) for key, part in schema["properties"].items()}
    return st.fixed_dictionaries(
        {key: value for key, value in fields.items() if key in required},
        optional={key: value for key, value in fields.items() if key not in required},
    )


NAMED = [
    name
    for name, schema in SCHEMAS.items()
    if schema.get("properties") and "binary" not in json.dumps(schema)
]


@given(st.sampled_from(NAMED).flatmap(lambda name: st.tuples(st.just(name), json_of(SCHEMAS[name]))))
def test_what_is_read_is_written_again(case):
    name, source = case

    written = getattr(models, name).from_dict(source).to_dict()

    defaults = {
        key: part["default"] for key, part in SCHEMAS[name]["properties"].items() if "default" in part
    }
    top_level = {key: value for key, value in written.items() if key in source or key not in defaults}
    assert top_level.keys() == source.keys()
    assert json.loads(json.dumps(written)) == written
    assert getattr(models, name).from_dict(written).to_dict() == written


@given(st.text(max_size=9).filter(lambda key: key not in SCHEMAS["RunResponse"]["properties"]), st.integers())
def test_what_the_api_adds_is_kept(key, value):
    run = RunResponse.from_dict(a_run(**{key: value}))

    assert run.additional_properties == {key: value}
    assert (run[key], run.get(key), key in run, run.additional_keys) == (value, value, True, [key])
    assert run.to_dict()[key] == value


def test_what_an_answer_leaves_out_is_none():
    run = RunResponse.from_dict(a_run())

    assert run.output_data is None
    assert (run.error, run.session_id, run.ended_at) == (None, None, None)
    assert "output_data" not in run
    assert run.get("output_data", "nothing yet") == "nothing yet"
    assert json.dumps(run.to_dict())


def test_an_answer_without_a_required_key_is_read_all_the_same():
    run = RunResponse.from_dict({"id": str(ID)})

    assert (run.id, run.status) == (ID, None)
    assert run.to_dict() == {"id": str(ID), "is_priority": False}


def test_a_word_that_is_new_does_not_fail_a_page():
    page = PaginatedResponseWithIncludesRunResponse.from_dict(a_page(a_run(status="paused"), a_run()))

    assert [run.status for run in page] == ["paused", RunStatus.SCHEDULING]
    assert page.to_dict()["items"][0]["status"] == "paused"


def test_ids_and_times_that_cannot_be_read_stay_as_they_came():
    run = RunResponse.from_dict(a_run(id="run-7", created_at="yesterday", started_at="2025-13-99T00:00:00Z"))

    assert (run.id, run.created_at, run.started_at) == ("run-7", "yesterday", "2025-13-99T00:00:00Z")


@pytest.mark.parametrize(
    ("text", "microsecond", "offset_hours"),
    [
        ("2025-01-31T12:00:00Z", 0, 0),
        ("2025-01-31T12:00:00", 0, 0),
        ("2025-01-31 12:00:00+00:00", 0, 0),
        ("2025-01-31T12:00:00.1Z", 100000, 0),
        ("2025-01-31T12:00:00.123456789Z", 123456, 0),
        ("2025-01-31T12:00:00.123+0200", 123000, 2),
    ],
)
def test_times_always_have_a_zone(text, microsecond, offset_hours):
    zone = dt.timezone(dt.timedelta(hours=offset_hours))

    run = RunResponse.from_dict(a_run(created_at=text))

    assert run.created_at == dt.datetime(2025, 1, 31, 12, 0, 0, microsecond, zone)
    assert run.created_at.tzinfo is not None


@pytest.mark.parametrize(
    ("model", "source", "message"),
    [
        (RunResponse, [], "RunResponse: expected an object, got list"),
        (RunResponse, None, "RunResponse: expected an object, got NoneType"),
        (MachineResponse, {"pools": 3}, "MachineResponse.pools: expected a list, got int"),
        (MachineResponse, {"pools": ["a"]}, "MachineResponse.pools: expected an object, got str"),
        (RunCreate, {"machine_id": "m"}, "RunCreate: 'workflow_id' is missing"),
        (WorkflowChainCreate, {}, "WorkflowChainCreate: 'steps' is missing"),
    ],
)
def test_another_shape_is_refused_by_name(model, source, message):
    with pytest.raises(MalformedModel) as refusal:
        model.from_dict(source)

    assert str(refusal.value) == message


def test_a_missing_key_is_a_key_error_too():
    with pytest.raises(KeyError):
        RunCreate.from_dict({})
    assert issubclass(MissingField, ValueError)


def test_only_what_was_given_is_sent():
    update = RunUpdate(status=RunStatus.CANCELLED, error=None)

    assert update.to_dict() == {"status": "cancelled", "error": None}
    assert (update.output_data, update.error) == (None, None)


def test_what_is_assigned_later_is_sent_too():
    update = RunUpdate()
    update.error = None
    update.output_data = {"a": 1}
    update["release_session_after"] = True
    update["of_the_future"] = 1

    assert update.to_dict() == {
        "of_the_future": 1,
        "error": None,
        "output_data": {"a": 1},
        "release_session_after": True,
    }


def test_unset_takes_a_field_back():
    update = RunUpdate(error=UNSET, output_data={})
    update.output_data = UNSET
    create = RunCreate(workflow_id=ID, is_priority=UNSET)

    assert update == RunUpdate()
    assert update.to_dict() == {}
    assert create.to_dict() == {"workflow_id": str(ID), "start_session": False}
    assert not UNSET
    assert repr(pickle.loads(pickle.dumps(UNSET))) == "UNSET"


def test_a_key_can_be_deleted():
    run = RunResponse.from_dict(a_run(extra=1))

    del run["status"], run["extra"]

    assert ("status" in run, run.status, "extra" in run) == (False, None, False)
    with pytest.raises(KeyError, match="extra"):
        del run["extra"]
    with pytest.raises(KeyError, match="status"):
        run["status"]


def test_null_and_left_out_are_two_things():
    assert RunUpdate(error=None) != RunUpdate()
    assert RunUpdate(error=None) == RunUpdate(error=None)


def test_fields_named_like_words_of_python_have_an_underscore():
    error = ValidationError(loc=["body"], msg="wrong", type_="value_error", input_=7)

    assert error.to_dict() == {"loc": ["body"], "msg": "wrong", "type": "value_error", "input": 7}
    assert error["type"] == "value_error"


def test_a_model_is_no_sequence():
    with pytest.raises(TypeError):
        iter(RunCreate(workflow_id=ID))


def test_models_can_be_copied_and_pickled():
    run = RunResponse.from_dict(a_run(extra=1))

    assert pickle.loads(pickle.dumps(run)) == copy.deepcopy(run) == run


def test_unknown_arguments_are_type_errors():
    with pytest.raises(TypeError, match="colour"):
        RunCreate(workflow_id=ID, colour="red")


def test_free_form_objects_are_plain_dicts():
    run = RunResponse.from_dict(a_run(output_data={"demographics": {"dob": "1970"}}))

    assert type(run.output_data) is dict
    assert run.output_data.get("demographics", {}).get("dob") == "1970"


def test_the_classes_of_free_form_objects_are_dicts():
    values = models.RunCreateInputValuesType0.from_dict({"a": ID})
    values.additional_properties["b"] = 1
    values["c"] = 2

    assert isinstance(values, FreeForm)
    assert values.to_dict() == {"a": str(ID), "b": 1, "c": 2}
    assert values.additional_keys == ["a", "b", "c"]
    values.additional_properties = {"d": 3}
    assert RunCreate(workflow_id=ID, input_values=values).to_dict()["input_values"] == {"d": 3}


SECRETS = [
    RunCreate(workflow_id=ID, sensitive_input_values={"password": "hunter2"}),
    models.RunBulkCreate(ID, 1, sensitive_input_values={"password": "hunter2"}),
    models.RunRetry(sensitive_input_values={"password": "hunter2"}),
    models.ChainStep(ID, sensitive_inputs={"password": "hunter2"}),
    WorkflowChainCreate(steps=[], shared_sensitive_inputs={"password": "hunter2"}),
    models.MachineUpdate(machine_sensitive_parameters={"password": "hunter2"}),
    MachineCreate(machine_sensitive_parameters={"password": "hunter2"}),
    models.PoolCreate("a", pool_sensitive_parameters={"password": "hunter2"}),
    models.PoolUpdate(pool_sensitive_parameters={"password": "hunter2"}),
    ModelConfigurationCreate("a", "b", "c", api_key="hunter2"),
    models.ModelConfigurationUpdate(api_key="hunter2"),
    models.ProviderCredentialUpsert(aws_secret_access_key="hunter2", service_account_json="hunter2"),
]


@pytest.mark.parametrize("model", SECRETS, ids=lambda model: type(model).__name__)
def test_secrets_are_sent_and_not_shown(model):
    assert "hunter2" in json.dumps(model.to_dict())
    assert "hunter2" not in repr(model)
    assert "***" in repr(model)


def test_enum_members_are_their_words():
    assert str(RunStatus.SUCCESS) == f"{RunStatus.SUCCESS}" == RunStatus.SUCCESS == "success"
    assert f"{RunStatus.SUCCESS:>9}" == "  success"
    assert json.dumps(RunStatus.SUCCESS) == '"success"'
    assert RunStatus.SUCCESS in ["success"]


def test_some_words_have_two_names():
    assert MachineStatus.ACTIVE is MachineStatus.CONNECTED
    assert ConnectionStatus.ACTIVE is ConnectionStatus.CONNECTED
    assert RunStatus.COMPLETED is RunStatus.SUCCESS


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        (
            MachineCreate(name="a", provider="azure", region="eastus"),
            {"name": "a", "provider": "azure", "region": "eastus"},
        ),
        (MachineCreate(name="a", description="b"), {"name": "a", "description": "b"}),
        (ConnectionCreate(machine_id="m"), {"machine_id": "m"}),
        (
            ConnectionCreate(machine_id="m", connection_type="vnc"),
            {"machine_id": "m", "connection_type": "vnc"},
        ),
        (models.WorkflowUpdate(description="b"), {"description": "b"}),
        (
            WorkflowCreate(name="a", description="b"),
            {"name": "a", "description": "b", "includes_file_exports": False, "is_webhooks_enabled": False},
        ),
        (
            TrajectoryCreate(workflow_id="w", steps=[]),
            {"workflow_id": "w", "trajectory_data": [], "is_approved": False},
        ),
        (
            TrajectoryCreate(workflow_id="w", trajectory_data=[{"action": "click", "x": 1}]),
            {"workflow_id": "w", "trajectory_data": [{"action": "click", "x": 1}], "is_approved": False},
        ),
        (TrajectoryUpdate(steps=[]), {"trajectory_data": []}),
        (TrajectoryUpdate(trajectory_data=[]), {"trajectory_data": []}),
        (
            ModelConfigurationCreate(name="a", provider="openai", model_id="gpt-4o"),
            {
                "name": "a",
                "provider": "openai",
                "model": "gpt-4o",
                "is_computer_use_model": False,
                "is_archived": False,
            },
        ),
        (models.ModelConfigurationUpdate(model_id="gpt-4o"), {"model": "gpt-4o"}),
    ],
)
def test_the_forms_of_the_guides_are_understood(model, sent):
    assert model.to_dict() == sent


def test_a_second_name_always_agrees_with_the_first():
    by_second, by_first = TrajectoryCreate("w", steps=[{"a": 1}]), TrajectoryCreate("w", [{"a": 1}])
    read = TrajectoryCreate.from_dict({"workflow_id": "w", "steps": [{"a": 1}]})
    by_second.steps = by_second.steps

    assert by_second == by_first == read
    by_first.trajectory_data = []
    assert by_first.steps == []
    by_first.steps = [{"b": 2}]
    assert by_first.trajectory_data == [{"b": 2}]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: TrajectoryCreate("w", [], steps=[{}]), "'steps' is another name of 'trajectory_data'"),
        (lambda: ConnectionCreate("websocket"), "'machine_id' is required"),
        (lambda: ModelConfigurationCreate("a", "openai"), "'model' is required"),
        (lambda: RunCreate(), "workflow_id"),
    ],
)
def test_a_model_that_cannot_be_is_a_type_error(build, message):
    with pytest.raises(TypeError, match=message):
        build()


def test_nested_models_may_be_given_as_dicts():
    create = RunCreate.from_dict(
        {"workflow_id": "w", "file_inputs": [{"filename": "a", "content": "b"}], "model_metadata": None}
    )

    assert create.file_inputs == [FileInput("a", "b")]
    assert WorkflowChainCreate(steps=[{"workflow_id": "w"}]).to_dict()["steps"] == [{"workflow_id": "w"}]


def test_a_webhook_carries_a_run():
    event = RunCompletedEvent.from_dict(
        {
            "event_id": str(ID),
            "event_type": "run_complete",
            "occurred_at": "2025-01-31T12:00:00Z",
            "run": a_run(status="success", output_data={"a": 1}),
        }
    )

    assert isinstance(event.run, RunResponse)
    assert (event.run.status, event.run.output_data) == ("success", {"a": 1})


def test_the_history_can_be_read_typed():
    message = {"role": "user", "content": [{"type": "text", "text": "Hi", "new": 1}], "step_index": 3}

    read = ChatMessage.from_dict(message)

    assert read == ChatMessage(
        **{**message, "content": [MessageContentBlock.from_dict(message["content"][0])]}
    )
    assert read.content[0].text == "Hi"
    assert read.to_dict() == message


def test_every_named_schema_is_an_attrs_model():
    for name in NAMED:
        assert issubclass(getattr(models, name), Model)
        assert attrs.has(getattr(models, name))
