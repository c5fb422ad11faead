"""`python -m clinic` with this folder's parent on the path, or `python demo/clinic` from anywhere."""

from __future__ import annotations

import argparse
import os
import sys
import tkinter as tk
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # started as a folder: only the folder itself is on the path
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from clinic.application import Clinic
from clinic.generated import generated_register
from clinic.login import Credentials

DEFAULT_USER = "clinic"
DEFAULT_PASSWORD = "legacy"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program until it is closed. Exit status 0, or 1 without a display, or 2 for a wrong option."""
    options = _options(arguments)
    try:
        root = tk.Tk()
    except tk.TclError as problem:
        print(f"clinic: cannot open a window: {problem}", file=sys.stderr)
        return 1
    _size(root, options.size)
    application = Clinic(root, generated_register(), options.login)
    root.update()
    application.ask_for_login()
    root.mainloop()
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="clinic", description="A small legacy clinic program with invented patients."
    )
    parser.add_argument(
        "--size", type=_parsed_size, metavar="WxH", help="window size in pixels; default: the screen"
    )
    parser.add_argument(
        "--login",
        type=_parsed_login,
        metavar="USER:PASSWORD",
        default=Credentials(DEFAULT_USER, os.environ.get("CLINIC_PASSWORD", DEFAULT_PASSWORD)),
        help=f"the only account; default: {DEFAULT_USER} and $CLINIC_PASSWORD (or {DEFAULT_PASSWORD!r})",
    )
    return parser.parse_args(arguments)


def _parsed_size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 1280x800")
    return int(width), int(height)


def _parsed_login(text: str) -> Credentials:
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise argparse.ArgumentTypeError("must be a user and a password with a colon between them")
    return Credentials(user, password)


def _size(root: tk.Tk, size: tuple[int, int] | None) -> None:
    width, height = size or (root.winfo_screenwidth(), root.winfo_screenheight())
    root.geometry(f"{width}x{height}+0+0")
    if size is None:
        # A window manager that knows the word also leaves room for its own title bar.
        root.attributes("-zoomed", True)


if __name__ == "__main__":
    raise SystemExit(main())
