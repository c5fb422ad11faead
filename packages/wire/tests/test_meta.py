"""What a meta text may say, and how the published drivers and servers are read."""

import json

import pytest
from cyberdesk_wire import (
    BadField,
    BadHeader,
    Limits,
    MalformedMeta,
    MessageTooLarge,
    MissingField,
    ProtocolError,
    Request,
    Response,
)
from cyberdesk_wire.meta import check_request, check_response, read_request, read_response, write_meta

GOOD = {"requestId": "1", "method": "GET", "path": "/x", "query": "", "headers": {}}


def read(**changes: object) -> Request | ProtocolError:
    return read_request(json.dumps(GOOD | changes), Limits())


def test_a_request_is_written_as_the_published_drivers_expect() -> None:
    request = Request("5b", "POST", "/computer/x", headers={"Content-Type": "application/json"})

    assert write_meta(request) == (
        '{"requestId":"5b","method":"POST","path":"/computer/x","query":"",'
        '"headers":{"content-type":"application/json"}}'
    )


def test_a_response_is_written_as_the_published_servers_expect() -> None:
    assert write_meta(Response("5b", 204)) == '{"requestId":"5b","status":204,"headers":{}}'


def test_a_header_is_found_in_any_spelling() -> None:
    request = Request("1", "GET", "/", headers={"X-Action-Id": "7"})

    assert request.header("x-ACTION-id") == "7"
    assert request.header("x-other") is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"method": "get"}, Request("1", "GET", "/x")),
        ({"query": None}, Request("1", "GET", "/x")),
        ({"query": "?a=1"}, Request("1", "GET", "/x", "a=1")),
        ({"headers": None}, Request("1", "GET", "/x")),
        ({"headers": {"Host": "x", "Content-Length": "1"}}, Request("1", "GET", "/x")),
        ({"headers": {"Connection": "close"}}, Request("1", "GET", "/x")),
        ({"unknown": {"field": 1}}, Request("1", "GET", "/x")),
    ],
)
def test_variants_of_published_programs_are_read(changes: dict[str, object], expected: object) -> None:
    assert read(**changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"requestId": None}, MissingField(None, "requestId")),
        ({"requestId": 7}, BadField(None, "requestId", "must be a string")),
        ({"requestId": ""}, BadField("", "requestId", "must not be empty")),
        ({"method": None}, MissingField("1", "method")),
        ({"method": 1}, BadField("1", "method", "must be a string")),
        ({"method": "GET /"}, BadField("1", "method", "must be a word in upper case")),
        ({"path": None}, MissingField("1", "path")),
        ({"path": "@host/x"}, BadField("1", "path", "must start with /")),
        ({"path": "/x?a=1"}, BadField("1", "path", "must not hold a query or a fragment")),
        ({"query": {"a": 1}}, BadField("1", "query", "must be a string")),
        ({"headers": []}, BadField("1", "headers", "must be an object")),
        ({"headers": {"a": None}}, BadHeader("1", "a", "must be a string")),
        ({"headers": {"a": 1}}, BadHeader("1", "a", "must be a string")),
        ({"headers": {"a b": "1"}}, BadHeader("1", "a b", "is no header name")),
        ({"headers": {"a": "1\r\nb: 2"}}, BadHeader("1", "a", "holds a control character")),
    ],
)
def test_a_wrong_request_is_an_error_that_names_the_field(
    changes: dict[str, object], expected: object
) -> None:
    assert read(**changes) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", MalformedMeta(None, "is not JSON")),
        ("END", MalformedMeta(None, "is not JSON")),
        ("[]", MalformedMeta(None, "is not a JSON object")),
        ("1" * 5_000, MalformedMeta(None, "is not JSON")),
        (" " * 70_000, MessageTooLarge(None, "meta", 65_536)),
    ],
)
def test_a_text_that_is_no_meta_is_an_error(text: str, expected: object) -> None:
    assert read_request(text, Limits()) == expected
    assert read_response(text, Limits()) == expected


@pytest.mark.parametrize("status", ["200", True, 2.0, {}])
def test_a_status_must_be_an_integer(status: object) -> None:
    text = json.dumps({"requestId": "1", "status": status})

    assert read_response(text, Limits()) == BadField("1", "status", "must be an integer")


def test_a_status_is_one_of_http() -> None:
    assert check_response(Response("1", 99), Limits()) == BadField(
        "1", "status", "must be between 100 and 599"
    )
    assert read_response('{"requestId":"1"}', Limits()) == MissingField("1", "status")


def test_a_response_may_carry_its_length_as_the_published_drivers_send_it() -> None:
    text = '{"requestId":"1","status":200,"headers":{"Content-Length":"2","Transfer-Encoding":"chunked"}}'

    assert read_response(text, Limits()) == Response("1", 200, {"content-length": "2"})


def test_a_length_or_host_is_not_forwarded_to_a_driver() -> None:
    request = Request("1", "GET", "/", headers={"Content-Length": "1"})

    assert check_request(request, Limits()) == BadHeader("1", "content-length", "is not forwarded")


def test_the_headers_have_limits() -> None:
    many = Request("1", "GET", "/", headers={f"h{number}": "" for number in range(65)})
    long = Request("1", "GET", "/", headers={"h": "x" * 8_192})

    assert check_request(many, Limits()) == BadHeader("1", "h64", "is one more than the 64 allowed")
    assert check_request(long, Limits()) == BadHeader("1", "h", "makes the headers longer than 8192 bytes")
