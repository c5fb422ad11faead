"""Places on a screen."""

from cyberdesk_server.domain.geometry import Box, Point, Size
from hypothesis import given
from hypothesis import strategies as st

SIZE = Size(1280, 800)
EDGES = st.integers(-2000, 2000)
BOXES = st.builds(Box, EDGES, EDGES, EDGES, EDGES)
PIXELS = st.builds(Point, st.integers(0, SIZE.width - 1), st.integers(0, SIZE.height - 1))


def test_a_box_holds_its_first_pixel_and_not_the_one_behind_its_last() -> None:
    box = Box(10, 20, 30, 40)

    assert box.contains(Point(10, 20))
    assert box.contains(Point(29, 39))
    assert not box.contains(Point(30, 39))
    assert not box.contains(Point(29, 40))


@given(BOXES, PIXELS)
def test_a_clamped_box_holds_the_same_pixels_of_the_screen(box: Box, pixel: Point) -> None:
    assert box.clamped(SIZE).contains(pixel) == box.contains(pixel)


@given(BOXES)
def test_a_clamped_box_lies_on_the_screen(box: Box) -> None:
    clamped = box.clamped(SIZE)

    assert 0 <= clamped.left <= clamped.right <= SIZE.width
    assert 0 <= clamped.top <= clamped.bottom <= SIZE.height


@given(BOXES.filter(lambda box: box.width > 0 and box.height > 0))
def test_the_center_is_inside(box: Box) -> None:
    assert box.contains(box.center)
