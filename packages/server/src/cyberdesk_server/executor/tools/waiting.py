"""The tool that waits: for a time, or for texts on the screen."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.executor.arguments import Between
from cyberdesk_server.executor.signals import ToolFailed
from cyberdesk_server.executor.tools.base import Bench, Outcome, Tool

LONGEST_WAIT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class WaitArguments:
    seconds: Annotated[float | None, "Wait so long.", Between(0, LONGEST_WAIT_SECONDS)] = None
    until_text: Annotated[tuple[str, ...], "Wait until one of these texts is visible."] = ()
    until_gone: Annotated[tuple[str, ...], "Wait until none of these texts is visible."] = ()
    timeout_seconds: Annotated[
        float, "How long to wait for the texts; then the wait has failed.", Between(0, LONGEST_WAIT_SECONDS)
    ] = 30.0


async def wait(bench: Bench, arguments: WaitArguments) -> Outcome:
    if not (arguments.seconds or arguments.until_text or arguments.until_gone):
        return Outcome()
    if arguments.seconds:
        await bench.watch.sleep(arguments.seconds)
    if not (arguments.until_text or arguments.until_gone):
        return Outcome()
    return await _wait_for_texts(bench, arguments)


async def _wait_for_texts(bench: Bench, arguments: WaitArguments) -> Outcome:
    clock, limits = bench.parts.clock, bench.parts.limits
    give_up_at = clock.now() + timedelta(seconds=arguments.timeout_seconds)
    last_digest = None
    while True:
        screenshot = await bench.eyes.look()
        if screenshot.digest != last_digest:
            last_digest = screenshot.digest
            seen = await _visible(bench, screenshot, arguments.until_text)
            in_the_way = await _visible(bench, screenshot, arguments.until_gone)
            if not in_the_way and (seen or not arguments.until_text):
                return Outcome(f'"{seen}" is visible' if seen else None, facts={"seen": seen} if seen else {})
        if clock.now() >= give_up_at:
            raise ToolFailed(_too_long(arguments, in_the_way))
        await bench.watch.sleep(limits.text_poll_seconds)


async def _visible(bench: Bench, screenshot: Screenshot, texts: tuple[str, ...]) -> str | None:
    """The first of the texts that the screen shows."""
    for text in texts:
        if await bench.watch.unless_stopped(bench.parts.reader.is_visible(screenshot, text)):
            return text
    return None


def _too_long(arguments: WaitArguments, in_the_way: str | None) -> str:
    within = f"within {arguments.timeout_seconds:g} seconds"
    if in_the_way:
        return f'"{in_the_way}" did not disappear {within}'
    wanted = " or ".join(f'"{text}"' for text in arguments.until_text)
    return f"{wanted} did not appear {within}"


TOOLS = (Tool("wait", "Wait for a time, or for texts to appear or disappear.", WaitArguments, wait),)
