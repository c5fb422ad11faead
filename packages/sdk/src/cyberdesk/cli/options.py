"""Options that several commands share, and what was typed turned into what the API takes."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from cyberdesk.cli.failures import Misuse
from cyberdesk.models import FileInput

SECRET_VARIABLE_PREFIX = "CYBERDESK_SECRET_"

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document with the members of the API.")]
Limit = Annotated[int, typer.Option(help="How many at most.", min=1)]
Skip = Annotated[int, typer.Option(help="How many to leave out before.", min=0)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")]
Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", metavar="NAME=VALUE", help="A text input; again for more."),
]
InputsFile = Annotated[
    Path | None,
    typer.Option(help="JSON object with inputs of any kind; --input wins."),
]
Secrets = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        metavar="NAME",
        help=f"A sensitive input: its value is in {SECRET_VARIABLE_PREFIX}NAME, or asked for, or a line of "
        "standard input; again for more.",
    ),
]
Files = Annotated[
    list[Path] | None,
    typer.Option("--file", metavar="PATH", help="A file to copy to the machine before; again for more."),
]
Wait = Annotated[bool, typer.Option("--wait", help="Show the steps until the run has ended.")]
RunTimeLimit = Annotated[
    int | None,
    typer.Option("--run-time-limit", metavar="SECONDS", help="End it with an error after so long.", min=1),
]
MaxTurns = Annotated[
    int | None,
    typer.Option("--max-turns", metavar="NUMBER", help="Ask the model no more often than that.", min=1),
]
WaitTimeLimit = Annotated[
    int | None,
    typer.Option(
        "--wait-time-limit", metavar="SECONDS", help="End it when no machine took it for so long.", min=1
    ),
]
TimeoutSeconds = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait.", min=0)
]


def input_values(pairs: Iterable[str] | None, file: Path | None) -> dict[str, Any]:
    """The inputs of a file, then those typed as NAME=VALUE. Raises `Misuse`, OSError for the file."""
    values = _object_in(file) if file else {}
    typed: dict[str, str] = {}
    for pair in pairs or ():
        name, sign, value = pair.partition("=")
        if not name or not sign:
            raise Misuse(f"--input: {pair!r} is not NAME=VALUE")
        if name in typed:
            raise Misuse(f"--input: {name} is given twice")
        typed[name] = value
    return {**values, **typed}


def secret_values(names: Iterable[str] | None) -> dict[str, str]:
    """The values of these sensitive inputs, from wherever they come. Raises `Misuse`."""
    return {name: _secret(name) for name in dict.fromkeys(names or ())}


def file_inputs(paths: Iterable[Path] | None) -> list[FileInput]:
    """These files with their content. Raises OSError for one that cannot be read."""
    return [FileInput.from_path(path) for path in paths or ()]


def confirm_deletion(what: str, *, yes: bool) -> None:
    """Return when the deletion is wanted. Raises `Misuse` when it is not, or nobody can be asked."""
    if yes:
        return
    if not can_ask():
        raise Misuse(f"deleting {what} needs --yes where nobody can be asked")
    if not typer.confirm(f"Delete {what}?", err=True):
        raise Misuse("nothing was deleted")


def can_ask() -> bool:
    """Whether somebody sits at the other end of standard input."""
    return sys.stdin.isatty()


def _object_in(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_bytes())
    except ValueError as error:
        raise Misuse(f"--inputs-file: {file} is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise Misuse(f"--inputs-file: {file} holds no JSON object")
    return values


def _secret(name: str) -> str:
    if "=" in name:
        # The value is not repeated: it must not get into logs too.
        shown = name.partition("=")[0]
        raise Misuse(
            f"--secret: give the name only ({shown}); every user of this host can read a command line"
        )
    variable = SECRET_VARIABLE_PREFIX + re.sub(r"\W", "_", name.upper())
    value = os.environ.get(variable)
    if value is not None:
        return value
    if can_ask():
        return str(typer.prompt(name, hide_input=True, err=True))
    line = sys.stdin.readline()
    if not line:
        raise Misuse(f"--secret: no value for {name}: set {variable} or give a line of standard input")
    return line.rstrip("\r\n")
