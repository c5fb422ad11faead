"""The tools a model may call, by their names."""

from collections.abc import Mapping
from types import MappingProxyType

from cyberdesk_server.domain.tasks import ToolSpec
from cyberdesk_server.executor.tools import declarations, keyboard, mouse, reading, terminal, waiting
from cyberdesk_server.executor.tools.base import Tool

TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        tool.name: tool
        for module in (mouse, keyboard, waiting, reading, terminal, declarations)
        for tool in module.TOOLS
    }
)

__all__ = ["TOOLS", "Tool", "specs"]


def specs(command_allowlist: tuple[str, ...] | None) -> tuple[ToolSpec, ...]:
    """What a model is told about; commands only when the workflow allows some."""
    return tuple(
        tool.spec
        for tool in TOOLS.values()
        if tool is not terminal.EXECUTE_TERMINAL_COMMAND or command_allowlist != ()
    )
