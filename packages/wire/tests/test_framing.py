"""Whatever is framed is read back, however the body is cut."""

import json
import string
import tracemalloc
from collections.abc import Iterable

import pytest
from cyberdesk_wire import (
    DriverSide,
    Frame,
    Limits,
    MessageTooLarge,
    ProtocolError,
    Request,
    Response,
    ServerSide,
    Superseded,
    UnexpectedBody,
    UnexpectedEnd,
    frames,
)
from cyberdesk_wire.meta import NEVER_FORWARDED
from hypothesis import given
from hypothesis import strategies as st

HEADER_NAMES = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=20).filter(
    lambda name: name.lower() not in NEVER_FORWARDED
)
HEADER_VALUES = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f"), max_size=40)
HEADERS = st.dictionaries(HEADER_NAMES, HEADER_VALUES, max_size=8)
IDS = st.text(min_size=1, max_size=40)
REQUESTS = st.builds(
    Request,
    request_id=IDS,
    method=st.text(string.ascii_uppercase, min_size=1, max_size=8),
    path=st.text(st.characters(exclude_characters="?#"), max_size=40).map(lambda rest: "/" + rest),
    query=st.text(st.characters(exclude_characters="?"), max_size=40),
    headers=HEADERS,
    body=st.binary(max_size=300),
)
RESPONSES = st.builds(
    Response,
    request_id=IDS,
    status=st.integers(100, 599),
    headers=HEADERS,
    body=st.binary(max_size=300),
)
GARBAGE = st.one_of(
    st.text(st.characters()),
    st.binary(),
    st.just("end"),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["requestId", "method", "path", "status"]), inner)
        ),
    ).map(json.dumps),
)

MANY_BYTES = 16 * 1024 * 1024


def read(side: DriverSide | ServerSide, sent: Iterable[Frame]) -> list[object]:
    return [event for frame in sent for event in side.receive(frame)]


def recut(message: Request | Response, sizes: list[int]) -> list[Frame]:
    """The same frames with the body cut anew: into these sizes, and the rest in one."""
    meta, *_, end = frames(message)
    chunks, rest = [], message.body
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]
    return [meta, *chunks, rest, end]


@given(request=REQUESTS, sizes=st.lists(st.integers(0, 50)))
def test_a_request_is_read_back_under_any_chunking(request: Request, sizes: list[int]) -> None:
    driver = DriverSide()

    events = read(driver, recut(request, sizes))

    assert events == [request]


@given(response=RESPONSES, sizes=st.lists(st.integers(0, 50)))
def test_a_response_is_read_back_under_any_chunking(response: Response, sizes: list[int]) -> None:
    server = ServerSide()
    server.send(Request(response.request_id, "GET", "/"))

    events = read(server, recut(response, sizes))

    assert events == [response]


@given(request=REQUESTS)
def test_what_one_side_sends_the_other_receives(request: Request) -> None:
    sent = ServerSide().send(request)

    assert isinstance(sent, list)
    assert read(DriverSide(), sent) == [request]


@given(body=st.binary(max_size=300), chunk_bytes=st.integers(1, 64))
def test_no_binary_frame_is_empty_or_longer_than_asked(body: bytes, chunk_bytes: int) -> None:
    _, *chunks, end = frames(Request("1", "POST", "/x", body=body), chunk_bytes=chunk_bytes)

    assert b"".join(chunk for chunk in chunks if isinstance(chunk, bytes)) == body
    assert all(0 < len(chunk) <= chunk_bytes for chunk in chunks)
    assert end == "end"


@given(st.lists(GARBAGE))
def test_garbage_gives_errors_and_never_an_exception(garbage: list[Frame]) -> None:
    assert all(
        isinstance(event, Request | ProtocolError) and str(event) for event in read(DriverSide(), garbage)
    )
    assert all(isinstance(event, ProtocolError) and str(event) for event in read(ServerSide(), garbage))


@given(garbage=st.lists(GARBAGE), request=REQUESTS)
def test_a_good_message_after_garbage_is_read(garbage: list[Frame], request: Request) -> None:
    driver = DriverSide(Limits(max_outstanding_requests=10_000))
    for frame in garbage:
        driver.receive(frame)

    events = read(driver, frames(request))

    assert events[-1] == request


def test_a_meta_nested_without_end_is_an_error() -> None:
    [error] = DriverSide().receive("[" * 60_000)

    assert str(error) in {"the meta text is nested too deeply", "the meta text is not JSON"}


def test_a_second_meta_before_the_end_forgets_the_first() -> None:
    driver = DriverSide()
    first, second = Request("1", "GET", "/a", body=b"first"), Request("2", "GET", "/b", body=b"second")
    meta, body, _ = frames(first)

    events = read(driver, (meta, body, *frames(second)))

    assert events == [Superseded("1"), second]


def test_body_and_end_without_a_meta_are_reported() -> None:
    driver = DriverSide()

    assert driver.receive(b"lost") == [UnexpectedBody(None)]
    assert driver.receive("end") == [UnexpectedEnd(None)]


def test_a_body_past_its_limit_is_reported_once_and_skipped() -> None:
    driver = DriverSide(Limits(max_message_bytes=10))
    large = Request("1", "POST", "/x", body=b"a" * 25)

    events = read(driver, frames(large, chunk_bytes=4))

    assert events == [MessageTooLarge("1", "body", 10)]
    small = Request("2", "POST", "/x", body=b"a" * 10)
    assert read(driver, frames(small)) == [small]


@pytest.mark.parametrize("chunk_bytes", [256 * 1024, MANY_BYTES])
def test_a_large_body_is_in_memory_once(chunk_bytes: int) -> None:
    driver = DriverSide()
    sent = Request("1", "POST", "/x", body=b"a" * MANY_BYTES)

    tracemalloc.start()
    [received] = read(driver, frames(sent, chunk_bytes=chunk_bytes))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert received == sent
    assert peak_bytes < 1.25 * MANY_BYTES


def test_the_frames_of_a_wrong_message_are_skipped_in_silence() -> None:
    driver = DriverSide()

    events = read(driver, ('{"method":"GET"}', b"body", b"more", "end"))

    assert [str(event) for event in events] == ["the meta has no requestId"]


def test_a_message_that_has_a_body_does_not_show_it() -> None:
    assert "secret" not in repr(Request("1", "POST", "/x", body=b"secret"))
    assert "secret" not in repr(Response("1", 200, body=b"secret"))
