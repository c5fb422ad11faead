"""Tools by which a model ends the run. The loop ends it when it sees their step in the journal."""

from dataclasses import dataclass
from typing import Annotated

from cyberdesk_server.executor.moves import TASK_FAILED, TASK_SUCCEEDED
from cyberdesk_server.executor.tools.base import Bench, Outcome, Tool


@dataclass(frozen=True, slots=True)
class FailedArguments:
    reason: Annotated[str, "Why the task cannot be done, for the caller."]


async def declare_task_failed(bench: Bench, arguments: FailedArguments) -> Outcome:
    return Outcome(arguments.reason)


@dataclass(frozen=True, slots=True)
class SucceededArguments:
    text: Annotated[str | None, "What was reached, for the reader of the history."] = None


async def declare_task_succeeded(bench: Bench, arguments: SucceededArguments) -> Outcome:
    return Outcome(arguments.text or "the task is done")


TOOLS = (
    Tool(TASK_FAILED, "Stop now: the task cannot be done.", FailedArguments, declare_task_failed),
    Tool(TASK_SUCCEEDED, "Stop now: the task is done.", SucceededArguments, declare_task_succeeded),
)
