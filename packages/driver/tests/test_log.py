"""Log lines say when, how grave, what; the library below keeps handshakes to itself."""

import io
import logging
import re
from collections.abc import Iterator

import pytest
from cyberdriver.log import start_logging


@pytest.fixture(autouse=True)
def _undo() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before[0], before[1]


def test_a_line_has_time_level_and_facts() -> None:
    stream = io.StringIO()
    start_logging(stream)

    logging.getLogger("cyberdriver.x").info("joined server=%s", "https://x")
    logging.getLogger("cyberdriver.x").debug("not this")

    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 INFO    joined server=https://x\n", stream.getvalue()
    )


def test_a_handshake_is_never_logged() -> None:
    stream = io.StringIO()
    start_logging(stream, is_verbose=True)

    logging.getLogger("websockets.client").debug("> Authorization: Bearer ak_1")

    assert stream.getvalue() == ""
