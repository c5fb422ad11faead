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

    def clamped(self, size: Size) -> "Box":
        """The part of this box that lies on a screen of that size; possibly empty."""
        left, top = min(max(self.left, 0), size.width), min(max(self.top, 0), size.height)
        return Box(left, top, min(max(self.right, left), size.width), min(max(self.bottom, top), size.height))
