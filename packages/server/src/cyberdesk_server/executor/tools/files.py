"""The tool that takes files from the desktop."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from mimetypes import guess_type
from typing import Annotated

from cyberdesk_server.domain.attachments import MAX_FILE_BYTES, content_key, safe_name
from cyberdesk_server.domain.base64_text import Base64Text, NotBase64
from cyberdesk_server.executor.eyes import reaching
from cyberdesk_server.executor.signals import ToolFailed
from cyberdesk_server.executor.tools.base import Bench, Outcome, OutputFile, Tool
from cyberdesk_server.ports import DesktopRefused

ANY_CONTENT = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class ExportArguments:
    path: Annotated[str, "Where the file is on the desktop; `~` is the home folder."]


async def mark_file_for_export(bench: Bench, arguments: ExportArguments) -> Outcome:
    if MARK_FILE_FOR_EXPORT.spec not in bench.task.tools:
        raise ToolFailed("the workflow does not include file exports (includes_file_exports)")
    path, desktop = arguments.path, bench.parts.desktop
    await bench.watch.confirm()
    try:
        content = await reaching(
            lambda: bench.watch.unless_stopped(desktop.read_file(path)), bench.parts, bench.watch
        )
    except DesktopRefused as error:
        raise ToolFailed(f"{path} cannot be read: {error}") from error
    size_bytes = content.size_bytes
    if size_bytes > MAX_FILE_BYTES:
        raise ToolFailed(f"{path} has {size_bytes} bytes, more than {MAX_FILE_BYTES}")
    filename = safe_name(path)
    content_type = guess_type(filename)[0] or ANY_CONTENT
    step = bench.step
    # Named after the step: a worker that takes over writes the same file again instead of a second one.
    key = content_key(bench.task.organization_id, f"{step.run_id}/{step.id}", filename)
    try:
        await bench.parts.blobs.put_stream(key, _pieces(content), content_type=content_type)
    except NotBase64 as error:
        raise ToolFailed(f"{path} did not come whole: the answer {error}") from error
    return Outcome(
        f"exported {filename}, {size_bytes} bytes",
        file=OutputFile(filename, content_type, size_bytes, key),
    )


async def _pieces(content: Base64Text) -> AsyncIterator[bytes]:
    for piece in content.decoded():
        yield piece


MARK_FILE_FOR_EXPORT = Tool(
    "mark_file_for_export",
    "Give a file of the desktop to the caller: it becomes a file of the run.",
    ExportArguments,
    mark_file_for_export,
)
TOOLS = (MARK_FILE_FOR_EXPORT,)
