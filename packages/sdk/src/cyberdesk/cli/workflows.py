"""`cyberdesk workflows`: what runs are runs of; in the API, and as files beside your own code."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cyberdesk import CyberdeskClient, NotFound
from cyberdesk.cli import names
from cyberdesk.cli.access import command, tell
from cyberdesk.cli.failures import Misuse, answered, each
from cyberdesk.cli.options import AsJson, Limit, Skip, Yes, confirm_deletion
from cyberdesk.cli.printing import print_json, print_line, print_table
from cyberdesk.cli.workflow_files import FENCE, WorkflowFile

LONGEST_FILE_NAME = 60

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Workflow = Annotated[str, typer.Argument(metavar="WORKFLOW", help="Id or exact name.")]


@command(group, "list", example="cyberdesk workflows list --search patient")
def list_workflows(
    client: CyberdeskClient,
    search: Annotated[str | None, typer.Option(help="Part of the name or the prompt.")] = None,
    limit: Limit = 100,
    skip: Skip = 0,
    as_json: AsJson = False,
) -> None:
    """List the workflows, latest change first."""
    page = answered(client.workflows.list_sync(skip, limit, search=search, include_tags=True))
    if as_json:
        print_json(page)
        return
    print_table(
        ("id", "name", "tags", "updated"),
        (
            (one.id, one.name, ", ".join(tag.name for tag in one.tags or ()), one.updated_at)
            for one in page.items
        ),
    )


@command(group, "show", example='cyberdesk workflows show "Register a patient"')
def show_workflow(client: CyberdeskClient, workflow: Workflow, as_json: AsJson = False) -> None:
    """Show one workflow as the file that `pull` would write."""
    found = answered(client.workflows.get_sync(names.workflow_id(client, workflow)))
    if as_json:
        print_json(found)
    else:
        print_line(WorkflowFile.of(found).text().removesuffix("\n"))


@command(group, "delete", example='cyberdesk workflows delete "Register a patient" --yes')
def delete_workflow(client: CyberdeskClient, workflow: Workflow, yes: Yes = False) -> None:
    """Delete a workflow; its ended runs stay."""
    workflow_id = names.workflow_id(client, workflow)
    confirm_deletion(f"workflow {workflow}", yes=yes)
    answered(client.workflows.delete_sync(workflow_id))
    tell(f"deleted workflow {workflow_id}")


@command(group, "pull", example="cyberdesk workflows pull --all ./workflows")
def pull_workflows(
    client: CyberdeskClient,
    workflows_and_folder: Annotated[
        list[str],
        typer.Argument(metavar="[WORKFLOW]... FOLDER", help="Ids or exact names, then the folder."),
    ],
    all_of_them: Annotated[bool, typer.Option("--all", help="Every workflow.")] = False,
) -> None:
    """Write workflows as files into a folder: settings in front, then the prompt.

    A file that has the workflow's id already is written anew, whatever it is called.
    """
    *wanted, folder_name = workflows_and_folder
    if all_of_them == bool(wanted):
        raise Misuse("give either workflows or --all, then the folder")
    folder = Path(folder_name)
    if folder.exists() and not folder.is_dir():
        raise Misuse(f"{folder} is not a folder")
    if all_of_them:
        ids = [workflow.id for workflow in each(client.workflows.iterate_sync())]
    else:
        ids = [names.workflow_id(client, one) for one in wanted]
    by_id = {file.id: path for path, file in _files_in(folder)}
    folder.mkdir(parents=True, exist_ok=True)
    for workflow_id in dict.fromkeys(ids):
        file = WorkflowFile.of(answered(client.workflows.get_sync(workflow_id)))
        path = by_id.get(file.id) or _free_path(folder, file)
        print_line(f"{_write(path, file.text()):<9}  {path}")


@command(group, "push", example="cyberdesk workflows push ./workflows --dry-run")
def push_workflows(
    client: CyberdeskClient,
    path: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="What to push.", exists=True)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
) -> None:
    """Make workflows what their files say. A file without an id makes a new one, and gets its id.

    The file is the whole workflow: a member that it leaves out gets its default.
    """
    files = list(_files_in(path)) if path.is_dir() else [(path, _read(path))]
    if not files:
        raise Misuse(f"there is no workflow in {path}")
    _refuse_repeated_ids(files)
    for file_path, file in files:
        theirs = _workflow_of(client, file_path, file)
        changed = file.differences(theirs) if theirs else []
        what = "new" if theirs is None else "changed" if changed else "unchanged"
        print_line(f"{what:<9}  {file_path}{'  ' if changed else ''}{', '.join(changed)}")
        if dry_run:
            for line in _diff(theirs, file):
                print_line(f"    {line}")
        elif theirs is None:
            made = answered(client.workflows.create_sync(file.creation()))
            _note_id(file_path, str(made.id))
        elif changed:
            answered(client.workflows.update_sync(theirs.id or "", file.update(changed)))


def _files_in(folder: Path) -> Iterator[tuple[Path, WorkflowFile]]:
    """The workflows in this folder; other texts, such as a README, are none."""
    for path in sorted(folder.glob("*.md")):
        if _text(path).removeprefix("\N{BYTE ORDER MARK}").startswith(FENCE):
            yield path, _read(path)


def _read(path: Path) -> WorkflowFile:
    try:
        return WorkflowFile.read(_text(path))
    except ValueError as error:
        raise Misuse(f"{path}: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise Misuse(f"{path} is not UTF-8: {error}") from error


def _refuse_repeated_ids(files: list[tuple[Path, WorkflowFile]]) -> None:
    paths: dict[str, Path] = {}
    for path, file in files:
        if file.id is not None and paths.setdefault(file.id, path) != path:
            raise Misuse(f"{paths[file.id]} and {path} are of the same workflow {file.id}")


def _workflow_of(client: CyberdeskClient, path: Path, file: WorkflowFile) -> WorkflowFile | None:
    """The workflow as the API has it; None for a file that has no id yet."""
    if file.id is None:
        return None
    response = client.workflows.get_sync(file.id)
    if isinstance(response.error, NotFound):
        raise Misuse(
            f"{path}: there is no workflow {file.id}; without the line with its id it becomes a new one"
        )
    return WorkflowFile.of(answered(response))


def _diff(theirs: WorkflowFile | None, mine: WorkflowFile) -> Iterator[str]:
    before = theirs.text() if theirs else ""
    return difflib.unified_diff(
        before.split("\n")[:-1], mine.text().split("\n")[:-1], "in the API", "in the file", lineterm=""
    )


def _note_id(path: Path, workflow_id: str) -> None:
    """Write the id behind the first line, and leave the rest of the file as its author wrote it."""
    first, rest = re.match(r"([^\n]*\n)(.*)", _text(path), re.DOTALL).groups()  # type: ignore[union-attr]  # it was read
    line_end = "\r\n" if first.endswith("\r\n") else "\n"
    path.write_bytes(f"{first}id: {workflow_id}{line_end}{rest}".encode())


def _write(path: Path, text: str) -> str:
    """Write the file unless it says so already; the word for what happened."""
    content = text.encode()
    if not path.exists():
        what = "new"
    elif path.read_bytes() == content:
        return "unchanged"
    else:
        what = "changed"
    path.write_bytes(content)
    return what


def _free_path(folder: Path, file: WorkflowFile) -> Path:
    """A path named after the workflow that no other file has."""
    slug = re.sub(r"[\W_]+", "-", str(file.members.get("name") or "").lower()).strip("-")
    slug = slug[:LONGEST_FILE_NAME].strip("-") or "workflow"
    path = folder / f"{slug}.md"
    return folder / f"{slug}-{str(file.id)[:8]}.md" if path.exists() else path
