"""The clipboard, filled by a program that is not ours."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cyberdriver.backends.keys import parse_keys
from cyberdriver.backends.x11 import X11Backend
from cyberdriver.backends.x11.connection import Connection
from cyberdriver.desktop import VirtualDesktop
from cyberdriver.testing import EventWindow, eventually

Copy = Callable[[str], None]


@pytest.fixture
def copy(desktop: VirtualDesktop) -> Iterator[Copy]:
    with desktop.open_backend() as backend:

        def run(text: str) -> None:
            backend.clear_clipboard()
            subprocess.run(
                ["xclip", "-selection", "clipboard"],
                input=text.encode(),
                env=desktop.environment,
                stdout=subprocess.DEVNULL,
                check=True,
                timeout=30,
            )
            # xclip goes on in the background and may be the owner only after it has returned.
            backend.clipboard_text(20.0)

        yield run
        backend.clear_clipboard()


@pytest.mark.parametrize("text", ["plain", "żółw € 漢 😀\nsecond line", ""])
def test_text_of_any_script_is_read(x11: X11Backend, copy: Copy, text: str) -> None:
    copy(text)

    assert x11.clipboard_text(10.0) == text


def test_a_text_larger_than_one_request_is_read(x11: X11Backend, copy: Copy) -> None:
    text = "żółw 漢字 " * 200_000
    copy(text)

    assert x11.clipboard_text(30.0) == text


def test_a_clipboard_without_text_is_none(x11: X11Backend, desktop: VirtualDesktop, tmp_path: Path) -> None:
    script = (
        "import sys, tkinter; from pathlib import Path; window = tkinter.Tk(); window.clipboard_clear(); "
    )
    script += "window.clipboard_append('no text', type='IMAGE'); window.update(); "
    script += "Path(sys.argv[1]).touch(); window.mainloop()"
    owner = desktop.run([sys.executable, "-c", script, str(tmp_path / "ready")])
    assert eventually((tmp_path / "ready").exists)

    assert x11.clipboard_text(20.0) is None

    owner.close()


def test_a_cleared_clipboard_is_empty(x11: X11Backend, copy: Copy) -> None:
    copy("text")

    x11.clear_clipboard()

    assert x11.clipboard_text(0.0) is None


def test_text_that_comes_while_we_wait_is_read(x11: X11Backend, copy: Copy) -> None:
    x11.clear_clipboard()
    later = threading.Timer(0.1, copy, ["late"])
    later.start()

    text = x11.clipboard_text(30.0)
    later.join()

    assert text == "late"


def test_an_owner_that_never_answers_does_not_hold_us(x11: X11Backend, desktop: VirtualDesktop) -> None:
    with closing(Connection(desktop.display, desktop.xauthority)) as silent:
        with silent.operation("test") as display:
            window = silent.lib.x11.XCreateSimpleWindow(display, silent.root, 0, 0, 1, 1, 0, 0, 0)
            silent.lib.x11.XSetSelectionOwner(display, silent.atom("CLIPBOARD"), window, 0)

        assert x11.clipboard_text(0.1) is None


def test_the_answer_to_a_question_given_up_is_not_the_answer_to_the_next(
    x11: X11Backend, desktop: VirtualDesktop, tmp_path: Path
) -> None:
    with EventWindow(desktop, tmp_path, text="first") as window:
        x11.press(parse_keys("ctrl+slash ctrl+c"))
        assert x11.clipboard_text(10.0) == "first"
        window.pause()
        assert x11.clipboard_text(0.1) is None
        window.resume()
        x11.type_text("second")
        assert window.text_once("second") == "second"
        x11.press(parse_keys("ctrl+slash ctrl+c"))

        assert eventually(lambda: x11.clipboard_text(10.0) == "second")
