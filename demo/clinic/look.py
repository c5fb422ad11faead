"""How does the program look? Grey, bevelled and square: set once, so that no view names a colour."""

from __future__ import annotations

import tkinter as tk
from dataclasses import dataclass

FACE = "#dedbd3"
"""The grey of every surface."""
PAPER = "#ffffff"
"""The ground of fields and tables."""
STRIPE = "#f1efea"
"""The ground of lists and of every second line of a table."""
INK = "#000000"
HEADING_INK = "#000060"
CHOSEN = "#b4c3da"
"""The ground of the chosen line of a list."""
DESK = "#c9c5bb"
"""What shows before anybody has logged in."""

# The names of fonts of the program.
PLAIN_FONT = "ClinicPlain"
BOLD_FONT = "ClinicBold"
HEADING_FONT = "ClinicHeading"
TITLE_FONT = "ClinicTitle"
FIXED_FONT = "ClinicFixed"
FIXED_BOLD_FONT = "ClinicFixedBold"

_FONTS = {
    PLAIN_FONT: ("DejaVu Sans", 15, "normal"),
    BOLD_FONT: ("DejaVu Sans", 15, "bold"),
    HEADING_FONT: ("DejaVu Sans", 16, "bold"),
    TITLE_FONT: ("DejaVu Sans", 24, "bold"),
    FIXED_FONT: ("DejaVu Sans Mono", 14, "normal"),
    FIXED_BOLD_FONT: ("DejaVu Sans Mono", 14, "bold"),
}
"""Family, size in pixels, weight."""


@dataclass(frozen=True, slots=True)
class Look:
    """What of the look may be chosen."""

    face: str = FACE
    larger_px: int = 0
    """How much larger all letters are."""


USUAL_LOOK = Look()


def dress(root: tk.Tk, look: Look = USUAL_LOOK) -> None:
    """Give every widget made after this call the look of the program."""
    for name, (family, size, weight) in _FONTS.items():
        # Negative for Tk: pixels, so that it looks the same whatever the display says about its density.
        size_px = -(size + look.larger_px)
        root.tk.call("font", "create", name, "-family", family, "-size", size_px, "-weight", weight)
    root.configure(background=look.face)
    # Tk on X moves to the start of the line instead; the program is one that came from Windows.
    root.event_delete("<<LineStart>>", "<Control-a>")
    root.event_add("<<SelectAll>>", "<Control-a>")
    for pattern, value in (
        ("*Font", PLAIN_FONT),
        ("*Background", look.face),
        ("*Foreground", INK),
        ("*activeBackground", look.face),
        ("*activeForeground", INK),
        ("*highlightBackground", look.face),
        ("*highlightColor", "#8a867c"),
        ("*Button.borderWidth", 2),
        ("*Button.padX", 14),
        ("*Button.padY", 3),
        ("*Button.highlightThickness", 1),
        ("*Entry.background", PAPER),
        ("*Entry.borderWidth", 2),
        ("*Entry.relief", tk.SUNKEN),
        ("*Entry.highlightThickness", 0),
        ("*Entry.selectBackground", HEADING_INK),
        ("*Entry.selectForeground", PAPER),
        ("*Listbox.background", STRIPE),
        ("*Listbox.borderWidth", 2),
        ("*Listbox.highlightThickness", 0),
        ("*Listbox.selectBackground", CHOSEN),
        ("*Listbox.selectForeground", INK),
        ("*Menu.activeBackground", HEADING_INK),
        ("*Menu.activeForeground", PAPER),
        ("*Menu.activeBorderWidth", 0),
        ("*Menu.borderWidth", 1),
        ("*Menu.tearOff", 0),
        ("*Text.background", PAPER),
        ("*Text.borderWidth", 2),
        ("*Text.highlightThickness", 0),
    ):
        root.option_add(pattern, value)


def heading(parent: tk.Misc, text: str) -> tk.Frame:
    """A section's name with an engraved line under it; the caller places it."""
    frame = tk.Frame(parent)
    tk.Label(frame, text=text, font=HEADING_FONT, foreground=HEADING_INK).pack(anchor=tk.W)
    tk.Frame(frame, height=2, borderwidth=1, relief=tk.SUNKEN).pack(fill=tk.X)
    return frame
