"""Blobs in a folder of this machine, through the same object store library that speaks S3."""

from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path

import obstore
from obstore.store import LocalStore

from cyberdesk_server.adapters.blobs.links import SignedLinks
from cyberdesk_server.ports import BLOB_PIECE_BYTES, BlobMissing

PARTS_UNDER_WAY = 2
"""Parts of 5 MB a stream is written in at the same time; each is in memory while it is."""


class LocalBlobs:
    """A `ports.Blobs` in one folder. Writes are atomic: a reader sees a whole blob or none."""

    def __init__(self, folder: Path, links: SignedLinks) -> None:
        """`folder` is made when it is not there, readable by this user only."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._store = LocalStore(folder, automatic_cleanup=True)
        self._links = links

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        # A folder has no place for a content type: readers know it from the key's ending or their own row.
        await obstore.put_async(self._store, _path(key), content)

    async def get(self, key: str) -> bytes:
        try:
            found = await obstore.get_async(self._store, _path(key))
            return bytes(await found.bytes_async())
        except (FileNotFoundError, ValueError) as error:
            raise BlobMissing(f"there is no blob {key}") from error

    async def put_stream(self, key: str, pieces: AsyncIterable[bytes], *, content_type: str) -> None:
        await obstore.put_async(
            self._store, _path(key), pieces, use_multipart=True, max_concurrency=PARTS_UNDER_WAY
        )

    async def size(self, key: str) -> int:
        try:
            return (await obstore.head_async(self._store, _path(key)))["size"]
        except (FileNotFoundError, ValueError) as error:
            raise BlobMissing(f"there is no blob {key}") from error

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        size = await self.size(key)
        end = size if end is None else end
        if start >= end:
            return
        found = await obstore.get_async(self._store, _path(key), options={"range": (start, end)})
        async for piece in found.stream(min_chunk_size=BLOB_PIECE_BYTES):
            yield piece

    async def delete(self, key: str) -> None:
        try:
            await obstore.delete_async(self._store, _path(key))
        except FileNotFoundError:
            return

    def signed_url(self, key: str, *, expires_in_seconds: int) -> str:
        return self._links.url(key, expires_in_seconds=expires_in_seconds)


def _path(key: str) -> str:
    # The library keeps names that end in `#` and digits for its own unfinished files.
    return key.replace("%", "%25").replace("#", "%23")
