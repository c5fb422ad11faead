"""Painted screens for tests: windows with labels, fields, buttons and tables, in a font every machine has.

Needs Pillow, which the tests of this repository bring.
"""

import hashlib
import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from cyberdesk_server.domain.geometry import Box, Point, Size
from cyberdesk_server.domain.screens import Screenshot

GREY = "#d4d0c8"
WHITE = "#ffffff"
BLACK = "#000000"
NAVY = "#000060"

_FONTS = {
    (False, False): "DejaVuSans.ttf",
    (True, False): "DejaVuSans-Bold.ttf",
    (False, True): "DejaVuSansMono.ttf",
    (True, True): "DejaVuSansMono-Bold.ttf",
}


class Canvas:
    """A screen to paint on. Every method answers the box of what it painted."""

    def __init__(
        self, width: int = 1280, height: int = 800, *, ground: str = GREY, font_px: int = 14
    ) -> None:
        self.picture = Image.new("RGB", (width, height), ground)
        self._draw = ImageDraw.Draw(self.picture)
        self._font_px = font_px

    def text(
        self,
        x: int,
        y: int,
        text: str,
        *,
        ink: str = BLACK,
        font_px: int | None = None,
        is_bold: bool = False,
        is_mono: bool = False,
    ) -> Box:
        """A text whose line starts at `x` and has its top at `y`."""
        font = ImageFont.truetype(_FONTS[is_bold, is_mono], font_px or self._font_px)
        self._draw.text((x, y), text, fill=ink, font=font)
        left, top, right, bottom = self._draw.textbbox((x, y), text, font=font)
        return Box(int(left), int(top), int(right), int(bottom))

    def rectangle(self, box: Box, *, fill: str, outline: str | None = None) -> Box:
        self._draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), fill=fill, outline=outline)
        return box

    def button(self, x: int, y: int, label: str, *, width: int = 110, height: int = 28) -> Box:
        """A raised button with its label in the middle."""
        box = self.rectangle(Box(x, y, x + width, y + height), fill=GREY, outline="#808080")
        length = self._draw.textlength(label, font=ImageFont.truetype(_FONTS[False, False], self._font_px))
        self.text(x + (width - int(length)) // 2, y + (height - self._font_px) // 2 - 2, label)
        return box

    def field(self, x: int, y: int, value: str = "", *, width: int = 240, height: int = 24) -> Box:
        """A white input field."""
        box = self.rectangle(Box(x, y, x + width, y + height), fill=WHITE, outline="#606060")
        self.text(x + 4, y + (height - self._font_px) // 2 - 2, value)
        return box

    def table(
        self,
        x: int,
        y: int,
        columns: Sequence[tuple[str, int]],
        rows: Sequence[Sequence[str]],
        *,
        row_height: int = 24,
    ) -> Box:
        """A table: bold headings and widths of columns, then rows on white."""
        width = sum(width for _, width in columns)
        box = Box(x, y, x + width, y + row_height * (len(rows) + 1))
        self.rectangle(Box(x, y + row_height, box.right, box.bottom), fill=WHITE, outline="#808080")
        left = x
        for number, (heading, column_width) in enumerate(columns):
            self.text(left + 6, y + 3, heading, is_bold=True)
            for line, row in enumerate(rows, start=1):
                self.text(left + 6, y + line * row_height + 3, row[number])
            left += column_width
        return box

    def screenshot(self) -> Screenshot:
        """What a desktop would answer that shows this."""
        return screenshot_of(self.picture)


def screenshot_of(picture: Image.Image) -> Screenshot:
    """A picture as a desktop's screenshot."""
    encoded = io.BytesIO()
    picture.convert("RGB").save(encoded, "PNG", compress_level=1)
    png = encoded.getvalue()
    return Screenshot(png, Size(*picture.size), hashlib.sha256(png).hexdigest())


def is_about(box: Box, point: Point, *, tolerance_px: int = 4) -> bool:
    """True when the middle of a box is at a point, give or take a few pixels."""
    return abs(box.center.x - point.x) <= tolerance_px and abs(box.center.y - point.y) <= tolerance_px
