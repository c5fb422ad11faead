"""Every operation of the contract has a method, and no method asks for what our server does not describe."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import httpx
import pytest

from cyberdesk import CyberdeskClient, RetryConfig, models
from cyberdesk._flow import Request
from cyberdesk._resources._resource import Resource
from cyberdesk.testing import Scripted, ScriptedApi

ROOT = Path(__file__).resolve().parents[3]
OPENAPI = json.loads((ROOT / "contract" / "openapi.json").read_text())
OURS = json.loads((ROOT / "packages" / "sdk" / "openapi.json").read_text())
ID = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"


def operations_in(description):
    return {
        (verb.upper(), template): operation
        for template, verbs in description["paths"].items()
        for verb, operation in verbs.items()
        if "responses" in operation
    }


PUBLISHED = operations_in(OPENAPI)
OPERATIONS = {**operations_in(OURS), **PUBLISHED}
SEVERAL_REQUESTS = {"wait", "create_and_wait", "save_to_file"}
"""Methods that are made of others."""

ARGUMENTS = {
    "action": "create",
    "amount": 3,
    "command": "hostname",
    "content": b"text",
    "direction": "down",
    "file_content": b"PNG",
    "from_date": "2025-01-31",
    "since": "2025-01-31",
    "image_url": "supabase://a.png",
    "keys": "ctrl+s",
    "name": "Urgent",
    "path": "a/b.png",
    "slot": "openai",
    "text": "Ada",
    "to_date": "2025-02-01",
    **dict.fromkeys(("x", "y", "start_x", "start_y", "to_x", "to_y"), 7),
}
EMPTY = {
    "ModelConfigurationCreate": models.ModelConfigurationCreate("a", "openai", "gpt"),
    "MachinePoolAssignment": models.MachinePoolAssignment([ID]),
    "RequestLogCreate": models.RequestLogCreate("a", "GET", "/", ID),
    "RunAttachmentCreate": models.RunAttachmentCreate(ID, "a.txt", "YQ==", "text/plain", "input"),
    "RunBulkCreate": models.RunBulkCreate(ID, 2),
    "RunCreate": models.RunCreate(ID),
    "TrajectoryCreate": models.TrajectoryCreate(ID),
    "WebhookEndpointCreate": models.WebhookEndpointCreate("https://example.com"),
    "WebhookEndpointUpdate": models.WebhookEndpointUpdate(is_enabled=False),
    "WorkflowCreate": models.WorkflowCreate("Lookup"),
}


def answered_as_published(asked):
    """An answer that the operation promises, as small as possible."""
    operation = OPERATIONS[operation_of(asked)]
    status = int(min(operation["responses"]))
    content = operation["responses"][str(status)].get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if status == 204 or "image/png" in content:
        return Scripted(status, content=b"" if status == 204 else b"\x89PNG")
    return Scripted(status, content=b"[]" if schema.get("type") == "array" else b'{"content": "YQ=="}')


def operation_of(asked):
    """Literal paths before those with parameters, as the server decides."""
    templates = sorted((template for _, template in OPERATIONS), key=lambda one: ("{" in one, one))
    for template in templates:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, asked.path) and (asked.method, template) in OPERATIONS:
            return asked.method, template
    raise AssertionError(f"{asked.method} {asked.path} is no operation of the contract or of our server")


def methods():
    client = CyberdeskClient("key")
    for group, part in vars(client).items():
        if isinstance(part, Resource):
            yield from ((group, name) for name in vars(type(part)) if is_asked_once(name))


def is_asked_once(name):
    return (
        not name.startswith(("_", "iterate")) and not name.endswith("_sync") and name not in SEVERAL_REQUESTS
    )


METHODS = list(methods())


@pytest.fixture(scope="module")
def published():
    with ScriptedApi(otherwise=answered_as_published) as api:
        client = CyberdeskClient("key", api.base_url, retry=RetryConfig(max_retries=0))
        with client:
            yield api, client


def arguments_of(method):
    """Required arguments by name and annotation."""
    required = {
        name: one.annotation
        for name, one in inspect.signature(method).parameters.items()
        if one.default is inspect.Parameter.empty
    }
    given = {name: an_argument(name, annotation) for name, annotation in required.items()}
    return given if method.__name__ != "upload_prompt_image_sync" else {"file_content": b"PNG"}


def an_argument(name, annotation):
    if annotation.startswith("models."):
        kind = annotation.removeprefix("models.")
        return EMPTY.get(kind) or getattr(models, kind).from_dict(minimal(kind))
    if name.endswith("_ids"):
        return [ID]
    return ID if name.endswith("_id") else ARGUMENTS[name]


def minimal(kind):
    """Something for every required key of a schema."""
    schema = OPENAPI["components"]["schemas"][kind]
    return {key: [] if "ids" in key or key == "steps" else "x" for key in schema.get("required", ())}


@pytest.mark.parametrize(("group", "name"), METHODS, ids=[".".join(one) for one in METHODS])
def test_a_method_asks_for_one_operation_and_reads_its_answer(published, group, name):
    api, client = published
    method = getattr(getattr(client, group), f"{name}_sync")
    before = len(api.asked)

    response = method(**arguments_of(method))

    assert response.error is None
    [asked] = api.asked[before:]
    assert " ".join(operation_of(asked)) in method.__doc__


def test_every_operation_has_a_method(published):
    api, client = published

    for group, name in METHODS:
        method = getattr(getattr(client, group), f"{name}_sync")
        method(**arguments_of(method))

    asked = {operation_of(one) for one in api.asked}
    assert sorted(PUBLISHED.keys() - asked) == []
    assert len(PUBLISHED) == 123


@pytest.mark.parametrize("status", [200, 503])
def test_machines_in_error_are_an_answer_and_no_failure(api, patient_client, call, status):
    api.answers(Scripted(status, json={"status": "error", "checked_machines": 2, "healthy_machines": 1}))

    response = call(patient_client.health, "machines")

    assert response.error is None
    assert (response.data.status, response.data.checked_machines) == ("error", 2)
    assert len(api.asked) == 1


def test_a_screenshot_is_a_png(api, client, call):
    api.answers(Scripted(200, content=b"\x89PNG\r\n", headers={"Content-Type": "image/png"}))

    assert call(client.computer, "screenshot", ID).data == b"\x89PNG\r\n"


def test_a_file_of_a_machine_is_bytes_both_ways(api, client, call):
    api.answers(Scripted(200, json={"path": "a", "content": "/wA=", "size": 2}), Scripted(200, json={}))

    content = call(client.computer, "read_file", ID, "C:\\a b.txt").data
    call(client.computer, "write_file", ID, "copy", content, mode="append")

    assert content == b"\xff\x00"
    assert api.asked[0].query == (("path", "C:\\a b.txt"),)
    assert api.asked[1].json == {"path": "copy", "content": "/wA=", "mode": "append"}


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"content": 7}', b'{"content": "no base64!"}'])
def test_a_file_that_cannot_be_read_is_an_error_that_keeps_the_answer(api, client, call, body):
    api.answers(Scripted(200, content=body))

    assert call(client.computer, "read_file", ID, "a").error.content == body


def test_a_click_says_what_was_given_and_nothing_else(api, client, call):
    api.answers(*[Scripted(204)] * 2)

    call(client.computer, "mouse_click", ID, 7, 8, clicks=2)
    call(client.computer, "mouse_click", ID, down=False)

    assert [asked.json for asked in api.asked] == [
        {"x": 7, "y": 8, "button": "left", "clicks": 2},
        {"button": "left", "clicks": 1, "down": False},
    ]


def test_a_page_of_request_logs_has_typed_items(api, client, call):
    item = {"id": ID, "request_id": "a", "method": "GET", "path": "/", "machine_id": ID}
    api.answers(Scripted(200, json={"items": [item], "total": 1, "skip": 0, "limit": 100}))

    [log] = call(client.request_logs, "list", machine_id=ID, status_code=200).data

    assert isinstance(log, models.RequestLogResponse)
    assert api.asked[0].query == (("machine_id", ID), ("status_code", "200"))


def test_a_slot_that_is_none_is_an_error_without_a_request(api, client, call):
    response = call(client.provider_credentials, "validate", "nobody")

    assert isinstance(response.error, ValueError)
    assert api.asked == []


def test_a_long_command_is_waited_for(api, call):
    slow = Scripted(200, json={"exit_code": 0}, delay_seconds=0.4)
    api.answers(slow, slow)

    with CyberdeskClient("key", api.base_url, timeout=0.1, retry=RetryConfig(max_retries=0)) as client:
        stretched = call(client.computer, "powershell_exec", ID, "make", timeout_seconds=1)
        as_told = call(client.with_options(timeout=0.1).computer, "powershell_exec", ID, "make")

    assert stretched.data == {"exit_code": 0}
    assert isinstance(as_told.error, httpx.ReadTimeout)


def test_no_timeout_stays_no_timeout(api):
    client = CyberdeskClient("key", api.base_url, timeout=httpx.Timeout(None))

    request = Request("POST", "/", lasts_seconds=500)

    with httpx.Client() as http:
        assert client._http._arguments(http, request)["timeout"] == httpx.Timeout(None)
