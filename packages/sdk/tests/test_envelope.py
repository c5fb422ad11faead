"""What an `ApiResponse` tells besides its data, and the exceptions it turns into for those who want them."""

from __future__ import annotations

import copy
import pickle

import httpx
import pytest

import cyberdesk
from cyberdesk import (
    ApiResponse,
    CyberdeskClient,
    HTTPValidationError,
    MalformedAnswer,
    RetryConfig,
    RunCreate,
    RunStillGoing,
    UnexpectedStatus,
    ValidationError,
    ValidationFailed,
)
from cyberdesk.errors import unexpected
from cyberdesk.testing import Scripted, a_run

RUN = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"
NAMED = {"X-Request-Id": "req-7", "X-Other": "a"}
REFUSED = {
    "detail": [{"loc": ["body", "steps", 0, "x"], "msg": "not an integer", "type": "int", "input": "s3cret"}]
}
CLASSES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    429: "TooManyRequests",
    500: "ServerError",
    503: "ServerError",
    520: "ServerError",
    202: "UnexpectedStatus",
    307: "UnexpectedStatus",
    418: "UnexpectedStatus",
}


def test_a_response_tells_of_its_answer(api, client, call):
    api.answers(Scripted(201, json=a_run(id=RUN), headers=NAMED))

    response = call(client.runs, "create", RunCreate(workflow_id=RUN))

    assert (response.status, response.request_id, response.headers["x-other"]) == (201, "req-7", "a")
    assert response.content == Scripted(json=a_run(id=RUN, workflow_id=str(response.data.workflow_id))).body
    assert response.unwrap() is response.data


def test_the_answer_of_the_last_attempt_is_told_of(api, patient_client, call):
    api.answers(Scripted(503, headers={"X-Request-Id": "first"}), Scripted(404, headers=NAMED))

    response = call(patient_client.runs, "get", RUN)

    assert (response.status, response.request_id) == (404, "req-7")


def test_a_failed_wait_tells_of_the_last_answer(api, client, call):
    api.answers(Scripted(200, json=a_run(id=RUN), headers=NAMED))

    response = call(client.runs, "wait", RUN, timeout_seconds=0)

    assert isinstance(response.error, RunStillGoing)
    assert (response.status, response.request_id) == (200, "req-7")


def test_without_an_answer_there_is_nothing_to_tell(call):
    with CyberdeskClient("key", "http://127.0.0.1:1", retry=RetryConfig(max_retries=0)) as client:
        response = call(client.runs, "get", RUN)

    assert (response.status, dict(response.headers), response.request_id, response.content) == (
        None,
        {},
        None,
        b"",
    )
    with pytest.raises(httpx.ConnectError):
        response.unwrap()


def test_what_came_with_it_does_not_make_responses_differ(api, client):
    api.answers(Scripted(204, headers={"X-Request-Id": "a"}), Scripted(204))

    assert client.runs.delete_sync(RUN) == client.runs.delete_sync(RUN) == ApiResponse({"success": True})


@pytest.mark.parametrize(("status", "name"), CLASSES.items())
def test_each_status_has_its_class(api, client, call, status, name):
    api.answers(Scripted(status, json={"detail": "because"}, headers=NAMED))

    response = call(client.runs, "get", RUN)

    with pytest.raises(UnexpectedStatus) as raised:
        response.unwrap()
    assert raised.value is response.error
    assert type(response.error) is getattr(cyberdesk, name)
    assert (response.error.status_code, response.error.request_id) == (status, "req-7")
    assert response.error.content == b'{"detail": "because"}'


def test_a_refused_payload_is_raised_with_its_details(api, client, call):
    api.answers(Scripted(422, json=REFUSED, headers=NAMED))

    response = call(client.runs, "delete", RUN)

    assert (response.error, response.status) == (None, 422)
    with pytest.raises(ValidationFailed) as raised:
        response.unwrap()
    assert raised.value.details == response.data
    assert str(raised.value).endswith(": body.steps.0.x: not an integer")
    assert "s3cret" not in str(raised.value)
    assert raised.value.request_id == "req-7"


def test_a_refusal_made_by_hand_is_raised_too():
    refusal = HTTPValidationError(detail=[ValidationError(loc=["body"], msg="no", type_="value_error")])

    with pytest.raises(ValidationFailed, match="body: no"):
        ApiResponse(refusal).unwrap()


def test_nothing_can_be_unwrapped(api, client, call):
    api.answers(Scripted(204))

    assert call(client.workflow_tags, "delete", RUN).unwrap() is None


def test_an_unreadable_body_keeps_the_name_of_its_request(api, client, call):
    api.answers(Scripted(200, content=b"<html>", headers=NAMED))

    error = call(client.runs, "get", RUN).error

    assert isinstance(error, MalformedAnswer)
    assert (error.request_id, error.status_code, error.content) == ("req-7", 200, b"<html>")


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize(
    "error",
    [
        unexpected(404, b"{}", {"x-request-id": "a"}),
        unexpected(422, b'{"detail": "no"}'),
        unexpected(503, b""),
        MalformedAnswer(200, b"<html>", "not JSON", {"x-request-id": "a"}),
        RunStillGoing(RUN, "running", 3.0),
        RunStillGoing(RUN, "scheduling", 3.0, "there is no machine"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_can_be_copied_and_sent_to_other_processes(error, again):
    other = again(error)

    assert (type(other), str(other)) == (type(error), str(error))
    assert vars(other) == vars(error)
