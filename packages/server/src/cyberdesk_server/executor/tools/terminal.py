"""The tool that runs commands on the desktop, within the workflow's allowlist."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from cyberdesk_server.domain import actions
from cyberdesk_server.executor.arguments import Between
from cyberdesk_server.executor.signals import ToolFailed
from cyberdesk_server.executor.tools.base import Bench, Outcome, Tool

ONE_COMMANDS_TEXT = r"[^\n\r;&|<>`$]*"
"""What `*` stands for. It cannot hold what would start a second command, a substitution or a redirection: an
allowed `ping *` must not allow `ping x; rm -rf ~`. Who needs these writes them into the entry."""


def is_allowed(command: str, allowlist: Sequence[str] | None) -> bool:
    """True when an entry matches the whole command; None allows everything, an empty list nothing.

    `*` in an entry stands for any text of one command (`ONE_COMMANDS_TEXT`); everything else is literal.
    """
    if allowlist is None:
        return True
    return any(_pattern(entry).fullmatch(command.strip()) for entry in allowlist)


def _pattern(entry: str) -> re.Pattern[str]:
    return re.compile(ONE_COMMANDS_TEXT.join(re.escape(piece) for piece in entry.strip().split("*")))


@dataclass(frozen=True, slots=True)
class CommandArguments:
    command: Annotated[str, "Run in a fresh shell of the desktop; use absolute paths."]
    timeout_seconds: Annotated[int, "The command is ended after that.", Between(1, 600)] = 30
    working_directory: Annotated[str | None, "Folder it starts in; the home folder without one."] = None


async def execute_terminal_command(bench: Bench, arguments: CommandArguments) -> Outcome:
    if not is_allowed(arguments.command, bench.command_allowlist):
        raise ToolFailed(f"the workflow's terminal_command_allowlist does not allow: {arguments.command}")
    answer = await bench.act(
        actions.RunCommand(arguments.command, arguments.timeout_seconds, arguments.working_directory)
    )
    return Outcome(
        answer.text or "",
        facts={
            name: value
            for name, value in (("error_text", answer.error_text), ("exit_code", answer.exit_code))
            if value not in (None, "")
        },
    )


EXECUTE_TERMINAL_COMMAND = Tool(
    "execute_terminal_command",
    "Run a command on the desktop and read what it prints.",
    CommandArguments,
    execute_terminal_command,
    is_action=True,
)
TOOLS = (EXECUTE_TERMINAL_COMMAND,)
