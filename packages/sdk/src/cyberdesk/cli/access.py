"""How commands reach the API: where it is, with which key, and what happens to their failures.

A command is a function of a client and its own options. `command` registers it with the options that all
commands share, which may stand before or after its name: `--base-url`, `--api-key-file`, `--verbose`.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cyberdesk import DEFAULT_API_BASE_URL, AttemptResult, CyberdeskClient
from cyberdesk.cli.failures import INTERRUPTED_EXIT_CODE, Failure, Misuse

KEY_VARIABLE = "CYBERDESK_API_KEY"
ADDRESS_VARIABLE = "CYBERDESK_BASE_URL"

BaseUrl = Annotated[
    str | None,
    typer.Option(help=f"Where the API is; otherwise {ADDRESS_VARIABLE}, otherwise {DEFAULT_API_BASE_URL}."),
]
ApiKeyFile = Annotated[
    Path | None,
    typer.Option(help=f"File with the API key; otherwise {KEY_VARIABLE}."),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", help="Tell of every request with its status and its request id.")
]

Command = Callable[..., None]


@dataclass(frozen=True)
class Access:
    """Where the API is and who is asking, as far as it was typed."""

    base_url: str | None = None
    api_key_file: Path | None = None
    is_verbose: bool = False

    def otherwise(self, other: Access) -> Access:
        """This access, with the other's answers where this one has none."""
        return Access(
            base_url=self.base_url or other.base_url,
            api_key_file=self.api_key_file or other.api_key_file,
            is_verbose=self.is_verbose or other.is_verbose,
        )

    def client(self) -> CyberdeskClient:
        """A client of the API. Raises `Misuse` without a usable key or address."""
        try:
            return CyberdeskClient(
                self._key(), self.base_url, on_response=_tell_of_attempt if self.is_verbose else None
            )
        except ValueError as error:
            raise Misuse(str(error)) from error

    def _key(self) -> str:
        if self.api_key_file is not None:
            return _key_in(self.api_key_file)
        key = os.environ.get(KEY_VARIABLE)
        if not key:
            raise Misuse(f"no API key: set {KEY_VARIABLE}, or give its file with --api-key-file")
        return key


def _key_in(file: Path) -> str:
    try:
        key = file.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"--api-key-file: {file} cannot be read: {error}") from error
    if not key:
        raise Misuse(f"--api-key-file: {file} is empty")
    return key


def command(group: typer.Typer, name: str, *, example: str) -> Callable[[Command], Command]:
    """Register a function of a `CyberdeskClient` and its options as a command of this group."""

    def register(function: Command) -> Command:
        def run(context: typer.Context, **options: Any) -> None:
            shared = {option: options.pop(option) for option in _SHARED}
            access = Access(**shared).otherwise(context.obj or Access())
            with _one_line_failures(), access.client() as client:
                function(client, **options)

        parameters = _parameters(function)
        run.__doc__ = function.__doc__
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # unknown to typeshed
        group.command(name, epilog=f"\b\nExample: {example}")(run)
        return function

    return register


def remember(context: typer.Context, access: Access) -> None:
    """Keep what was typed before the name of the command."""
    context.obj = access


def _parameters(function: Command) -> list[inspect.Parameter]:
    """What typer is to read from the command line: the function's own options, then the shared ones."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    return [
        inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own),
        *(
            inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for option, (annotation, default) in _SHARED.items()
        ),
    ]


_SHARED: Mapping[str, tuple[Any, Any]] = {
    "base_url": (BaseUrl, None),
    "api_key_file": (ApiKeyFile, None),
    "is_verbose": (Verbose, False),
}
"""Option of every command -> its annotation and default. The names are those of `Access`."""


@contextmanager
def _one_line_failures() -> Iterator[None]:
    try:
        yield
    except Failure as failure:
        tell(f"cyberdesk: {' '.join(str(failure).split())}")
        raise typer.Exit(failure.exit_code) from failure
    except BrokenPipeError:
        raise  # whoever read the output has had enough; typer ends quietly
    except OSError as error:  # of a local file: the SDK answers with failures of the network
        tell(f"cyberdesk: {error.filename or 'file'}: {error.strerror or error}")
        raise typer.Exit(Misuse.exit_code) from error
    except (KeyboardInterrupt, typer.Abort):
        raise typer.Exit(INTERRUPTED_EXIT_CODE) from None


def tell(line: str) -> None:
    """A line for the person at the terminal; standard output is for results."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _tell_of_attempt(result: AttemptResult) -> None:
    what = f"HTTP {result.status}" if result.status else type(result.error).__name__
    attempt = result.attempt
    tell(f"{attempt.method} {attempt.path} {what} request id {result.request_id or '-'}")
