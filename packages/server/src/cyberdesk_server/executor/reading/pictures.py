"""Where on a screen is a picture? By comparing pixels at the picture's own size."""

import cv2
import numpy as np

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.executor.reading.segments import Image

ALIKE = 0.9
"""Normalized correlation from which a place counts as the picture; 1 is a perfect match."""
_FLAT_TOLERANCE = 4


def is_one_colour(picture: Image) -> bool:
    """True when a picture shows nothing that could be found."""
    return bool(np.ptp(picture, axis=(0, 1)).max() <= _FLAT_TOLERANCE)


def places(screen: Image, picture: Image) -> list[Box]:
    """Where the picture is, the most alike first; no two places overlap by half."""
    height, width = picture.shape[:2]
    if height > screen.shape[0] or width > screen.shape[1]:
        return []
    if is_one_colour(picture):
        return []
    likeness = cv2.matchTemplate(screen, picture, cv2.TM_CCOEFF_NORMED)
    found: list[Box] = []
    while True:
        _, best, _, (left, top) = cv2.minMaxLoc(likeness)
        if best < ALIKE or not np.isfinite(best):
            return found
        found.append(Box(left, top, left + width, top + height))
        likeness[
            max(top - height // 2, 0) : top + height // 2 + 1,
            max(left - width // 2, 0) : left + width // 2 + 1,
        ] = -1.0
