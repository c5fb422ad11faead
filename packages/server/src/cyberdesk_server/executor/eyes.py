"""Looks at the desktop, waits until it is still, and keeps what was seen."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from cyberdesk_server.domain.addresses import address_of, blob_key_of, history_image_key
from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Step
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.secrets import types_a_secret
from cyberdesk_server.executor.signals import RunFails
from cyberdesk_server.executor.watch import Watch
from cyberdesk_server.ports import BlobMissing, DesktopRefused, DesktopUnreachable

if TYPE_CHECKING:
    from cyberdesk_server.executor.covers import Covers

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
        self._covers: Covers | None = None
        self._last_cover: tuple[str, Screenshot] | None = None

    async def look(self) -> Screenshot:
        """The screen now. Where a secret was typed it is painted over."""
        raw = await self._look_at_all()
        if self._covers is None or not self._covers.are_needed:
            return raw
        if self._last_cover is None or self._last_cover[0] != raw.digest:
            self._last_cover = raw.digest, await asyncio.to_thread(self._covers.over, raw)
        return self._last_cover[1]

    async def before_secret(self, screen: str | None = None) -> None:
        """A secret is about to be typed, or was by another worker, before which the screen was this one."""
        # What was done before has to have shown, such as the field that has the focus now.
        raw = await (self._until_still(self._look_at_all) if screen is None else self._kept_screen(screen))
        await asyncio.to_thread(self._own_covers().begin, raw)
        self._last_cover = None

    async def after_secret(self) -> bool:
        """It was typed: wait until it shows. False when nothing does, as where nothing is echoed."""
        covers = self._own_covers()
        await self._until_still(self.look, lambda: covers.has_seen_it)
        return covers.has_seen_it

    async def take_over(self, history: Sequence[Step]) -> None:
        """Cover what the secrets have changed that these steps, of a worker before this one, have typed."""
        typed = [step for step in history if types_a_secret(step)]
        if not typed:
            return
        first, last = typed[0], typed[-1]
        seen = [
            step for step in history if step.number > first.number and step.turn > first.turn and step.screen
        ]
        self._own_covers().cover_always(box for step in seen for box in step.volatile)
        if last.screen and all(step.turn <= last.turn for step in seen):
            await self.before_secret(last.screen)

    async def _until_still(
        self, look: Callable[[], Awaitable[Screenshot]], may_end: Callable[[], bool] = lambda: True
    ) -> Screenshot:
        """The screen once two looks in a row were equal and it may end; the latest when it keeps moving."""
        give_up_at = self._parts.clock.now() + timedelta(seconds=self._parts.limits.still_screen_seconds)
        before = await look()
        while self._parts.clock.now() < give_up_at:
            await self._watch.sleep(self._parts.limits.look_pause_seconds)
            now = await look()
            if may_end() and now.digest == before.digest:
                break
            before = now
        return before

    def _own_covers(self) -> "Covers":
        from cyberdesk_server.executor.covers import Covers  # a run without secrets needs no pictures

        self._covers = self._covers or Covers()
        return self._covers

    async def _kept_screen(self, address: str) -> Screenshot:
        try:
            png = await self._parts.blobs.get(blob_key_of(address))
        except BlobMissing as error:
            raise RunFails("nobody knows what a secret has changed on the screen") from error
        return Screenshot(png, self.size or Size(0, 0), address)

    async def _look_at_all(self) -> Screenshot:
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
        if self._covers is not None:
            self._covers.end()

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
