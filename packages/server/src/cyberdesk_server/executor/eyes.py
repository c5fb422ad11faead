"""Looks at the desktop, waits until it is still, and keeps what was seen."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from cyberdesk_server.domain.addresses import address_of, history_image_key
from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.signals import RunFails
from cyberdesk_server.executor.watch import Watch
from cyberdesk_server.ports import DesktopRefused, DesktopUnreachable

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 0.5

_LAST_LOOKS = 5
"""At a screen that goes on moving, which tell what moves: what was still being painted came before."""


async def reaching(ask: Callable[[], Awaitable[T]], parts: ExecutorParts, watch: Watch) -> T:
    """What the desktop answers; while it is unreachable it is asked again.

    Raises `RunFails` when it stays so for `Limits.desktop_grace_seconds`, `RunStopped` when the run is
    cancelled between two attempts.
    """
    give_up_at = None
    pause_seconds = FIRST_PAUSE_SECONDS
    while True:
        try:
            return await ask()
        except DesktopUnreachable as error:
            now = parts.clock.now()
            give_up_at = give_up_at or now + timedelta(seconds=parts.limits.desktop_grace_seconds)
            if now >= give_up_at:
                grace = parts.limits.desktop_grace_seconds
                raise RunFails(f"the desktop was unreachable for {grace:g} seconds: {error}") from error
        await watch.sleep(pause_seconds)
        pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)


class Eyes:
    """One run's looks at its desktop."""

    def __init__(self, parts: ExecutorParts, watch: Watch, organization_id: OrganizationId) -> None:
        self._parts = parts
        self._watch = watch
        self._organization_id = organization_id
        self._kept: set[str] = set()
        self.size: Size | None = None
        """Of the screen, once it was seen."""

        self.volatile: tuple[Box, ...] = ()
        """What went on moving when the screen was last waited for."""

        self._is_at_rest = False

    async def look(self) -> Screenshot:
        """The screen now."""
        self._watch.check()

        async def ask() -> Screenshot:
            return await self._watch.unless_stopped(self._parts.desktop.screenshot())

        try:
            screenshot = await reaching(ask, self._parts, self._watch)
        except DesktopRefused as error:
            raise RunFails(f"there is no picture of the screen: {error}") from error
        self.size = screenshot.size
        return screenshot

    async def look_at_rest(self) -> Screenshot:
        """The screen now, once it is still: it is waited for when something was done since it was at rest."""
        return await (self.look() if self._is_at_rest else self.look_when_still())

    def rest(self) -> None:
        """The screen was seen at rest."""
        self._is_at_rest = True

    def stir(self) -> None:
        """Something is being done to the desktop."""
        self._is_at_rest = False

    async def look_when_still(self) -> Screenshot:
        """The screen once two looks in a row were equal; the latest look when it keeps moving."""
        limits = self._parts.limits
        give_up_at = self._parts.clock.now() + timedelta(seconds=limits.still_screen_seconds)
        looks = [await self.look()]
        self.volatile = ()
        while True:
            await self._watch.sleep(limits.look_pause_seconds)
            now = await self.look()
            if now.digest == looks[-1].digest:
                return now
            looks = [*looks, now][-_LAST_LOOKS:]
            if self._parts.clock.now() >= give_up_at:
                self.volatile = await asyncio.to_thread(_moving, looks)
                return now

    async def keep(self, screenshot: Screenshot) -> str:
        """The address of the stored picture. Equal pictures are stored once."""
        key = history_image_key(self._organization_id, f"{screenshot.digest}.png")
        if key not in self._kept:
            await self._parts.blobs.put(key, screenshot.png, content_type="image/png")
            self._kept.add(key)
        return address_of(key)


def _moving(looks: Sequence[Screenshot]) -> tuple[Box, ...]:
    from cyberdesk_server.executor.replay.changes import moving
    from cyberdesk_server.executor.replay.screens import pixels

    if len({look.size for look in looks}) != 1:
        return ()
    return moving([pixels(look.png) for look in looks])
