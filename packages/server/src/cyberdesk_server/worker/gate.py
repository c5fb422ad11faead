"""A desktop behind a gate: nothing reaches it without a lease, and a stopping worker lets an action end."""

import asyncio
from datetime import datetime

from cyberdesk_server.domain.actions import Action, ActionResult
from cyberdesk_server.domain.base64_text import Base64Text
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.ids import StepId
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.executor.signals import RunStopped
from cyberdesk_server.ports import Clock, Desktop


class GatedDesktop:
    """A `ports.Desktop` in front of another.

    While the lease is known to last, everything passes. When it has run out unrenewed, for the database was
    away or this process stood still, what comes next waits until it is renewed, or gets `RunStopped` when
    it is lost.

    Once `hold` is called, nothing new reaches the desktop. What is under way ends and is written to the
    journal, because whoever drives the desktop is stopped only by what it wants next.
    """

    def __init__(self, desktop: Desktop, clock: Clock, *, open_until: datetime) -> None:
        self._desktop = desktop
        self._clock = clock
        self._lease_until = open_until
        self._is_lost = False
        self._is_held = False
        self._somebody_waits = asyncio.Event()
        self._changed = asyncio.Event()

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

    def open_until(self, lease_until: datetime) -> None:
        """The lease was renewed."""
        self._lease_until = lease_until
        self._changed.set()

    def close(self) -> None:
        """The lease is lost: the run is another's."""
        self._is_lost = True
        self._changed.set()

    async def hold(self) -> None:
        """Close the gate for good, and wait until somebody stands in front of it."""
        self._is_held = True
        await self._somebody_waits.wait()

    async def _pass(self) -> None:
        while self._is_held or not self._has_lease():
            self._somebody_waits.set()
            self._changed.clear()
            try:
                await self._changed.wait()  # for the lease to be renewed or lost, or until cancelled
            finally:
                self._somebody_waits.clear()

    def _has_lease(self) -> bool:
        if self._is_lost:
            raise RunStopped
        return self._clock.now() < self._lease_until
