"""Places between the picture a model sees and the desktop."""

from cyberdesk_server.adapters.models.conversation import Bounds
from cyberdesk_server.adapters.models.pictures import Pictures, fitted
from cyberdesk_server.adapters.models.scaling import in_picture_pixels, on_picture, on_screen
from cyberdesk_server.domain.geometry import Scale, Size
from cyberdesk_server.domain.screens import png_size
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.executor.tools import specs
from cyberdesk_server.testing.ports import MemoryBlobs, a_screenshot
from hypothesis import given
from hypothesis import strategies as st

BOUNDS = Bounds(edge=1568, pixels=1_150_000)
sizes = st.builds(Size, st.integers(1, 8000), st.integers(1, 8000))


@given(sizes)
def test_a_picture_is_inside_the_bounds_and_no_smaller_than_it_must_be(size: Size) -> None:
    sent = fitted(size, BOUNDS)

    assert max(sent) <= BOUNDS.edge
    assert sent.width * sent.height <= BOUNDS.pixels
    if max(size) <= BOUNDS.edge and size.width * size.height <= BOUNDS.pixels:
        assert sent == size


@given(sizes, st.data())
def test_a_place_on_the_picture_comes_back_from_the_screen(size: Size, data: st.DataObject) -> None:
    sent = fitted(size, BOUNDS)
    scale = Scale(sent, size)
    x, y = data.draw(st.integers(0, sent.width - 1)), data.draw(st.integers(0, sent.height - 1))
    call = ToolCall("drag", {"start_x": x, "start_y": y, "to_x": x, "to_y": y, "duration_seconds": 1})

    moved = on_screen(call, scale)

    assert 0 <= moved.arguments["start_x"] < size.width  # type: ignore[operator]
    assert 0 <= moved.arguments["to_y"] < size.height  # type: ignore[operator]
    assert on_picture(moved, scale) == call


def test_what_is_no_place_stays_as_it_is() -> None:
    scale = Scale(Size(100, 100), Size(200, 200))
    calls = [
        ToolCall("click", {"x": "here", "y": 3}),
        ToolCall("click", {"x": 10**400, "y": 3}),
        ToolCall("screenshot", {"zoom_bounding_box": [1, 2, 3]}),
        ToolCall("wait", {"seconds": 50}),
    ]

    assert [on_screen(call, scale) for call in calls] == calls


def test_a_zoom_box_is_moved_by_its_corners() -> None:
    call = ToolCall("screenshot", {"zoom_bounding_box": [0, 0, 50, 99]})

    moved = on_screen(call, Scale(Size(100, 100), Size(200, 200)))

    assert moved.arguments["zoom_bounding_box"] == [1, 1, 101, 199]


def test_no_tool_speaks_of_real_pixels() -> None:
    told = str([in_picture_pixels(spec) for spec in specs(None, includes_file_exports=True)])

    assert "real pixel" not in told.lower()
    assert "Pixel of the picture of the screen." in told


async def test_a_large_picture_is_made_smaller_once() -> None:
    blobs = MemoryBlobs()
    pictures = Pictures(blobs, BOUNDS)
    await blobs.put("a.png", a_screenshot(size=Size(2000, 1000)).png, content_type="image/png")

    first, again = await pictures.at("supabase://a.png"), await pictures.at("supabase://a.png")

    assert first is again
    assert first is not None
    assert first.size == png_size(first.content) == Size(1516, 758)


async def test_a_picture_that_is_gone_is_none() -> None:
    assert await Pictures(MemoryBlobs(), BOUNDS).at("supabase://gone.png") is None
