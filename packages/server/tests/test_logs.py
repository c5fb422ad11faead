"""Log lines: readable by machines, and never a secret among them."""

import io
import json
import logging
from typing import Any

import pytest
import structlog
from cyberdesk_server import logs

KEY = "cd_Gf6-q1nlBQgpTrij4HMU8syccennIEWZMVdoPTSJ0C4"


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_carries_the_ids_of_its_context() -> None:
    stream = io.StringIO()
    logs.configure("json", "info", stream=stream)

    with structlog.contextvars.bound_contextvars(run_id="r-1", machine_id="m-1"):
        structlog.get_logger("test").info("run claimed", attempt=1)

    [line] = lines(stream)
    assert (line["event"], line["run_id"], line["machine_id"]) == ("run claimed", "r-1", "m-1")
    assert (line["attempt"], line["level"]) == (1, "info")


def test_lines_of_libraries_look_the_same() -> None:
    stream = io.StringIO()
    logs.configure("json", "info", stream=stream)

    logging.getLogger("library").warning("authorization: Bearer %s", KEY)

    [line] = lines(stream)
    assert (line["event"], line["level"]) == ("authorization: Bearer [redacted]", "warning")


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "fields",
    [
        {"api_key": "hunter2"},
        {"headers": {"Authorization": "Bearer hunter2"}},
        {"body": b"hunter2"},
        {"payload": b"hunter2"},
        {"nested": [{"password": "hunter2"}]},
        {"reason": "Bearer hunter2 was refused"},
        {"event": "key cd_hunter2hunter2 is unknown"},
    ],
)
def test_a_secret_is_in_no_line(log_format: Any, fields: dict[str, Any]) -> None:
    stream = io.StringIO()
    logs.configure(log_format, "info", stream=stream)

    structlog.get_logger("test").info(**({"event": "something"} | fields))

    assert "hunter2" not in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_local_variables(log_format: Any) -> None:
    stream = io.StringIO()
    logs.configure(log_format, "info", stream=stream)

    def fail(password: str) -> None:
        raise ValueError(f"the key {KEY} failed")

    try:
        fail("2retnuh"[::-1])
    except ValueError:
        structlog.get_logger("test").exception("failed")

    assert "ValueError" in stream.getvalue()
    assert KEY not in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_less_important_lines_are_left_out() -> None:
    stream = io.StringIO()
    logs.configure("json", "warning", stream=stream)

    structlog.get_logger("test").info("no")
    structlog.get_logger("test").warning("yes")

    assert [line["event"] for line in lines(stream)] == ["yes"]
