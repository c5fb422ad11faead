"""The command line against a scripted API: `run("runs", "list")` is `cyberdesk runs list`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from typer.testing import CliRunner

from cyberdesk.cli.app import app
from cyberdesk.testing import ScriptedApi

Ran: TypeAlias = Any
Run: TypeAlias = Callable[..., Ran]


@pytest.fixture
def run(api: ScriptedApi) -> Run:
    """Runs a command to its end: `exit_code`, `stdout`, `stderr`. Keyword arguments: `env`, `stdin`."""

    def cyberdesk(*arguments: str, env: dict[str, str | None] | None = None, stdin: str = "") -> Ran:
        environment = {"CYBERDESK_API_KEY": "test-key", "CYBERDESK_BASE_URL": api.base_url}
        return CliRunner().invoke(app, arguments, input=stdin, env={**environment, **(env or {})})

    return cyberdesk


@pytest.fixture
def as_json(run: Run) -> Callable[..., Any]:
    """What a command prints with `--json`, read."""

    def read(*arguments: str) -> Any:
        ran = run(*arguments, "--json")
        assert ran.exit_code == 0, ran.stderr
        return json.loads(ran.stdout)

    return read
