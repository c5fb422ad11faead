"""A desktop that can be held: how a stopping worker lets an action end before it gives its run up."""

import asyncio

from cyberdesk_server.domain.actions import Action, ActionResult
from cyberdesk_server.domain.base64_text import Base64Text
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.ids import StepId
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.ports import Desktop


class GatedDesktop:
    """A `ports.Desktop` in front of another.

    Once `hold` is called, nothing new reaches the desktop. What is under way ends and is written to the
    journal, because whoever drives the desktop is stopped only by what it wants next.
    """

    def __init__(self, desktop: Desktop) -> None:
        self._desktop = desktop
        self._is_held = False
        self._somebody_waits = asyncio.Event()

    async def size(self) -> Size:
        await self._pass()
        return await self._desktop.size()

    async def screenshot(self) -> Screenshot:
        await self._pass()
        return await self._desktop.screenshot()

    async def perform(self, action: Action, action_id: StepId, *, is_repeat: bool = False) -> ActionResult:
        await self._pass()
        return await self._desktop.perform(action, action_id, is_repeat=is_repeat)

    async def write_file(self, path: str, content: bytes, *, is_more: bool = False) -> str:
        await self._pass()
        return await self._desktop.write_file(path, content, is_more=is_more)

    async def read_file(self, path: str) -> Base64Text:
        await self._pass()
        return await self._desktop.read_file(path)

    async def is_folder(self, path: str) -> bool:
        await self._pass()
        return await self._desktop.is_folder(path)

    async def hold(self) -> None:
        """Close the gate for good, and wait until somebody stands in front of it."""
        self._is_held = True
        await self._somebody_waits.wait()

    async def _pass(self) -> None:
        if self._is_held:
            self._somebody_waits.set()
            await asyncio.get_running_loop().create_future()  # until cancelled
