"""Tools that get values out of the desktop and keep them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any

from cyberdesk_server.domain import actions
from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import BEING_READ, course
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.arguments import Fill
from cyberdesk_server.executor.asking import persistently
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.pictures import cropped
from cyberdesk_server.executor.signals import ToolFailed
from cyberdesk_server.executor.tools.base import Bench, Outcome, OutputFile, Tool
from cyberdesk_server.executor.watch import Watch
from cyberdesk_server.ports import ModelError

ZoomBox = Annotated[
    tuple[int, int, int, int] | None,
    "Only this part of the screen: `[left, top, right, bottom]` in real pixels, cut at the screen's edges.",
]


class ProcessAsync(StrEnum):
    """Whether the run waits for a reading."""

    BATCH = "batch"
    """Until the next turn: the readings of one turn go on side by side."""

    RUN = "run"
    """Until the output is built."""

    WAIT = "wait"
    """At once, as without it."""

    @classmethod
    def _missing_(cls, value: object) -> "ProcessAsync | None":
        """`true` and `false`, as older prompts have it."""
        return {"true": cls.BATCH, "false": cls.WAIT}.get(str(value).lower())


@dataclass(frozen=True, slots=True)
class ScreenshotArguments:
    extract_prompt: Annotated[str | None, "What to read from the screen.", Fill.NOTHING] = None
    process_async: Annotated[
        ProcessAsync | None,
        "With `extract_prompt`: `batch` reads beside the other calls of the turn, `run` in the background "
        "until the output is built; without it the result is waited for.",
    ] = None
    zoom_bounding_box: ZoomBox = None


async def screenshot(bench: Bench, arguments: ScreenshotArguments) -> Outcome:
    """Looks anew; with an `extract_prompt` a model reads the picture, also when the step is replayed."""
    picture = await _zoomed(bench, arguments.zoom_bounding_box)
    image = await bench.eyes.keep(picture)
    if not arguments.extract_prompt:
        return Outcome(images=(image,))
    if _goes_on_in_the_background(bench, arguments.process_async):
        return Outcome(BEING_READ, facts={"is_being_read": True}, images=(image,))
    outcome = await reading_of(arguments.extract_prompt, bench.task, picture, bench.parts, bench.watch)
    return replace(outcome, images=(image,))


def _goes_on_in_the_background(bench: Bench, process_async: ProcessAsync | None) -> bool:
    """A batch of one call has nothing to go on beside."""
    if process_async is not ProcessAsync.BATCH:
        return process_async is ProcessAsync.RUN
    step = bench.step
    return sum(other.turn == step.turn for other in course(bench.steps(), step.within)) > 1


async def reading_of(
    prompt: str, task: Task, picture: Screenshot, parts: ExecutorParts, watch: Watch
) -> Outcome:
    """What a model reads from the picture. Raises `ToolFailed` when it cannot."""
    try:
        observation = await persistently(lambda: parts.model.extract(prompt, task, picture), parts, watch)
    except ModelError as error:
        raise ToolFailed(str(error)) from error
    return Outcome(observation.text, observation.output, observation.runtime_values)


async def _zoomed(bench: Bench, box: tuple[int, int, int, int] | None) -> Screenshot:
    whole = await bench.eyes.look()
    if box is None:
        return whole
    part = Box(*box).clamped(whole.size)
    if not (part.width and part.height):
        width, height = whole.size
        raise ToolFailed(f"zoom_bounding_box {list(box)} holds nothing of the {width} by {height} screen")
    return cropped(whole, part)


@dataclass(frozen=True, slots=True)
class CopyArguments:
    key_name: Annotated[str | None, "Keep the text as `{{key_name}}`.", Fill.NOTHING] = None
    output: Annotated[str | None, "Put the text into the output, by dotted path.", Fill.NOTHING] = None


async def copy_to_clipboard(bench: Bench, arguments: CopyArguments) -> Outcome:
    text = (await bench.act(actions.CopyToClipboard())).text or ""
    return Outcome(
        text,
        output={arguments.output: text} if arguments.output else {},
        runtime_values={arguments.key_name: text} if arguments.key_name else {},
    )


@dataclass(frozen=True, slots=True)
class UpsertArguments:
    values: Annotated[Mapping[str, Any], "Values for `{{name}}`, by name; each any JSON."]


async def upsert_runtime_values(bench: Bench, arguments: UpsertArguments) -> Outcome:
    return Outcome(f"kept: {', '.join(arguments.values)}", runtime_values=arguments.values)


@dataclass(frozen=True, slots=True)
class SaveArguments:
    filename: Annotated[str, "Name of the file, such as `chart.png`."]
    zoom_bounding_box: ZoomBox = None


async def save_screenshot_as_run_attachment(bench: Bench, arguments: SaveArguments) -> Outcome:
    filename = _png_name(arguments.filename)
    picture = await _zoomed(bench, arguments.zoom_bounding_box)
    image = await bench.eyes.keep(picture)
    step = bench.step
    # Named after the step: a worker that takes over writes the same file again instead of a second one.
    key = f"run-attachments/{bench.task.organization_id}/{step.run_id}/{step.id}/{filename}"
    await bench.parts.blobs.put(key, picture.png, content_type="image/png")
    return Outcome(
        f"saved as {filename}",
        images=(image,),
        file=OutputFile(filename, "image/png", len(picture.png), key),
    )


def _png_name(wanted: str) -> str:
    """The last part of a path, printable, with the ending of what it holds."""
    last = wanted.replace("\\", "/").rsplit("/", 1)[-1].strip()
    name = "".join(letter for letter in last if letter.isprintable())[:200]
    if not name.strip("."):
        raise ToolFailed(f"`filename` is no name for a file: {wanted!r}")
    return name if name.lower().endswith(".png") else f"{name}.png"


TOOLS = (
    Tool(
        "screenshot",
        "Look at the screen; with `extract_prompt` have values read from it.",
        ScreenshotArguments,
        screenshot,
    ),
    Tool(
        "copy_to_clipboard",
        "Press Ctrl+C and keep the text that was selected.",
        CopyArguments,
        copy_to_clipboard,
        is_action=True,
    ),
    Tool("upsert_runtime_values", "Keep values for later steps.", UpsertArguments, upsert_runtime_values),
    Tool(
        "save_screenshot_as_run_attachment",
        "Save the screen as a file of the run.",
        SaveArguments,
        save_screenshot_as_run_attachment,
    ),
)
