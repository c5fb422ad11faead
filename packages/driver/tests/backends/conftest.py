"""One virtual desktop for the whole session; a fresh backend for each test."""

from collections.abc import Iterator

import pytest
from cyberdriver.backends.base import Size
from cyberdriver.backends.x11 import X11Backend
from cyberdriver.desktop import VirtualDesktop


@pytest.fixture(scope="session")
def desktop() -> Iterator[VirtualDesktop]:
    with VirtualDesktop(Size(1024, 768)) as desktop:
        yield desktop


@pytest.fixture
def x11(desktop: VirtualDesktop) -> Iterator[X11Backend]:
    with X11Backend(desktop.display, xauthority=desktop.xauthority) as backend:
        yield backend
