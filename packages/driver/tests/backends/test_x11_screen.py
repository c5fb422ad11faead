"""What an X screen shows, and how large it is."""

import ctypes
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cyberdriver.backends.base import Box, Frame, Point, Size
from cyberdriver.backends.x11 import X11Backend
from cyberdriver.backends.x11.connection import Connection
from cyberdriver.desktop import VirtualDesktop
from cyberdriver.testing import EventWindow
from PIL import Image


@pytest.fixture(params=[True, False], ids=["shared memory", "copied"])
def backend(request: pytest.FixtureRequest, desktop: VirtualDesktop) -> Iterator[X11Backend]:
    with X11Backend(desktop.display, xauthority=desktop.xauthority, share_memory=request.param) as backend:
        assert backend.uses_shared_memory == request.param
        yield backend


@pytest.fixture
def picture() -> Image.Image:
    bands = [Image.effect_noise((120, 80), 100) for _ in range(3)]
    return Image.merge("RGB", bands)


def pixels(frame: Frame) -> bytes:
    return Image.frombytes("RGB", (frame.size.width, frame.size.height), frame.bgrx, "raw", "BGRX").tobytes()


def test_a_capture_is_what_is_painted(
    backend: X11Backend, desktop: VirtualDesktop, tmp_path: Path, picture: Image.Image
) -> None:
    picture.save(tmp_path / "picture.png")

    with EventWindow(desktop, tmp_path, corner=Point(300, 200), picture=tmp_path / "picture.png"):
        part = backend.capture(Box(300, 200, 120, 80))
        whole = backend.capture()

    assert pixels(part) == picture.tobytes()
    assert whole.size == desktop.size
    cut = Image.frombytes("RGB", (1024, 768), whole.bgrx, "raw", "BGRX").crop((300, 200, 420, 280))
    assert cut.tobytes() == picture.tobytes()


def test_the_version_changes_exactly_with_the_pixels(
    backend: X11Backend, desktop: VirtualDesktop, tmp_path: Path, picture: Image.Image
) -> None:
    picture.save(tmp_path / "picture.png")

    empty = [backend.capture(), backend.capture()]
    with EventWindow(desktop, tmp_path, picture=tmp_path / "picture.png"):
        painted = [backend.capture(), backend.capture()]

    assert empty[0].version == empty[1].version
    assert painted[0].version == painted[1].version == empty[0].version + 1


def test_a_frame_never_changes_afterwards(
    backend: X11Backend, desktop: VirtualDesktop, tmp_path: Path, picture: Image.Image
) -> None:
    picture.save(tmp_path / "picture.png")
    before = backend.capture()
    copy = bytes(bytearray(before.bgrx))

    with EventWindow(desktop, tmp_path, picture=tmp_path / "picture.png"):
        backend.capture()

    assert before.bgrx == copy


def test_a_region_is_clipped_to_the_screen(backend: X11Backend) -> None:
    sizes = [
        backend.capture(box).size
        for box in (Box(1000, 700, 100, 100), Box(-10, -10, 30, 20), Box(5000, 5000, 10, 10))
    ]

    assert sizes == [Size(24, 68), Size(20, 10), Size(0, 0)]


def test_a_screen_of_another_size_is_followed() -> None:
    with VirtualDesktop(Size(800, 600)) as desktop, desktop.open_backend() as backend:
        frames = [backend.capture()]
        for size in (Size(640, 400), Size(800, 600)):
            resize(desktop, size)
            assert backend.size() == size
            frames.append(backend.capture())
        backend.move(Point(9999, 9999))

        assert [frame.size for frame in frames] == [Size(800, 600), Size(640, 400), Size(800, 600)]
        assert [frame.version for frame in frames] == [1, 2, 3]
        assert backend.pointer() == Point(799, 599)


def resize(desktop: VirtualDesktop, size: Size) -> None:
    """The screen gets another size, as `xrandr --fb` does it."""
    randr = ctypes.CDLL("libXrandr.so.2")
    randr.XRRGetScreenResources.restype = ctypes.POINTER(_ScreenResources)
    randr.XRRGetScreenResources.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
    randr.XRRSetScreenSize.argtypes = [ctypes.c_void_p, ctypes.c_ulong, *[ctypes.c_int] * 4]
    with (
        closing(Connection(desktop.display, desktop.xauthority)) as connection,
        connection.operation("resize") as display,
    ):
        resources = randr.XRRGetScreenResources(display, connection.root)
        randr.XRRSetCrtcConfig(
            ctypes.c_void_p(display),
            resources,
            ctypes.c_ulong(resources.contents.crtcs[0]),
            ctypes.c_ulong(0),
            0,
            0,
            ctypes.c_ulong(0),
            ctypes.c_ushort(1),
            None,
            0,
        )
        randr.XRRSetScreenSize(display, connection.root, size.width, size.height, 300, 200)


class _ScreenResources(ctypes.Structure):
    _fields_ = (
        ("timestamp", ctypes.c_ulong),
        ("config_timestamp", ctypes.c_ulong),
        ("crtc_count", ctypes.c_int),
        ("crtcs", ctypes.POINTER(ctypes.c_ulong)),
    )
