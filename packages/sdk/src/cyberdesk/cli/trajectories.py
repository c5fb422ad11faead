"""`cyberdesk trajectories`: recorded ways through a workflow, replayed once approved."""

from __future__ import annotations

from typing import Annotated

import typer

from cyberdesk import CyberdeskClient
from cyberdesk.cli import names
from cyberdesk.cli.access import command, tell
from cyberdesk.cli.failures import answered
from cyberdesk.cli.options import AsJson, Limit, Skip, Yes, confirm_deletion
from cyberdesk.cli.printing import print_facts, print_json, print_table
from cyberdesk.models import TrajectoryUpdate

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Trajectory = Annotated[str, typer.Argument(metavar="ID", help="Id of the trajectory.")]


@command(group, "list", example='cyberdesk trajectories list --workflow "Register a patient" --not-approved')
def list_trajectories(
    client: CyberdeskClient,
    workflow: Annotated[str | None, typer.Option(help="Only of this workflow: id or exact name.")] = None,
    run: Annotated[str | None, typer.Option(help="Only of the run with this id.")] = None,
    approved: Annotated[bool | None, typer.Option("--approved/--not-approved", help="Only these.")] = None,
    limit: Limit = 100,
    skip: Skip = 0,
    as_json: AsJson = False,
) -> None:
    """List the trajectories."""
    workflow_id = names.workflow_id(client, workflow) if workflow else None
    page = answered(
        client.trajectories.list_sync(
            skip, limit, workflow_id=workflow_id, run_id=run, is_approved=approved, is_generated=None
        )
    )
    if as_json:
        print_json(page)
        return
    print_table(
        ("id", "name", "steps", "approved", "workflow", "run", "created"),
        (
            (
                one.id,
                one.name,
                len(one.trajectory_data or ()),
                one.is_approved,
                one.workflow_id,
                one.run_id,
                one.created_at,
            )
            for one in page.items
        ),
    )


@command(group, "show", example="cyberdesk trajectories show 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55")
def show_trajectory(client: CyberdeskClient, trajectory: Trajectory, as_json: AsJson = False) -> None:
    """Show one trajectory with its steps."""
    found = answered(client.trajectories.get_sync(trajectory))
    if as_json:
        print_json(found)
        return
    print_facts(
        {
            "id": found.id,
            "name": found.name,
            "description": found.description,
            "approved": found.is_approved,
            "workflow": found.workflow_id,
            "run": found.run_id,
            "created": found.created_at,
            "inputs": found.original_input_values,
            "steps": found.trajectory_data,
        }
    )


@command(group, "approve", example="cyberdesk trajectories approve 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55")
def approve_trajectory(client: CyberdeskClient, trajectory: Trajectory) -> None:
    """Approve a trajectory: later runs of its workflow replay it."""
    answered(client.trajectories.update_sync(trajectory, TrajectoryUpdate(is_approved=True)))
    tell(f"approved trajectory {trajectory}")


@command(group, "delete", example="cyberdesk trajectories delete 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55 --yes")
def delete_trajectory(client: CyberdeskClient, trajectory: Trajectory, yes: Yes = False) -> None:
    """Delete a trajectory."""
    confirm_deletion(f"trajectory {trajectory}", yes=yes)
    answered(client.trajectories.delete_sync(trajectory))
    tell(f"deleted trajectory {trajectory}")
