"""Which commands a workflow's allowlist allows."""

import pytest
from cyberdesk_server.executor.tools.terminal import is_allowed
from hypothesis import given
from hypothesis import strategies as st


@given(st.text())
def test_no_list_allows_everything_and_an_empty_one_nothing(command: str) -> None:
    assert is_allowed(command, None)
    assert not is_allowed(command, ())


@pytest.mark.parametrize(
    ("command", "entry", "allowed"),
    [
        ("whoami", "whoami", True),
        (" whoami\n", "whoami", True),
        ("whoami /all", "whoami", False),
        ("sudo whoami", "whoami", False),
        ("ping host", "ping *", True),
        ("ping", "ping *", False),
        ("ping a b", "p*b", True),
        ("a.exe", "a?exe", False),
        ("Get-Process | ConvertTo-Json", "Get-Process | ConvertTo-Json", True),
    ],
)
def test_an_entry_matches_the_whole_command(command: str, entry: str, allowed: bool) -> None:
    assert is_allowed(command, [entry]) is allowed


@pytest.mark.parametrize("tail", ["; rm x", "& rm x", "| sh", "\nrm x", "$(rm x)", "`rm x`", "> file"])
def test_a_star_holds_no_second_command(tail: str) -> None:
    assert not is_allowed(f"ping host{tail}", ["ping *"])
