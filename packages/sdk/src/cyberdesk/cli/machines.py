"""`cyberdesk machines`: the desktops that runs are driven on."""

from __future__ import annotations

from typing import Annotated

import typer

from cyberdesk import CyberdeskClient
from cyberdesk.cli import names
from cyberdesk.cli.access import command, tell
from cyberdesk.cli.failures import answered
from cyberdesk.cli.options import AsJson, Limit, Skip, Yes, confirm_deletion
from cyberdesk.cli.printing import print_facts, print_json, print_table
from cyberdesk.models import MachineStatus

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Machine = Annotated[str, typer.Argument(metavar="MACHINE", help="Id or exact name.")]


@command(group, "list", example="cyberdesk machines list --status connected")
def list_machines(
    client: CyberdeskClient,
    status: Annotated[MachineStatus | None, typer.Option(help="Only these.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of id, name or host name.")] = None,
    limit: Limit = 100,
    skip: Skip = 0,
    as_json: AsJson = False,
) -> None:
    """List the machines."""
    page = answered(client.machines.list_sync(skip, limit, status, search=search))
    if as_json:
        print_json(page)
        return
    heads = ("id", "name", "status", "available", "reserved for session", "last seen")
    print_table(
        heads,
        (
            (one.id, one.name, one.status, one.is_available, one.reserved_session_id, one.last_seen)
            for one in page.items
        ),
    )


@command(group, "show", example='cyberdesk machines show "Reception 2"')
def show_machine(client: CyberdeskClient, machine: Machine, as_json: AsJson = False) -> None:
    """Show one machine."""
    found = answered(client.machines.get_sync(names.machine_id(client, machine), include=["pools"]))
    if as_json:
        print_json(found)
        return
    print_facts(
        {
            "id": found.id,
            "name": found.name,
            "status": found.status,
            "available": found.is_available,
            "last seen": found.last_seen,
            "reserved for session": found.reserved_session_id,
            "host": found.hostname,
            "system": found.os_info,
            "driver": found.version,
            "pools": [pool.name for pool in found.pools or ()],
            "parameters": found.machine_parameters,
            "sensitive parameters": list(found.machine_sensitive_parameters or ()),
        }
    )


@command(group, "delete", example='cyberdesk machines delete "Reception 2" --yes')
def delete_machine(client: CyberdeskClient, machine: Machine, yes: Yes = False) -> None:
    """Delete a machine; its runs stay."""
    machine_id = names.machine_id(client, machine)
    confirm_deletion(f"machine {machine}", yes=yes)
    answered(client.machines.delete_sync(machine_id))
    tell(f"deleted machine {machine_id}")
