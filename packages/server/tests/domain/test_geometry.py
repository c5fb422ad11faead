"""Places on a screen."""

from cyberdesk_server.domain.geometry import SAME, Box, Point, Scale, Size
from hypothesis import given
from hypothesis import strategies as st

SIZE = Size(1280, 800)
EDGES = st.integers(-2000, 2000)
BOXES = st.builds(Box, EDGES, EDGES, EDGES, EDGES)
SIZES = st.builds(Size, st.integers(1, 4000), st.integers(1, 4000))
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


@given(SIZES, SIZES, st.data())
def test_no_point_leaves_the_screen_or_the_picture(picture: Size, screen: Size, data: st.DataObject) -> None:
    point = Point(data.draw(st.integers(0, picture.width - 1)), data.draw(st.integers(0, picture.height - 1)))
    scale = Scale(picture, screen)

    there = scale.to_screen(point)
    back = scale.to_picture(there)

    assert 0 <= there.x < screen.width
    assert 0 <= there.y < screen.height
    assert 0 <= back.x < picture.width
    assert 0 <= back.y < picture.height
    if picture.width <= screen.width and picture.height <= screen.height:
        assert back == point


@given(PIXELS)
def test_pictures_in_real_pixels_need_no_scale(pixel: Point) -> None:
    assert SAME.to_screen(pixel) == SAME.to_picture(pixel) == pixel
