"""Every method answers with an `ApiResponse`: what is in it, for each kind of answer of the API."""

from __future__ import annotations

from uuid import UUID, uuid4

import httpx
import pytest

from cyberdesk import (
    ApiResponse,
    CyberdeskClient,
    HTTPValidationError,
    MalformedAnswer,
    RetryConfig,
    RunCreate,
    RunResponse,
    RunStatus,
    UnexpectedStatus,
)
from cyberdesk.testing import Scripted, a_page, a_run

RUN = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"
DETAIL = [{"loc": ["body", "workflow_id"], "msg": "not a UUID", "type": "uuid_parsing"}]

METHODS_OF_EACH_SORT = [
    ("runs", "list", ()),
    ("runs", "create", (RunCreate(workflow_id=RUN),)),
    ("runs", "get", (RUN,)),
    ("runs", "delete", (RUN,)),
    ("runs", "wait", (RUN,)),
    ("machines", "get_pools", (RUN,)),
    ("workflows", "list_prompt_images", ()),
    ("workflows", "delete_prompt_image", ("a/b.png",)),
    ("workflow_tags", "delete", (RUN,)),
    ("workflow_tags", "reorder", ([RUN],)),
    ("model_configurations", "list", ()),
    ("run_attachments", "download", (RUN,)),
    ("run_attachments", "save_to_file", (RUN,)),
]


def test_the_promised_status_gives_data(api, client, call):
    api.answers(Scripted(201, json=a_run(id=RUN, status="running")))

    response = call(client.runs, "create", RunCreate(workflow_id=RUN))

    assert response.error is None
    assert isinstance(response.data, RunResponse)
    assert (response.data.id, response.data.status) == (UUID(RUN), RunStatus.RUNNING)


@pytest.mark.parametrize("status", [200, 202, 204, 301, 307, 400, 401, 403, 404, 409, 410, 418, 520, 599])
def test_any_other_status_is_an_error_that_keeps_status_and_body(api, client, call, status):
    body = b"" if status == 204 else b'{"detail": "no machine has this id"}'
    api.answers(Scripted(status, content=body))

    response = call(client.runs, "create", RunCreate(workflow_id=RUN))

    assert response.data is None
    assert isinstance(response.error, UnexpectedStatus)
    assert (response.error.status_code, response.error.content) == (status, body)
    assert str(response.error).startswith(f"HTTP {status}")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"detail": "Run not found"}', "HTTP 404 Not Found: Run not found"),
        (b'{"detail": {"message": "Run not found", "code": 7}}', "HTTP 404 Not Found: Run not found"),
        (b'{"error": "Run\\nnot  found"}', "HTTP 404 Not Found: Run not found"),
        (b'{"detail": [{"msg": "one"}, {"msg": "two"}]}', "HTTP 404 Not Found: one; two"),
        (b"Run not found", "HTTP 404 Not Found: Run not found"),
        (b"<html><body>nginx</body></html>", "HTTP 404 Not Found"),
        (b'{"detail": null}', "HTTP 404 Not Found"),
        (b"", "HTTP 404 Not Found"),
        (b"\xff\xfe", "HTTP 404 Not Found: ��"),
        (b"x" * 5000, f"HTTP 404 Not Found: {'x' * 300}…"),
    ],
)
def test_the_error_says_in_one_short_line_what_the_api_says(api, client, call, body, message):
    api.answers(Scripted(404, content=body))

    response = call(client.runs, "get", RUN)

    assert str(response.error) == message


@pytest.mark.parametrize(("group", "method", "arguments"), METHODS_OF_EACH_SORT)
def test_a_422_is_in_the_data_of_every_method(api, client, call, group, method, arguments):
    api.answers(Scripted(422, json={"detail": DETAIL}))

    response = call(getattr(client, group), method, *arguments)

    assert response.error is None
    assert isinstance(response.data, HTTPValidationError)
    assert [one.to_dict() for one in response.data.detail or []] == DETAIL


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"detail": "count must be positive"}', "count must be positive"),
        (b'{"detail": null}', "the API refused the payload without a reason"),
        (b'{"detail": []}', "the API refused the payload without a reason"),
        (b"not json", "not json"),
        (b"", "the API refused the payload without a reason"),
    ],
)
def test_a_422_in_another_form_still_has_a_detail(api, client, call, body, message):
    api.answers(Scripted(422, content=body))

    response = call(client.runs, "get", RUN)

    assert [one.msg for one in response.data.detail] == [message]


@pytest.mark.parametrize("body", [b"<html>", b"", b"[1]", b'{"items": 3}', b"\xff\xff", b'{"items": [7]}'])
def test_an_unreadable_body_is_an_error_that_keeps_it(api, client, call, body):
    api.answers(Scripted(200, content=body))

    response = call(client.runs, "list")

    assert isinstance(response.error, MalformedAnswer)
    assert (response.error.status_code, response.error.content) == (200, body)


@pytest.mark.parametrize(
    "wrong", ["run-uuid", "", "..", "a/b", "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b1z", None, 7]
)
def test_a_malformed_id_is_an_error_without_a_request(api, client, call, wrong):
    response = call(client.runs, "get", wrong)

    assert isinstance(response.error, ValueError)
    assert str(response.error) == f"run_id: {wrong!r} is not a UUID"
    assert api.asked == []


def test_no_connection_is_the_error_of_httpx(call):
    with CyberdeskClient("key", "http://127.0.0.1:1", retry=RetryConfig(max_retries=0)) as client:
        response = call(client.runs, "list")

    assert isinstance(response.error, httpx.ConnectError)


def test_a_slow_api_is_a_timeout(api, call):
    api.answers(Scripted(200, json=a_page(), delay_seconds=0.3))

    with CyberdeskClient("key", api.base_url, timeout=0.05, retry=RetryConfig(max_retries=0)) as client:
        response = call(client.runs, "list")

    assert isinstance(response.error, httpx.ReadTimeout)


def test_misuse_of_a_method_is_a_type_error(client, call):
    with pytest.raises(TypeError, match="run_id"):
        call(client.runs, "get")
    with pytest.raises(TypeError, match="colour"):
        call(client.runs, "list", colour="red")


@pytest.mark.parametrize(
    "group", ["machines", "pools", "workflows", "runs", "trajectories", "run_attachments"]
)
def test_a_delete_answers_success(api, client, call, group):
    api.answers(Scripted(204))

    assert call(getattr(client, group), "delete", uuid4()) == ApiResponse(data={"success": True})


@pytest.mark.parametrize("group", ["workflow_tags", "workflow_tag_groups", "model_configurations"])
def test_some_deletes_answer_nothing(api, client, call, group):
    api.answers(Scripted(204))

    assert call(getattr(client, group), "delete", uuid4()) == ApiResponse()


def test_a_page_keeps_its_place_and_gives_its_items(api, client, call):
    api.answers(Scripted(200, json=a_page(a_run(), a_run(), total=12, skip=4, limit=2)))

    page = call(client.runs, "list", skip=4, limit=2).data

    assert (page.total, page.skip, page.limit) == (12, 4, 2)
    assert list(page) == page.items
    assert len(page.items) == 2


def test_a_get_answers_a_run_that_can_stand_for_any_run(api, client, call):
    api.answers(Scripted(200, json=a_run(included=[{"type": "workflow", "id": RUN, "name": "Lookup"}])))

    run = call(client.runs, "get", RUN, include=["workflow"]).data

    assert isinstance(run, RunResponse)
    assert (run.included[0].type_, run.included[0]["name"]) == ("workflow", "Lookup")
