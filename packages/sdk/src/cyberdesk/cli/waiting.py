"""Following a run: its steps as they are done, then what came of it."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape

from cyberdesk import CyberdeskClient, RunResponseWithIncludes
from cyberdesk.cli.access import tell
from cyberdesk.cli.failures import RUN_DID_NOT_SUCCEED_EXIT_CODE, answered
from cyberdesk.cli.history import steps_of
from cyberdesk.cli.printing import duration, print_facts, print_json, print_line, printable
from cyberdesk.models import RunStatus

if TYPE_CHECKING:
    from typing_extensions import Self

DEFAULT_TIMEOUT_SECONDS = 3600.0
POLL_INTERVAL_SECONDS = 0.5


class Progress:
    """Tells on standard error what a run does; on a terminal with its present status below."""

    def __init__(self) -> None:
        self._told_steps = 0
        self._told_state = ""
        console = Console(stderr=True)
        self._status = console.status("waiting") if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def update(self, run: RunResponseWithIncludes) -> None:
        """Tell what is new in this state of the run."""
        done = [step for step in steps_of(run) if step.is_over]
        for number, step in enumerate(done[self._told_steps :], start=self._told_steps + 1):
            tell(printable(step.line(number)))
        self._told_steps = max(self._told_steps, len(done))
        state = f"{run.status}: {run.waiting_reason}" if run.waiting_reason else str(run.status)
        if self._status is not None:
            shown = state if run.waiting_reason else f"{state}, steps done: {len(done)}"
            self._status.update(escape(printable(shown)))
        elif state != self._told_state:
            tell(printable(state))
        self._told_state = state


def wait_for(client: CyberdeskClient, run_id: str, *, timeout_seconds: float) -> RunResponseWithIncludes:
    """The run, ended; what it does is told meanwhile. Raises `StillGoing`."""
    try:
        with Progress() as progress:
            return answered(
                client.runs.wait_sync(
                    run_id,
                    timeout_seconds=timeout_seconds,
                    poll_interval_seconds=POLL_INTERVAL_SECONDS,
                    on_update=progress.update,
                )
            )
    except KeyboardInterrupt:
        tell(f"the run goes on: cyberdesk runs wait {run_id}")
        raise


def finish(run: RunResponseWithIncludes, *, as_json: bool) -> None:
    """Print the result; the command ends with 0 for `success` and with 1 for every other end."""
    if as_json:
        print_json(run)
    else:
        print_run(run, with_history=False)
    if run.status != RunStatus.SUCCESS:
        raise typer.Exit(RUN_DID_NOT_SUCCEED_EXIT_CODE)


def print_run(run: RunResponseWithIncludes, *, with_history: bool) -> None:
    """The run as people read it."""
    print_facts(
        {
            "id": run.id,
            "status": run.status,
            "waits": run.waiting_reason,
            "workflow": run.workflow_id,
            "machine": run.machine_id,
            "session": run.session_id,
            "created": run.created_at,
            "took": duration(run.started_at, run.ended_at),
            "inputs": run.input_values,
            "output files": len(run.output_attachment_ids or ()) or None,
            "error": run.error,
            "output": run.output_data,
        }
    )
    if with_history:
        print_line("steps")
        for number, step in enumerate(steps_of(run), start=1):
            for line in step.lines(number):
                print_line(line)
