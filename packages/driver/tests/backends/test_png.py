"""Frames as PNG files."""

import io

import pytest
from cyberdriver.backends.base import Frame, Size
from cyberdriver.backends.png import ScaleMode, encode_png, fitted
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw


def frame_of(image: Image.Image) -> Frame:
    return Frame(Size(*image.size), image.convert("RGB").tobytes("raw", "BGRX"), 1)


def decoded(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    size = Size(draw(st.integers(1, 60)), draw(st.integers(1, 60)))
    some = draw(st.binary(min_size=1, max_size=200))
    return Frame(size, (some * (size.pixels * 4 // len(some) + 1))[: size.pixels * 4], 1)


def sizes(largest: int = 300) -> st.SearchStrategy[Size]:
    return st.builds(Size, st.integers(1, largest), st.integers(1, largest))


@given(frames())
def test_the_decoded_picture_is_the_frame(frame: Frame) -> None:
    picture = decoded(encode_png(frame))

    source = Image.frombytes("RGB", picture.size, frame.bgrx, "raw", "BGRX")
    assert (picture.mode, picture.size) == ("RGB", (frame.size.width, frame.size.height))
    assert picture.tobytes() == source.tobytes()


@pytest.mark.parametrize("name", ["flat", "photo"])
def test_both_row_filters_give_the_frame_back(name: str) -> None:
    image = Image.linear_gradient("L").resize((333, 257)).convert("RGB")
    if name == "flat":
        ImageDraw.Draw(image).rectangle((0, 0, 333, 257), "white", "black", 3)
    frame = frame_of(image)

    picture = decoded(encode_png(frame))

    assert picture.tobytes() == image.tobytes()


def test_a_photograph_gets_smaller_through_the_filter() -> None:
    noise = Image.effect_noise((256, 256), 4)
    photo = Image.blend(Image.radial_gradient("L"), noise, 0.1).convert("RGB")
    unfiltered = io.BytesIO()
    photo.save(unfiltered, "PNG", compress_level=1)

    assert len(encode_png(frame_of(photo))) < 1.2 * len(unfiltered.getvalue())


@given(frames(), sizes(60), st.sampled_from([ScaleMode.EXACT, ScaleMode.ASPECT_FILL]))
def test_exact_and_fill_have_the_wanted_size(frame: Frame, size: Size, mode: ScaleMode) -> None:
    assert decoded(encode_png(frame, size, mode)).size == (size.width, size.height)


@given(sizes(), sizes())
def test_a_fitted_size_touches_two_sides_and_keeps_proportions(source: Size, into: Size) -> None:
    size = fitted(source, into)

    assert size.width <= into.width
    assert size.height <= into.height
    assert size.width == into.width or size.height == into.height
    scale = max(into.width / source.width, into.height / source.height)
    assert abs(size.width * source.height - size.height * source.width) <= max(
        source.width, source.height, scale * source.width
    )


def test_fit_shows_everything_and_fill_cuts_evenly() -> None:
    wide = Image.new("RGB", (200, 100), "white")
    draw = ImageDraw.Draw(wide)
    draw.rectangle((0, 0, 49, 99), "red")
    draw.rectangle((150, 0, 199, 99), "blue")
    frame = frame_of(wide)

    fit = decoded(encode_png(frame, Size(100, 100), ScaleMode.ASPECT_FIT))
    fill = decoded(encode_png(frame, Size(100, 100), ScaleMode.ASPECT_FILL))

    assert fit.size == (100, 50)
    assert [fit.getpixel((x, 25)) for x in (5, 50, 95)] == [(255, 0, 0), (255, 255, 255), (0, 0, 255)]
    assert fill.size == (100, 100)
    assert [fill.getpixel((x, 50)) for x in (5, 50, 95)] == [(255, 255, 255)] * 3
