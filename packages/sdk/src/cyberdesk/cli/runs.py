"""`cyberdesk runs`: run workflows and see what came of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any
from uuid import UUID

import typer

from cyberdesk import CyberdeskClient, RunResponse
from cyberdesk.cli import names
from cyberdesk.cli.access import command, tell
from cyberdesk.cli.failures import Misuse, answered, each
from cyberdesk.cli.options import (
    AsJson,
    Files,
    Inputs,
    InputsFile,
    Limit,
    MaxTurns,
    RunTimeLimit,
    Secrets,
    Skip,
    TimeoutSeconds,
    Wait,
    WaitTimeLimit,
    Yes,
    confirm_deletion,
    file_inputs,
    input_values,
    secret_values,
)
from cyberdesk.cli.printing import duration, print_json, print_line, print_table
from cyberdesk.cli.waiting import DEFAULT_TIMEOUT_SECONDS, finish, print_run, wait_for
from cyberdesk.models import (
    UNSET,
    AttachmentType,
    IncludedResource,
    RunCreate,
    RunField,
    RunRetry,
    RunStatus,
    RunUpdate,
)

LISTED_FIELDS = [field for field in RunField if field is not RunField.RUN_MESSAGE_HISTORY]
"""What a list asks for: everything but the histories, which are long; `runs show` has them."""

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Run = Annotated[str, typer.Argument(metavar="ID", help="Id of the run.")]
Machine = Annotated[str | None, typer.Option(metavar="MACHINE", help="On this machine: id or exact name.")]
Pools = Annotated[
    list[str] | None,
    typer.Option(
        "--pool", metavar="POOL", help="On a machine of this pool: id or exact name; again for more."
    ),
]


@command(
    group,
    "create",
    example='cyberdesk runs create "Register a patient" --input name=Ada --wait',
)
def create_run(
    client: CyberdeskClient,
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="Id or exact name.")],
    machine: Machine = None,
    pools: Pools = None,
    inputs: Inputs = None,
    inputs_file: InputsFile = None,
    secrets: Secrets = None,
    files: Files = None,
    run_time_limit: RunTimeLimit = None,
    max_turns: MaxTurns = None,
    wait_time_limit: WaitTimeLimit = None,
    wait: Wait = False,
    timeout_seconds: TimeoutSeconds = DEFAULT_TIMEOUT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Run a workflow. Prints the id of the run; with --wait shows its steps and its result."""
    body = RunCreate(
        workflow_id=names.workflow_id(client, workflow),
        machine_id=names.machine_id(client, machine) if machine else UNSET,
        pool_ids=[names.pool_id(client, pool) for pool in pools or ()] or UNSET,
        input_values=input_values(inputs, inputs_file) or UNSET,
        file_inputs=file_inputs(files) or UNSET,
        sensitive_input_values=secret_values(secrets) or UNSET,
        run_time_limit_seconds=run_time_limit or UNSET,
        max_turns=max_turns or UNSET,
        wait_time_limit_seconds=wait_time_limit or UNSET,
    )
    run = answered(client.runs.create_sync(body))
    _show_or_wait(client, run, wait=wait, timeout_seconds=timeout_seconds, as_json=as_json)


