"""`python -m clinic` with this folder's parent on the path, or `python demo/clinic` from anywhere."""

from __future__ import annotations

import argparse
import os
import sys
import tkinter as tk
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

if not __package__:  # started as a folder: only the folder itself is on the path
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from clinic.application import Clinic
from clinic.drift import Drift, Drifting
from clinic.generated import PATIENT_COUNT, generated_register
from clinic.journal import NOBODY, Journal
from clinic.login import Credentials
from clinic.patients import Query

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
    drift: Drift = options.drift
    _place(root, options.size, drift)
    witness = Journal(root, options.journal) if options.journal else NOBODY
    application = Clinic(
        root,
        drift.register(generated_register(count=options.patients)),
        options.login,
        delays=drift.delays,
        now=drift.now,
        look=drift.whole_look,
        notice=drift.notice,
        refills=drift.refills,
        witness=Drifting(drift, witness),
    )
    root.update()
    if options.at is None:
        application.ask_for_login()
    else:
        options.at.show(application)
    root.update()
    witness.did("begin")
    root.mainloop()
    return 0


@dataclass(frozen=True, slots=True)
class Place:
    """A page to begin at, and the patient it shows."""

    page: str
    patient_id: str = ""

    @classmethod
    def parsed(cls, text: str) -> Place:
        page, _, patient_id = text.partition(":")
        if page not in ("search", "chart", "refills") or not (patient_id or page == "search"):
            raise argparse.ArgumentTypeError(f"{text!r} is no page such as search or chart:12345")
        return cls(page, patient_id)

    def show(self, application: Clinic) -> None:
        patients = application.register.find(Query(patient_id=self.patient_id))
        if self.page == "search":
            application.show_search()
            if patients:
                application.show_found(patients)
        elif self.page == "chart":
            application.show_chart(patients[0])
        else:
            application.show_refills(patients[0])


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
    parser.add_argument(
        "--at",
        type=Place.parsed,
        metavar="PAGE[:ID]",
        help="begin logged in at search, chart:ID or refills:ID",
    )
    parser.add_argument("--patients", type=int, default=PATIENT_COUNT, metavar="N", help="how many there are")
    parser.add_argument(
        "--journal", type=Path, metavar="FILE", help="note what is done, one JSON object a line"
    )
    parser.add_argument(
        "--drift",
        type=_parsed_drift,
        default=Drift(),
        metavar="JSON",
        help="how it is not as usual: members of Drift",
    )
    return parser.parse_args(arguments)


def _parsed_drift(text: str) -> Drift:
    try:
        return Drift.parsed(text)
    except (ValueError, TypeError) as problem:
        raise argparse.ArgumentTypeError(f"{text!r} is no drift: {problem}") from problem


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


def _place(root: tk.Tk, size: tuple[int, int] | None, drift: Drift) -> None:
    if drift.window:
        left, top, width, height = drift.window
        root.geometry(f"{width}x{height}+{left}+{top}")
        return
    width, height = size or (root.winfo_screenwidth(), root.winfo_screenheight())
    root.geometry(f"{width}x{height}+0+0")
    if size is None:
        # A window manager that knows the word also leaves room for its own title bar.
        root.attributes("-zoomed", True)


if __name__ == "__main__":
    raise SystemExit(main())
