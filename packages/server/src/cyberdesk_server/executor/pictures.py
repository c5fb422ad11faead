"""Cuts pictures, and loads those of a prompt."""

import base64
import binascii
import hashlib
import re
from urllib.parse import unquote_to_bytes

from cyberdesk_server.domain.addresses import blob_key_of
from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.prompt_images import is_own_address
from cyberdesk_server.domain.prompt_lines import plain_lines
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.ports import BlobMissing, Blobs

_PICTURE = re.compile(r'<img "([^"]*)">')


def cropped(whole: Screenshot, part: Box) -> Screenshot:
    """The part of a screenshot inside a box that lies on it."""
    import cv2  # 30 MB that an idle server does without
    import numpy as np

    pixels = cv2.imdecode(np.frombuffer(whole.png, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None, "a screenshot is a PNG"
    _, encoded = cv2.imencode(".png", pixels[part.top : part.bottom, part.left : part.right])
    png = encoded.tobytes()
    return Screenshot(png, Size(part.width, part.height), hashlib.sha256(png).hexdigest())


async def prompt_pictures(prompt: str, blobs: Blobs, organization_id: OrganizationId) -> dict[str, bytes]:
    """The pictures in a prompt by their `src`; one that cannot be loaded is left out, for the model to
    refuse."""
    sources = {source for line in plain_lines(prompt) for source in _PICTURE.findall(line.text)}
    loaded = {source: await _picture(source, blobs, organization_id) for source in sources}
    return {source: content for source, content in loaded.items() if content is not None}


async def _picture(source: str, blobs: Blobs, organization_id: OrganizationId) -> bytes | None:
    if source.startswith("data:image/"):
        return _inline(source)
    if not is_own_address(source, organization_id):
        return None
    try:
        return await blobs.get(blob_key_of(source))
    except BlobMissing:
        return None


def _inline(source: str) -> bytes | None:
    head, _, content = source.partition(",")
    if not head.endswith(";base64"):
        return unquote_to_bytes(content)
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        return None
