"""Log lines say when, how grave, what; the library below keeps handshakes to itself."""

import io
import logging
import re

from cyberdriver.log import start_logging


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
