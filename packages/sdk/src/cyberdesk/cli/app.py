"""All commands of `cyberdesk`, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from cyberdesk import __version__
from cyberdesk.cli import health, machines, pools, runs, tags, trajectories, webhooks, workflows
from cyberdesk.cli.access import Access, ApiKeyFile, BaseUrl, Verbose, remember
from cyberdesk.cli.printing import print_line

app = typer.Typer(
    name="cyberdesk",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

app.add_typer(runs.group, name="runs", help="Run workflows and see what came of it.")
app.add_typer(workflows.group, name="workflows", help="What runs are runs of; in the API and as files.")
app.add_typer(machines.group, name="machines", help="The desktops that runs are driven on.")
app.add_typer(pools.group, name="pools", help="Named groups of machines.")
app.add_typer(trajectories.group, name="trajectories", help="Recorded ways through a workflow.")
app.add_typer(tags.group, name="tags", help="Labels on workflows.")
app.add_typer(webhooks.group, name="webhooks", help="Who is told what happens, and what came of it.")
health.add_to(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print_line(__version__)
        raise typer.Exit


@app.callback(epilog="Example: cyberdesk --base-url http://127.0.0.1:8080 --api-key-file ./key runs list")
def all_commands(
    context: typer.Context,
    base_url: BaseUrl = None,
    api_key_file: ApiKeyFile = None,
    is_verbose: Verbose = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Drive legacy desktop programs through the Cyberdesk API.

    Exit codes: 0 it worked, and a run that was waited for ended in success; 1 that run ended in task_failed,
    error or cancelled; 2 the command cannot be right; 3 the API did not answer or refused; 4 the run did not
    end within --timeout.
    """
    remember(context, Access(base_url, api_key_file, is_verbose))
