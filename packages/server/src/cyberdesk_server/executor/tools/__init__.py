"""The tools a model may call, by their names."""

from collections.abc import Mapping
from types import MappingProxyType

from cyberdesk_server.domain.tasks import ToolSpec
from cyberdesk_server.executor.tools import (
    declarations,
    files,
    focused,
    keyboard,
    loops,
    mouse,
    reading,
    terminal,
    waiting,
)
from cyberdesk_server.executor.tools.base import Tool

TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        tool.name: tool
        for module in (mouse, keyboard, waiting, reading, focused, loops, files, terminal, declarations)
        for tool in module.TOOLS
    }
)

__all__ = ["TOOLS", "Tool", "specs"]


def specs(
    command_allowlist: tuple[str, ...] | None, *, includes_file_exports: bool = False
) -> tuple[ToolSpec, ...]:
    """What a model is told about; commands and exports only when the workflow allows some."""
    withheld = set[Tool]()
    if command_allowlist == ():
        withheld.add(terminal.EXECUTE_TERMINAL_COMMAND)
    if not includes_file_exports:
        withheld.add(files.MARK_FILE_FOR_EXPORT)
    return tuple(tool.spec for tool in TOOLS.values() if tool not in withheld)
