"""Typing into real programs on a real X display: what arrives is what was typed."""

import os
import signal
import subprocess
import threading
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cyberdriver.backends.base import UnsupportedCharacter
from cyberdriver.backends.keys import parse_keys
from cyberdriver.backends.x11 import X11Backend
from cyberdriver.backends.x11._xlib import LOCK_MASK, XKB_USE_CORE_KEYBOARD
from cyberdriver.backends.x11.connection import Connection
from cyberdriver.backends.x11.layout import KeyTableReader
from cyberdriver.backends.x11.spares import SETTLE_SECONDS
from cyberdriver.desktop import Program, VirtualDesktop
from cyberdriver.testing import EventWindow, RecordingTerminal, wait_for_window
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow

ALL_OF_ASCII = "".join(map(chr, range(0x20, 0x7F)))
MIXED = "aB<>żółw ŁÓDŹ € 漢字 😀 e\u0301 ~^`'\"\tй Я\n"


@pytest.fixture
def terminal(desktop: VirtualDesktop, tmp_path: Path) -> Iterator[RecordingTerminal]:
    with RecordingTerminal(desktop, tmp_path) as terminal:
        yield terminal


@pytest.fixture
def connection(desktop: VirtualDesktop) -> Iterator[Connection]:
    connection = Connection(desktop.display, desktop.xauthority)
    yield connection
    connection.close()


class Layouts:
    """The keyboard layouts of a display."""

    def __init__(self, desktop: VirtualDesktop, connection: Connection) -> None:
        self._desktop = desktop
        self._connection = connection

    def choose(self, layout: str, group: int) -> None:
        """Several layouts, separated by commas, are groups; a number beyond them is one of them too."""
        subprocess.run(["setxkbmap", layout], env=self._desktop.environment, check=True, timeout=30)
        with self._connection.operation("test") as display:
            self._connection.lib.x11.XkbLockGroup(display, XKB_USE_CORE_KEYBOARD, group)


@pytest.fixture
def layouts(desktop: VirtualDesktop, connection: Connection) -> Iterator[Layouts]:
    layouts = Layouts(desktop, connection)
    yield layouts
    layouts.choose("us", 0)


def sent_by_a_terminal(text: str) -> bytes:
    return text.replace("\n", "\r").replace("\b", "\x08").encode()


def keyboard_of(connection: Connection) -> dict[int, tuple[int, ...]]:
    with connection.operation("test"):
        return dict(KeyTableReader(connection).read().rows)


def caps_lock_is_on(connection: Connection) -> bool:
    with connection.operation("test"):
        return bool(KeyTableReader(connection).state().locked_mods & LOCK_MASK)


def lock_caps(connection: Connection, *, on: bool) -> None:
    with connection.operation("test") as display:
        connection.lib.x11.XkbLockModifiers(display, XKB_USE_CORE_KEYBOARD, LOCK_MASK, LOCK_MASK * on)


@pytest.mark.parametrize("text", [ALL_OF_ASCII, MIXED])
def test_a_terminal_gets_every_character_a_hundred_times(
    x11: X11Backend, terminal: RecordingTerminal, text: str
) -> None:
    expected = sent_by_a_terminal(text) * 100

    for _ in range(100):
        x11.type_text(text)

    assert terminal.received(len(expected)) == expected


@pytest.mark.parametrize(
    ("layout", "group"),
    [("pl", 0), ("de", 0), ("fr", 0), ("ru", 0), ("jp", 0), ("us,ru,gr", 1), ("us,ru,gr", 2)],
)
def test_every_layout_types_every_character(
    layouts: Layouts, x11: X11Backend, terminal: RecordingTerminal, layout: str, group: int
) -> None:
    layouts.choose(layout, group)
    text = ALL_OF_ASCII + MIXED

    x11.type_text(text)
    x11.press(parse_keys("shift+a ctrl+x + U20AC"))
    x11.type_text(text)

    expected = sent_by_a_terminal(text) + "A\x18+€".encode() + sent_by_a_terminal(text)
    assert terminal.received(len(expected)) == expected


def test_a_text_entry_gets_every_character(x11: X11Backend, desktop: VirtualDesktop, tmp_path: Path) -> None:
    with EventWindow(desktop, tmp_path) as window:
        x11.type_text("zażółć < gęślą > jaźń € 漢 😀")

        assert window.text_once("zażółć < gęślą > jaźń € 漢 😀") == "zażółć < gęślą > jaźń € 漢 😀"


@pytest.fixture
def answer(tmp_path: Path) -> Path:
    return tmp_path / "answer"


@pytest.fixture
def dialog(desktop: VirtualDesktop, answer: Path) -> Iterator[Program]:
    """A GTK dialog with one entry, which prints what is in it."""
    with answer.open("wb") as output:
        dialog = desktop.run(
            ["zenity", "--entry", "--title", "Name"], output=output, environment={"LC_ALL": "C.UTF-8"}
        )
        wait_for_window(desktop, "Name")
        yield dialog
        dialog.close()


