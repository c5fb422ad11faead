"""Does a text arrive as it was typed? A terminal tells, byte for byte."""

import sys
from collections.abc import Callable
from contextlib import closing
from difflib import SequenceMatcher
from pathlib import Path
from string import ascii_letters, digits, punctuation
from tempfile import TemporaryDirectory

from cyberdesk_server.testing.programs import until
from cyberdriver.backends.base import Backend
from cyberdriver.backends.keys import parse_keys
from cyberdriver.desktop import VirtualDesktop
from cyberdriver.testing import wait_for_window

RECORDER = Path(__file__).parents[1] / "tests" / "acceptance" / "programs" / "byte_recorder.py"
END = b"\x04"
TITLE = "byte recorder"

ASCII = f"{ascii_letters} {digits} {punctuation}"
UNICODE = "Zażółć gęślą jaźń, Ünïcödé, Жук, Ωμέγα, 漢字かな, € ≠ “” 😀"

_XTERM = ["xterm", "-u8", "-fn", "fixed", "-xrm", "*utf8Title: true", "-e"]

# A title has to be set from inside to reach the window manager in UTF-8, where `wait_for_window` looks.
_RECORDING = f'printf "\\033]2;{TITLE}\\007" >/dev/tty; exec "$0" "$1" "$2" >"$3"'


def arriving(desktop: VirtualDesktop, backend: Backend, type_text: Callable[[str], object], text: str) -> str:
    """What a new terminal receives when `type_text` types the text; the backend only ends the recording."""
    with TemporaryDirectory() as name:
        record, ready = Path(name, "typed"), Path(name, "ready")
        recorder = ["sh", "-c", _RECORDING, sys.executable, str(RECORDER), str(record), str(ready)]
        terminal = desktop.run([*_XTERM, *recorder], environment={"LC_ALL": "C.UTF-8"})
        with closing(terminal):
            until(lambda: ready.exists() and ready.read_bytes(), what="the recorder")
            wait_for_window(desktop, TITLE)
            type_text(text)
            backend.press(parse_keys("ctrl+d"))
            until(lambda: record.read_bytes().endswith(END), what="the end of the recording")
        return record.read_bytes().removesuffix(END).decode(errors="replace")


def percent_exact(sent: str, received: str) -> float:
    """How much of all that was sent and all that was received is the same, in the same order."""
    blocks = SequenceMatcher(None, sent, received, autojunk=False).get_matching_blocks()
    return 100 * sum(block.size for block in blocks) / max(len(sent), len(received))
