"""The page about operating a machine by hand: every operation and every status has its row."""

import re
from pathlib import Path

from cyberdesk_server.api import errors
from cyberdesk_server.testing.api import the_description

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "computer.md").read_text(encoding="utf-8")
PREFIX = "/v1/computer/{machine_id}/"


def test_every_operation_has_its_row() -> None:
    paths = the_description()["paths"]
    served = {
        f"{method.upper()} {path.removeprefix(PREFIX)}"
        for path, operations in paths.items()
        if path.startswith(PREFIX)
        for method in operations
    }

    assert set(re.findall(r"^\| `(\w+ [\w/]+)` \|", PAGE, re.MULTILINE)) == served


def test_every_status_has_its_row() -> None:
    given = errors.PASSED_ON | set(errors.DESKTOP_STATUS.values())
    rows = re.findall(r"^\| ((?:\d{3}(?:, )?)+) \|", PAGE, re.MULTILINE)

    assert {int(status) for row in rows for status in row.split(", ")} == given
