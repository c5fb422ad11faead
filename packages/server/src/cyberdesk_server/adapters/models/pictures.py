"""Pictures on their way to a model: from the blob store, and as small as its provider wants them."""

import asyncio
from collections import OrderedDict

from cyberdesk_server.adapters.models.conversation import Bounds, Picture
from cyberdesk_server.domain.addresses import blob_key_of
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.screens import MAX_PIXELS, png_size
from cyberdesk_server.ports import BlobMissing, Blobs, ModelError

KEPT = 16
"""Pictures remembered, so that a screen is made smaller once and not for each question that shows it."""

PNG = "image/png"


def fitted(size: Size, bounds: Bounds) -> Size:
    """The largest size of the same shape inside the bounds; `size` itself when it is."""
    factor = min(
        1.0, bounds.edge / max(size.width, size.height), (bounds.pixels / (size.width * size.height)) ** 0.5
    )
    return Size(max(int(size.width * factor), 1), max(int(size.height * factor), 1))


class Pictures:
    """The pictures one run's model is shown."""

    def __init__(self, blobs: Blobs, bounds: Bounds) -> None:
        self._blobs = blobs
        self._bounds = bounds
        self._kept: OrderedDict[str, Picture] = OrderedDict()

    async def at(self, address: str) -> Picture | None:
        """The stored picture; None when it is gone."""
        if address in self._kept:
            self._kept.move_to_end(address)
            return self._kept[address]
        try:
            content = await self._blobs.get(blob_key_of(address))
        except BlobMissing:
            return None
        return await self.of(content, address)

    async def of(self, content: bytes, address: str | None = None) -> Picture:
        """This picture, remembered under its address when it has one. `ModelError` when it is none."""
        picture = await asyncio.to_thread(_sent, content, self._bounds)
        if address is not None:
            self._kept[address] = picture
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return picture


def _sent(content: bytes, bounds: Bounds) -> Picture:
    size = png_size(content)
    if size is not None and fitted(size, bounds) == size:
        return Picture(content, PNG, size)
    import cv2  # 30 MB that an idle server does without
    import numpy as np

    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    except cv2.error as error:
        raise ModelError(f"a picture of the prompt has more than {MAX_PIXELS} pixels") from error
    if pixels is None:
        raise ModelError("a picture of the prompt cannot be read: it is no PNG, JPEG, GIF or WebP")
    wanted = fitted(Size(pixels.shape[1], pixels.shape[0]), bounds)
    _, encoded = cv2.imencode(".png", cv2.resize(pixels, wanted, interpolation=cv2.INTER_AREA))
    return Picture(encoded.tobytes(), PNG, wanted)
