"""Twenty faults of the client this one is compatible with, each with the proof that it is not here.

The numbers are those of the list we keep of them. Most have more tests where the matter itself is tested.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
import json
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

import cyberdesk
from cyberdesk import (
    UNSET,
    CyberdeskClient,
    HTTPValidationError,
    ModelConfigurationCreate,
    RunCreate,
    RunField,
    RunResponse,
    ValidationFailed,
)
from cyberdesk.testing import Scripted, a_page, a_run

ID = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"
REFUSED = Scripted(422, json={"detail": [{"loc": ["body"], "msg": "no", "type": "value_error"}]})
DAY = dt.datetime(2025, 1, 31, 12)  # noqa: DTZ001  # a time without a zone is meant


def python(statement: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", statement]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_01_a_client_has_a_timeout_unless_asked_otherwise():
    with CyberdeskClient("key") as client:
        assert client._http._sync_client().timeout == httpx.Timeout(60, connect=10)


@pytest.mark.parametrize(
    ("group", "method", "arguments"),
    [
        ("runs", "delete", (ID,)),
        ("workflow_tags", "delete", (ID,)),
        ("workflow_tags", "reorder", ([ID],)),
        ("workflow_tags", "bulk_add_to_workflows", ([ID], [ID])),
    ],
)
def test_02_a_refusal_is_never_a_success(api, client, call, group, method, arguments):
    api.answers(REFUSED)

    response = call(getattr(client, group), method, *arguments)

    assert isinstance(response.data, HTTPValidationError)
    with pytest.raises(ValidationFailed):
        response.unwrap()


def test_03_a_refusal_is_in_one_place_and_errors_can_be_imported(api, client, call):
    api.answers(*[REFUSED] * 3)
    asked = [("runs", "list", ()), ("runs", "get", (ID,)), ("model_configurations", "list", ())]

    responses = [call(getattr(client, group), method, *arguments) for group, method, arguments in asked]

    assert [response.data.detail[0].msg for response in responses] == ["no"] * 3
    assert {"UnexpectedStatus", "NotFound", "ValidationFailed", "MalformedAnswer"} <= set(cyberdesk.__all__)


def test_04_one_client_serves_one_event_loop_after_another(api, client):
    api.answers(*[Scripted(200, json=a_page())] * 3)

    async def list_runs():
        return await client.runs.list()

    assert [asyncio.run(list_runs()).error for _ in range(3)] == [None] * 3


def test_05_async_connections_can_be_closed(api):
    api.answers(Scripted(200, json=a_page()))

    async def use():
        async with CyberdeskClient("key", api.base_url) as client:
            await client.runs.list()
            return client._http._per_loop[asyncio.get_running_loop()].opened[0]

    assert asyncio.run(use()).is_closed


async def test_06_the_api_gets_the_time_it_asks_for(monkeypatch):
    paused = []
    api = httpx.MockTransport(
        lambda request: httpx.Response(503, headers={"Retry-After": "30"}) if not paused else answer
    )
    answer = httpx.Response(200, json=a_page())

    async def sleep(seconds):
        paused.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    async with httpx.AsyncClient(transport=api) as http:
        response = await CyberdeskClient("key", async_http_client=http).runs.list()

    assert (response.error, paused) == (None, [30.0])


@pytest.mark.parametrize(
    "error", [httpx.LocalProtocolError("bad header"), httpx.UnsupportedProtocol("bad address"), ssl.SSLError]
)
def test_06_what_can_never_work_is_not_tried_again(error):
    sent = []

    def fail(request):
        sent.append(request)
        if error is ssl.SSLError:
            raise httpx.ConnectError("not trusted") from ssl.SSLCertVerificationError()
        raise error

    with httpx.Client(transport=httpx.MockTransport(fail)) as http:
        response = CyberdeskClient("key", http_client=http).runs.list_sync()

    assert isinstance(response.error, httpx.RequestError)
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("method", "arguments", "answer"),
    [
        ("list", (), Scripted(200, json=a_page(a_run()))),
        ("bulk_create", (cyberdesk.client.RunBulkCreate(ID, 1),), Scripted(201, json={"created_runs": []})),
    ],
)
def test_07_a_body_is_parsed_once(api, client, call, monkeypatch, method, arguments, answer):
    parsed = []
    loads = json.loads
    api.answers(answer)
    monkeypatch.setattr(json, "loads", lambda text: parsed.append(text) or loads(text))

    response = call(client.runs, method, *arguments)

    assert response.error is None
    assert parsed == [answer.body]


def test_08_an_import_loads_no_model_and_no_pydantic():
    loaded = python("import cyberdesk, sys; print(*sys.modules)").split()

    assert not [name for name in loaded if name.startswith(("openapi_client", "pydantic", "attr"))]
    assert not [name for name in loaded if name.startswith("cyberdesk.models._generated.")]
    assert len([name for name in loaded if name.startswith("cyberdesk")]) < 50


def test_09_an_absent_field_is_none_and_everything_is_json():
    run = RunResponse.from_dict(a_run())

    assert run.output_data is None
    assert json.loads(json.dumps(run.to_dict()))["id"] == str(run.id)
    assert "output_data" not in run.to_dict()
    assert RunCreate(ID, machine_id=UNSET).machine_id is None


def test_10_one_odd_value_does_not_cost_the_page(api, client, call):
    odd = a_run(status="paused", created_at="soon")
    del odd["machine_id"]
    api.answers(Scripted(200, json=a_page(odd, a_run(status="success"))))

    first, second = call(client.runs, "list").unwrap()

    assert (first.status, first.created_at, first.machine_id) == ("paused", "soon", None)
    assert second.status == "success"


def test_10_a_wrong_id_in_a_body_is_told(api, client, call):
    api.answers(REFUSED)

    response = call(client.runs, "create", RunCreate(workflow_id="wrokflow"))

    assert [one.msg for one in response.data.detail] == ["no"]


def test_11_fields_of_tags_can_be_cleared(api, client, call):
    api.answers(*[Scripted(200, json={})] * 2)

    call(client.workflow_tags, "update", ID, group_id="", description="")
    call(client.workflow_tag_groups, "update", ID, emoji="")

    assert [asked.json for asked in api.asked] == [{"description": None, "group_id": None}, {"emoji": None}]


def test_12_trajectories_of_both_kinds_can_be_asked_for(api, client, call):
    api.answers(Scripted(200, json=a_page({"id": ID})), Scripted(200, json=a_page({"id": ID}, {"id": ID})))

    page = call(client.trajectories, "list", is_generated=None).unwrap()

    assert [dict(asked.query)["is_generated"] for asked in api.asked] == ["true", "false"]
    assert (len(page.items), page.total) == (3, 3)


def test_13_no_repr_shows_a_secret():
    client = CyberdeskClient("s3cret-key").with_options(headers={"X-Secret": "s3cret"})
    seen = [
        *(repr(part) for part in (client, *vars(client).values())),
        repr(RunCreate(ID, sensitive_input_values={"password": "s3cret"})),
        repr(ModelConfigurationCreate("a", "openai", "gpt", api_key="s3cret")),
        repr(cyberdesk.models.ProviderCredentialUpsert(aws_secret_access_key="s3cret")),
    ]

    assert [text for text in seen if "s3cret" in text] == []


def test_14_async_calls_touch_files_in_a_thread(api, client, tmp_path, monkeypatch):
    threads = []
    read_bytes = Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: threads.append(threading.current_thread()) or read_bytes(path)
    )
    (tmp_path / "a.png").write_bytes(b"PNG")
    api.answers(
        Scripted(201, json={}),
        Scripted(200, json={"id": ID, "filename": "a"}),
        Scripted(200, content=b"PDF"),
    )

    async def use():
        await client.workflows.upload_prompt_image(tmp_path / "a.png")
        return await client.run_attachments.save_to_file(ID, tmp_path)

    response = asyncio.run(use())

    assert response.data["size"] == 3
    assert threads
    assert threading.main_thread() not in threads


def test_15_an_optional_body_may_be_left_out(api, client, call):
    api.answers(Scripted(200, json={"status": "shutting_down"}))

    response = call(client.machines, "shutdown_driver", ID)

    assert response.data == {"status": "shutting_down"}
    assert api.asked[0].json == {"source": "cloud-api", "reason": "user_disabled_machine"}


def test_16_a_time_without_a_zone_is_in_utc_everywhere(api, client, call):
    api.answers(*[Scripted(200, json={})] * 3)

    call(client.runs, "list", created_at_from=DAY)
    call(client.usage, "aggregate", DAY, "2025-02-01")
    call(client.usage, "llm_costs", from_date=DAY)

    sent = [value for asked in api.asked for key, value in asked.query if key.endswith(("from", "from_date"))]
    assert sent == ["2025-01-31T12:00:00+00:00"] * 3


def test_17_what_programs_had_to_build_themselves_is_there(api):
    heard = []
    running, ended = a_run(id=ID, status="running"), a_run(id=ID, status="success")
    api.answers(
        *(Scripted(200, json=a_page(one, total=2)) for one in (a_run(), a_run())),
        *(Scripted(200, json=one, headers={"X-Request-Id": "a"}) for one in (running, ended)),
    )

    with CyberdeskClient("key", api.base_url, on_response=heard.append) as client:
        listed = list(client.with_options(timeout=5, headers={"X-Trace": "7"}).runs.iterate_sync())
        waited = client.runs.wait_sync(ID, poll_interval_seconds=0)

    assert (len(listed), waited.data.status, waited.request_id, len(heard)) == (2, "success", "a", 4)
    assert api.asked[0].headers["x-trace"] == "7"


@pytest.mark.parametrize(
    "name",
    [
        "computer",
        "request_logs",
        "provider_credentials",
        "health",
        "runs.get_llm_costs",
        "workflows.get_versions",
    ],
)
def test_18_no_operation_is_without_a_method(name):
    found = CyberdeskClient("key")

    for part in name.split("."):
        found = getattr(found, part)
    assert found.__doc__  # that each of the 123 has one is in test_operations.py


def test_19_one_name_may_stand_for_a_list_of_one(api, client, call):
    api.answers(*[Scripted(200, json=a_page())] * 2)

    call(client.runs, "list", include="workflow", fields=["error", RunField.INPUT_VALUES])
    call(client.runs, "list", fields="error")

    assert [pair for pair in api.asked[0].query if pair[0] != "deep_search"] == [
        ("fields", "error"),
        ("fields", "input_values"),
        ("include", "workflow"),
    ]
    assert ("fields", "error") in api.asked[1].query


def test_20_other_generated_clients_may_use_the_same_top_level_name(tmp_path, monkeypatch):
    other = tmp_path / "openapi_client" / "of_somebody_else"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("here = True\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert importlib.import_module("openapi_client.of_somebody_else").here
    assert importlib.import_module("openapi_client.cyberdesk_cloud_client.models").RunResponse is RunResponse