@command(group, "list", example="cyberdesk runs list --status running --since 2025-01-31")
def list_runs(
    client: CyberdeskClient,
    status: Annotated[RunStatus | None, typer.Option(help="Only these.")] = None,
    workflow: Annotated[str | None, typer.Option(help="Only of this workflow: id or exact name.")] = None,
    machine: Annotated[str | None, typer.Option(help="Only on this machine: id or exact name.")] = None,
    session: Annotated[str | None, typer.Option(help="Only of the session with this id.")] = None,
    since: Annotated[dt.datetime | None, typer.Option(help="Made at or after, UTC.")] = None,
    until: Annotated[dt.datetime | None, typer.Option(help="Made at or before, UTC.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of what the API searches runs for.")] = None,
    limit: Limit = 20,
    skip: Skip = 0,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first; their histories are left out."""
    page = answered(
        client.runs.list_sync(
            skip,
            limit,
            status,
            workflow_id=names.workflow_id(client, workflow) if workflow else None,
            machine_id=names.machine_id(client, machine) if machine else None,
            session_id=session,
            created_at_from=since,
            created_at_to=until,
            search=search,
            fields=LISTED_FIELDS,
            include=["workflow", "machine"],
        )
    )
    if as_json:
        print_json(page)
        return
    called = _names_of(page.included)
    print_table(
        ("id", "status", "workflow", "machine", "created", "took"),
        (
            (
                run.id,
                run.status,
                called.get(run.workflow_id, run.workflow_id),
                called.get(run.machine_id, run.machine_id),
                run.created_at,
                duration(run.started_at, run.ended_at),
            )
            for run in page.items
        ),
    )
    left_out = page.total - page.skip - len(page.items)
    if left_out > 0:
        tell(f"and {left_out} more: --skip {page.skip + len(page.items)}")


@command(group, "show", example="cyberdesk runs show 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55 --history")
def show_run(
    client: CyberdeskClient,
    run_id: Run,
    history: Annotated[bool, typer.Option("--history", help="With every step.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one run: its status, its output, its errors. The exit code is 0 however it ended."""
    run = answered(client.runs.get_sync(run_id))
    if as_json:
        print_json(run)
    else:
        print_run(run, with_history=history)


@command(group, "wait", example="cyberdesk runs wait 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55 --timeout 60")
def wait_for_run(
    client: CyberdeskClient,
    run_id: Run,
    timeout_seconds: TimeoutSeconds = DEFAULT_TIMEOUT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Show the steps of a run until it has ended, then its result."""
    finish(wait_for(client, run_id, timeout_seconds=timeout_seconds), as_json=as_json)


@command(group, "cancel", example="cyberdesk runs cancel 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55")
def cancel_run(client: CyberdeskClient, run_id: Run, as_json: AsJson = False) -> None:
    """Cancel a run that has not ended."""
    run = answered(client.runs.update_sync(run_id, RunUpdate(status=RunStatus.CANCELLED)))
    if as_json:
        print_json(run)
    else:
        tell(f"run {run.id}: {run.status}")


@command(group, "retry", example="cyberdesk runs retry 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55 --wait")
def retry_run(
    client: CyberdeskClient,
    run_id: Run,
    machine: Machine = None,
    pools: Pools = None,
    inputs: Inputs = None,
    inputs_file: InputsFile = None,
    secrets: Secrets = None,
    files: Files = None,
    run_time_limit: RunTimeLimit = None,
    max_turns: MaxTurns = None,
    wait_time_limit: WaitTimeLimit = None,
    wait: Wait = False,
    timeout_seconds: TimeoutSeconds = DEFAULT_TIMEOUT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Start a run over that has ended. Inputs given here replace its own; secrets must be given again."""
    body = RunRetry(
        input_values=input_values(inputs, inputs_file) or UNSET,
        sensitive_input_values=secret_values(secrets) or UNSET,
        file_inputs=file_inputs(files) or UNSET,
        machine_id=names.machine_id(client, machine) if machine else UNSET,
        pool_ids=[names.pool_id(client, pool) for pool in pools or ()] or UNSET,
        run_time_limit_seconds=run_time_limit or UNSET,
        max_turns=max_turns or UNSET,
        wait_time_limit_seconds=wait_time_limit or UNSET,
    )
    run = answered(client.runs.retry_sync(run_id, body))
    _show_or_wait(client, run, wait=wait, timeout_seconds=timeout_seconds, as_json=as_json)


@command(group, "delete", example="cyberdesk runs delete 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55 --yes")
def delete_run(client: CyberdeskClient, run_id: Run, yes: Yes = False) -> None:
    """Delete a run and all that belongs to it."""
    confirm_deletion(f"run {run_id}", yes=yes)
    answered(client.runs.delete_sync(run_id))
    tell(f"deleted run {run_id}")


@command(group, "download", example="cyberdesk runs download 0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55 --to ./out")
def download_files(
    client: CyberdeskClient,
    run_id: Run,
    to: Annotated[Path, typer.Option(help="Folder to write into; made when missing.")] = Path("."),
) -> None:
    """Download the output files of a run and print where they are. A file that is there is replaced."""
    if to.exists() and not to.is_dir():
        raise Misuse(f"--to: {to} is not a folder")
    outputs = client.run_attachments.iterate_sync(run_id=run_id, attachment_type=AttachmentType.OUTPUT)
    seen: Counter[str] = Counter()
    for attachment in each(outputs):
        name = _safe_name(attachment.filename)
        seen[name] += 1
        path = to / (name if seen[name] == 1 else _numbered(name, seen[name]))
        answered(client.run_attachments.save_to_file_sync(attachment.id, path, use_original_filename=False))
        print_line(str(path))
    if not seen:
        tell(f"run {run_id} has no output files")


def _show_or_wait(
    client: CyberdeskClient, run: RunResponse, *, wait: bool, timeout_seconds: float, as_json: bool
) -> None:
    if wait:
        tell(f"run {run.id}")
        finish(wait_for(client, str(run.id), timeout_seconds=timeout_seconds), as_json=as_json)
    elif as_json:
        print_json(run)
    else:
        print_line(str(run.id))


def _names_of(included: list[IncludedResource] | None) -> Mapping[UUID | None, Any]:
    """Id -> name of the workflows and machines that came with a page."""
    return {resource.id: resource["name"] for resource in included or () if resource.get("name")}


def _safe_name(filename: str) -> str:
    """The last part of a name from elsewhere, so that it cannot leave the folder it is written into."""
    name = PureWindowsPath(filename).name  # knows both kinds of slashes
    return name if name.strip(". ") and "\0" not in name else "file"


def _numbered(name: str, number: int) -> str:
    """`report.pdf` -> `report (2).pdf`: several files of a run may have one name."""
    path = Path(name)
    return f"{path.stem} ({number}){path.suffix}"
