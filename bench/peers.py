"""Our screenshots, clicks and typing beside the ways of the vendor's published driver, in the same minute.

Both do the same on the same desktop in turns, so that whatever else the machine does hits both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

from cyberdriver.backends.base import Backend, Button, Point, Size
from cyberdriver.backends.png import encode_png
from cyberdriver.desktop import VirtualDesktop
from cyberdriver.testing import EventWindow, eventually

from bench import fidelity, vendor_way
from bench.desktops import busy_office
from bench.goals import Floor, Goal, tell

SCREENS = (Size(1024, 768), Size(1920, 1080))
SCREENSHOTS = 30
SCREENSHOT_PAUSE_SECONDS = 0.02
"""Between two samples, so that the busy screen has changed."""

CLICKS = 200
CLICK_PAUSE_SECONDS = 0.005
"""Between two samples, so that the desktop has done with the click before, whoever made it."""

CLICK_AT = Point(250, 220)
WARM_UP_SAMPLES = 3

TIMES_FASTER_SCREENSHOT = 8
TIMES_FASTER_CLICK = 3
TIMES_THE_BYTES = 1.10
TEXTS = {"ascii": fidelity.ASCII, "unicode": fidelity.UNICODE}


@dataclass(frozen=True, slots=True)
class Pair:
    """The same measured of both."""

    ours: float
    peer: float

    def tell(self, name: str, unit: str) -> None:
        tell(f"{name}_ours_{unit}", self.ours)
        tell(f"{name}_peer_{unit}", self.peer)


def measure() -> None:
    if missing := vendor_way.missing():
        print(f"peers skipped: not installed: {', '.join(missing)}; `make setup` installs them", flush=True)
        return
    print(f"peers {vendor_way.versions()}", flush=True)
    with TemporaryDirectory() as name:
        for size in SCREENS:
            _screenshots(size, Path(name))
        _inputs(Path(name))


def _screenshots(size: Size, folder: Path) -> None:
    with (
        busy_office(size) as desktop,
        desktop.open_backend() as backend,
        vendor_way.acting_on(desktop, folder),
    ):
        taken = _side_by_side(
            lambda: encode_png(backend.capture()),
            vendor_way.screenshot,
            samples=SCREENSHOTS,
            pause_seconds=SCREENSHOT_PAUSE_SECONDS,
        )
        frame = backend.capture()
    kib = Pair(len(encode_png(frame)) / 1024, len(vendor_way.png(frame.size, frame.bgrx)) / 1024)
    taken.tell(f"peers_screenshot_{size}", "ms")
    kib.tell(f"peers_screenshot_{size}", "kib")
    Floor(f"peers_screenshot_{size}_times_faster", TIMES_FASTER_SCREENSHOT).tell(taken.peer / taken.ours)
    Goal(f"peers_screenshot_{size}_times_the_bytes", TIMES_THE_BYTES).tell(kib.ours / kib.peer)


def _inputs(folder: Path) -> None:
    with VirtualDesktop(SCREENS[0]) as desktop, vendor_way.acting_on(desktop, folder):
        hands = vendor_way.hands()  # before our backend is there, which may borrow keys of the keyboard
        with desktop.open_backend() as backend:
            _clicks(desktop, backend, hands, folder)
            _texts(desktop, backend, hands)


def _clicks(desktop: VirtualDesktop, backend: Backend, hands: vendor_way.Hands, folder: Path) -> None:
    with EventWindow(desktop, folder) as window:
        taken = _side_by_side(
            lambda: backend.click(CLICK_AT, Button.LEFT, 1),
            lambda: hands.click(CLICK_AT.x, CLICK_AT.y),
            samples=CLICKS,
            pause_seconds=CLICK_PAUSE_SECONDS,
        )
        released = f"release 1 {CLICK_AT.x} {CLICK_AT.y}"
        clicks = 2 * (WARM_UP_SAMPLES + CLICKS)
        assert eventually(lambda: window.lines.count(released) == clicks), "a click did not arrive"
    taken.tell("peers_click", "ms")
    Floor("peers_click_times_faster", TIMES_FASTER_CLICK).tell(taken.peer / taken.ours)


def _texts(desktop: VirtualDesktop, backend: Backend, hands: vendor_way.Hands) -> None:
    for name, text in TEXTS.items():
        of_peer = fidelity.arriving(desktop, backend, hands.write, text)
        of_ours = fidelity.arriving(desktop, backend, backend.type_text, text)
        exact = Pair(fidelity.percent_exact(text, of_ours), fidelity.percent_exact(text, of_peer))
        exact.tell(f"peers_typed_{name}_exactly", "percent")
        Floor(f"peers_typed_{name}_exactly_percent", 100).tell(exact.ours)


def _side_by_side(
    ours: Callable[[], object], peer: Callable[[], object], *, samples: int, pause_seconds: float
) -> Pair:
    """Medians in milliseconds."""
    taken: dict[Callable[[], object], list[float]] = {ours: [], peer: []}
    for _ in range(WARM_UP_SAMPLES + samples):
        for work, milliseconds in taken.items():
            sleep(pause_seconds)
            began = perf_counter()
            work()
            milliseconds.append(1000 * (perf_counter() - began))
    return Pair(*(median(milliseconds[WARM_UP_SAMPLES:]) for milliseconds in taken.values()))


if __name__ == "__main__":
    measure()
