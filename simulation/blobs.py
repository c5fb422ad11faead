"""Where pictures and files are kept: for all servers of a site, and for as long as it lasts."""

import asyncio
from random import Random

from cyberdesk_server.testing.ports import MemoryBlobs

from simulation.chance import CALM

ACCESS_SECONDS = 0.005


class ShakyBlobs(MemoryBlobs):
    """Takes a moment, and may fail, for each blob that is written or read."""

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self.weather = CALM
        self._chance = chance

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        await self._reach()
        await super().put(key, content, content_type=content_type)

    async def get(self, key: str) -> bytes:
        await self._reach()
        return await super().get(key)

    async def _reach(self) -> None:
        await asyncio.sleep(self._chance.random() * ACCESS_SECONDS)
        probability = self.weather.blob_fails
        if probability > 0 and self._chance.random() < probability:
            raise OSError("input/output error (simulated)")
