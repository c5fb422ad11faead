"""`cyberdesk`: the API from a shell, for people and for scripts.

It stands on the SDK's public methods and on typer and rich, which `pip install "cyberdesk[cli]"` brings.
Nothing else in the SDK imports this package.
"""

from __future__ import annotations

import io
import sys

MISSING_EXTRA_EXIT_CODE = 2


def main() -> None:
    """The program `cyberdesk`. Without its extra it says so in one line and exits with 2."""
    try:
        import rich
        import typer
    except ModuleNotFoundError:
        sys.stderr.write('cyberdesk: the command line needs its extra: pip install "cyberdesk[cli]"\n')
        raise SystemExit(MISSING_EXTRA_EXIT_CODE) from None
    del rich, typer

    from cyberdesk.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot write a letter still gets the rest
    app(prog_name="cyberdesk")