def test_a_dialog_of_another_toolkit_gets_every_character(
    x11: X11Backend, dialog: Program, answer: Path
) -> None:
    text = "< ł € 漢 😀 Żółw я"

    for _ in range(100):
        x11.type_text(text)
    x11.press(parse_keys("Return"))

    assert dialog.wait(20.0) == 0
    assert answer.read_text().splitlines()[-1] == text * 100


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), min_size=1, max_size=30
    )
)
def test_any_text_arrives(x11: X11Backend, terminal: RecordingTerminal, text: str) -> None:
    before = len(terminal.received(0))
    expected = sent_by_a_terminal(text)

    x11.type_text(text)

    assert terminal.received(before + len(expected))[before:] == expected


def test_more_different_characters_than_spare_keys_arrive(
    x11: X11Backend, terminal: RecordingTerminal
) -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    expected = sent_by_a_terminal(text)

    x11.type_text(text)

    assert terminal.received(len(expected)) == expected


def test_a_program_that_was_asleep_while_we_typed_gets_every_character(
    x11: X11Backend, desktop: VirtualDesktop, tmp_path: Path
) -> None:
    with EventWindow(desktop, tmp_path) as window:
        window.pause()
        x11.type_text("żółw 漢")
        x11.type_text("ęą 字")
        window.resume()

        assert window.text_once("żółw 漢ęą 字") == "żółw 漢ęą 字"


def test_a_refused_character_means_that_nothing_is_typed(
    x11: X11Backend, terminal: RecordingTerminal
) -> None:
    with pytest.raises(UnsupportedCharacter):
        x11.type_text("abc\x00")
    x11.type_text("z")

    assert terminal.received(1) == b"z"


def test_caps_lock_changes_nothing_and_stays(
    x11: X11Backend, terminal: RecordingTerminal, connection: Connection
) -> None:
    lock_caps(connection, on=True)
    try:
        x11.type_text("aBż")
        x11.press(parse_keys("c shift+d"))

        assert terminal.received(6) == "aBżcD".encode()
        assert caps_lock_is_on(connection)
    finally:
        lock_caps(connection, on=False)


def test_the_caps_lock_key_toggles_it(x11: X11Backend, connection: Connection) -> None:
    x11.press(parse_keys("caps_lock"))
    was_on = caps_lock_is_on(connection)
    x11.press(parse_keys("caps_lock"))

    assert (was_on, caps_lock_is_on(connection)) == (True, False)


def test_every_key_is_given_back(desktop: VirtualDesktop, connection: Connection) -> None:
    before = keyboard_of(connection)

    with X11Backend(desktop.display, xauthority=desktop.xauthority) as backend:
        backend.type_text("".join(map(chr, range(0x4E00, 0x4E00 + 60))))
        during = keyboard_of(connection)

    assert during != before
    assert normal(keyboard_of(connection)) == normal(before)


def normal(keyboard: dict[int, tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
    """Without trailing columns that are empty: the server may keep more of them than before."""
    return {
        keycode: tuple(row[: max((at + 1 for at, keysym in enumerate(row) if keysym), default=0)])
        for keycode, row in keyboard.items()
    }


def test_keys_of_a_driver_that_was_killed_are_taken_over(
    desktop: VirtualDesktop, connection: Connection
) -> None:
    before = keyboard_of(connection)
    killed = X11Backend(desktop.display, xauthority=desktop.xauthority)
    killed.type_text("漢字")

    with X11Backend(desktop.display, xauthority=desktop.xauthority) as backend:
        lent = keyboard_of(connection)
        backend.type_text("字漢")
        assert keyboard_of(connection) == lent

    assert normal(keyboard_of(connection)) == normal(before)
    killed.close()


def test_a_busy_program_that_answers_pings_is_waited_for(
    x11: X11Backend, dialog: Program, answer: Path
) -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    os.kill(dialog.pid, signal.SIGSTOP)
    waking = threading.Timer(1.5, os.kill, [dialog.pid, signal.SIGCONT])
    waking.start()

    x11.type_text(text)
    x11.press(parse_keys("Return"))

    waking.join()
    assert dialog.wait(20.0) == 0
    assert answer.read_text().splitlines()[-1] == text


def test_a_spare_key_rests_when_the_program_answers_no_pings(
    x11: X11Backend, terminal: RecordingTerminal, let_sleep: Callable[..., None]
) -> None:
    pauses: list[float] = []
    let_sleep("spares", pauses.append)

    x11.type_text("".join(map(chr, range(0x5000, 0x5000 + 60))))
    few = len(pauses)
    x11.type_text("".join(map(chr, range(0x6000, 0x6000 + 300))))

    assert max(pauses[:few]) < SETTLE_SECONDS / 2
    assert SETTLE_SECONDS / 2 < max(pauses[few:]) <= SETTLE_SECONDS


def test_every_character_of_the_test_text_is_assigned() -> None:
    assert all(unicodedata.category(character) != "Cn" for character in MIXED)
