"""What does a program in a terminal receive, byte for byte?

Run it inside a terminal emulator: every byte typed is appended to a file at once. It ends at the byte of
`--end` (ctrl+d), which is recorded too, or when the terminal closes.

    xterm -e python byte_recorder.py typed.bin
"""

from __future__ import annotations

import argparse
import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

READY = "recording"
"""What it prints when the terminal is raw: nothing typed after it appears is lost or translated."""
_CHUNK_BYTES = 4096
_CTRL_D = 0x04


def main() -> int:
    parser = argparse.ArgumentParser(description="Append every byte that the terminal delivers to a file.")
    parser.add_argument("file", help="where the bytes are appended; made if it is not there")
    parser.add_argument(
        "--end", type=int, default=_CTRL_D, metavar="BYTE", help="the byte that ends the recording"
    )
    options = parser.parse_args()
    if not sys.stdin.isatty():
        print("byte_recorder: standard input is not a terminal", file=sys.stderr)
        return 2
    with open(options.file, "ab", buffering=0) as file, _raw(sys.stdin.fileno()) as terminal:
        print(READY, end="\r\n", flush=True)
        for chunk in _chunks(terminal):
            file.write(chunk)
            if options.end in chunk:
                break
    return 0


@contextmanager
def _raw(terminal: int) -> Iterator[int]:
    before = termios.tcgetattr(terminal)
    tty.setraw(terminal)
    try:
        yield terminal
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _chunks(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            chunk = os.read(terminal, _CHUNK_BYTES)
        except OSError:  # the terminal emulator was closed
            return
        if not chunk:
            return
        yield chunk


if __name__ == "__main__":
    raise SystemExit(main())
