"""The way for everybody else to read a screen: `ScreenReader`.

Importing this module loads nothing heavy; numpy, OpenCV and Tesseract come with the first screen that is
read.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.screens import Screenshot

if TYPE_CHECKING:
    from cyberdesk_server.executor.reading.sight import Sight

T = TypeVar("T")

REMEMBERED_SCREENS = 4


@cache
def _reading_thread() -> ThreadPoolExecutor:
    """Tesseract serves one thread at a time, and one is enough: it is this process's."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="screen-reader")


class ScreenReader:
    """Reads screenshots of one desktop, remembering the last few.

    The same screen is read once; of the next one, only what changed. Readers share the process's one
    Tesseract.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, Sight] = OrderedDict()

    async def find(self, screenshot: Screenshot, text: str) -> list[Box]:
        """Where a label stands, best match first (see `labels`)."""

        def find(sight: "Sight") -> list[Box]:
            from cyberdesk_server.executor.reading.labels import matches

            return [match.box for match in matches(sight.page, text)]

        return await self.work(screenshot, find)

    async def is_visible(self, screenshot: Screenshot, text: str) -> bool:
        """True when a label stands anywhere on the screen."""
        return bool(await self.find(screenshot, text))

    async def work(self, screenshot: Screenshot, work: "Callable[[Sight], T]") -> T:
        """What `work` makes of the screen; it runs in the reading thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_reading_thread(), lambda: work(self._sight(screenshot)))

    def _sight(self, screenshot: Screenshot) -> "Sight":
        from cyberdesk_server.executor.reading.ocr import engine
        from cyberdesk_server.executor.reading.sight import decoded, look

        known = self._seen.get(screenshot.digest)
        if known is None:
            before = next(reversed(self._seen.values()), None)
            known = look(decoded(screenshot.png), engine(), before)
            self._seen[screenshot.digest] = known
        self._seen.move_to_end(screenshot.digest)
        while len(self._seen) > REMEMBERED_SCREENS:
            self._seen.popitem(last=False)
        return known
