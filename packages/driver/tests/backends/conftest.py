"""One virtual desktop for the whole session; a fresh backend for each test."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

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


@pytest.fixture
def let_sleep(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has a module of the X11 backend sleep in another way, and it alone: threads beside it sleep as ever."""

    def let(module: str, sleep: Callable[[float], object]) -> None:
        clock = SimpleNamespace(monotonic=time.monotonic, sleep=sleep)
        monkeypatch.setattr(f"cyberdriver.backends.x11.{module}.time", clock)

    return let
