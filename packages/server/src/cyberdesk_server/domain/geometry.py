"""Places on a screen. The unit is always the real pixel of the desktop, the origin its top left corner."""

from dataclasses import dataclass
from typing import NamedTuple


class Point(NamedTuple):
    x: int
    y: int


class Size(NamedTuple):
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: `left <= x < right`, `top <= y < bottom`."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def center(self) -> Point:
        return Point((self.left + self.right) // 2, (self.top + self.bottom) // 2)

    def contains(self, point: Point) -> bool:
        return self.left <= point.x < self.right and self.top <= point.y < self.bottom

    @property
    def edges(self) -> list[int]:
        """Left, top, right, bottom: how callers and rows write it."""
        return [self.left, self.top, self.right, self.bottom]

    def moved(self, by: Point) -> "Box":
        return Box(self.left + by.x, self.top + by.y, self.right + by.x, self.bottom + by.y)

    def clamped(self, size: Size) -> "Box":
        """The part of this box that lies on a screen of that size; possibly empty."""
        left, top = min(max(self.left, 0), size.width), min(max(self.top, 0), size.height)
        return Box(left, top, min(max(self.right, left), size.width), min(max(self.bottom, top), size.height))


@dataclass(frozen=True, slots=True)
class Scale:
    """From picture pixels, which the server and its callers speak, to screen pixels, which drivers take.

    They differ only for drivers that cannot answer a picture of the real size.
    """

    picture: Size
    screen: Size

    def to_screen(self, point: Point) -> Point:
        """The screen pixel under the middle of this picture pixel."""
        return _scaled(point, self.picture, self.screen)

    def to_picture(self, point: Point) -> Point:
        """The picture pixel over the middle of this screen pixel."""
        return _scaled(point, self.screen, self.picture)


SAME = Scale(Size(1, 1), Size(1, 1))
"""The scale of pictures in real pixels, whatever their size."""


def _scaled(point: Point, from_: Size, to: Size) -> Point:
    if from_ == to:
        return point
    return Point(
        (2 * point.x + 1) * to.width // (2 * from_.width),
        (2 * point.y + 1) * to.height // (2 * from_.height),
    )
