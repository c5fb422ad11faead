"""`cyberdesk tags`: labels on workflows."""

from __future__ import annotations

from typing import Annotated

import typer

from cyberdesk import CyberdeskClient
from cyberdesk.cli.access import command
from cyberdesk.cli.failures import answered
from cyberdesk.cli.options import AsJson
from cyberdesk.cli.printing import print_json, print_table

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@command(group, "list", example="cyberdesk tags list --archived")
def list_tags(
    client: CyberdeskClient,
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the tags."""
    tags = answered(client.workflow_tags.list_sync(include_archived=archived))
    if as_json:
        print_json(tags)
        return
    print_table(
        ("id", "name", "workflows", "description"),
        ((one.id, one.name, one.workflow_count, one.description) for one in tags),
    )
