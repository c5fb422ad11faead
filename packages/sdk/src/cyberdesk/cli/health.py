"""`cyberdesk health`: is the API there, and does it work?"""

from __future__ import annotations

import typer

from cyberdesk import CyberdeskClient
from cyberdesk.cli.access import command
from cyberdesk.cli.failures import answered
from cyberdesk.cli.options import AsJson
from cyberdesk.cli.printing import print_facts, print_json


def add_to(app: typer.Typer) -> None:
    """Register the command, which belongs to no group."""
    command(app, "health", example="cyberdesk health")(check_health)


def check_health(client: CyberdeskClient, as_json: AsJson = False) -> None:
    """Tell whether the API and its database answer; the exit code is 3 when they do not."""
    api, database = answered(client.health.api_sync()), answered(client.health.api_database_sync())
    if as_json:
        print_json({"api": api, "database": database})
    else:
        print_facts({**api, "database": database.get("status", database)})
