"""`cyberdesk pools`: named groups of machines."""

from __future__ import annotations

from typing import Annotated

import typer

from cyberdesk import CyberdeskClient
from cyberdesk.cli import names
from cyberdesk.cli.access import command, tell
from cyberdesk.cli.failures import answered
from cyberdesk.cli.options import AsJson, Limit, Skip, Yes, confirm_deletion
from cyberdesk.cli.printing import print_facts, print_json, print_line, print_table
from cyberdesk.models import UNSET, MachinePoolAssignment, PoolCreate

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Pool = Annotated[str, typer.Argument(metavar="POOL", help="Id or exact name.")]
Machines = Annotated[list[str], typer.Argument(metavar="MACHINE...", help="Ids or exact names.")]


@command(group, "list", example="cyberdesk pools list")
def list_pools(client: CyberdeskClient, limit: Limit = 100, skip: Skip = 0, as_json: AsJson = False) -> None:
    """List the pools."""
    page = answered(client.pools.list_sync(skip, limit))
    if as_json:
        print_json(page)
        return
    print_table(
        ("id", "name", "machines", "description"),
        ((one.id, one.name, one.machine_count, one.description) for one in page.items),
    )


@command(group, "show", example="cyberdesk pools show reception")
def show_pool(client: CyberdeskClient, pool: Pool, as_json: AsJson = False) -> None:
    """Show one pool and the machines in it."""
    found = answered(client.pools.get_sync(names.pool_id(client, pool), include=["machines"]))
    if as_json:
        print_json(found)
        return
    print_facts(
        {
            "id": found.id,
            "name": found.name,
            "description": found.description,
            "machines": [f"{one.id} {one.name or ''} ({one.status})" for one in found.machines or ()],
            "parameters": found.pool_parameters,
            "sensitive parameters": list(found.pool_sensitive_parameters or ()),
        }
    )


@command(group, "create", example='cyberdesk pools create reception --description "Front desks"')
def create_pool(
    client: CyberdeskClient,
    name: Annotated[str, typer.Argument(help="Name of the new pool.")],
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create a pool and print its id."""
    made = answered(client.pools.create_sync(PoolCreate(name=name, description=description or UNSET)))
    if as_json:
        print_json(made)
    else:
        print_line(str(made.id))


@command(group, "add", example='cyberdesk pools add reception "Reception 1" "Reception 2"')
def add_machines(client: CyberdeskClient, pool: Pool, machines: Machines) -> None:
    """Put machines into a pool."""
    pool_id, assignment = names.pool_id(client, pool), _assignment(client, machines)
    answered(client.pools.add_machines_sync(pool_id, assignment))
    tell(f"added {len(machines)} to pool {pool}")


@command(group, "remove", example='cyberdesk pools remove reception "Reception 2"')
def remove_machines(client: CyberdeskClient, pool: Pool, machines: Machines) -> None:
    """Take machines out of a pool."""
    pool_id, assignment = names.pool_id(client, pool), _assignment(client, machines)
    answered(client.pools.remove_machines_sync(pool_id, assignment))
    tell(f"removed {len(machines)} from pool {pool}")


@command(group, "delete", example="cyberdesk pools delete reception --yes")
def delete_pool(client: CyberdeskClient, pool: Pool, yes: Yes = False) -> None:
    """Delete a pool; its machines stay."""
    pool_id = names.pool_id(client, pool)
    confirm_deletion(f"pool {pool}", yes=yes)
    answered(client.pools.delete_sync(pool_id))
    tell(f"deleted pool {pool_id}")


def _assignment(client: CyberdeskClient, machines: list[str]) -> MachinePoolAssignment:
    return MachinePoolAssignment([names.machine_id(client, machine) for machine in machines])
