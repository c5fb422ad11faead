"""What may stand in front of the program and hold it until it is answered?"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

from clinic.look import FIXED_FONT, PAPER

_BADGE_SIZE_PX = 40


class Dialog(tk.Toplevel):
    """A window that takes the keyboard and the mouse from the rest of the program until it closes."""

    def __init__(self, root: tk.Tk, title: str) -> None:
        super().__init__(root)
        self.withdraw()
        self.title(title)
        self.resizable(False, False)
        self.transient(root)
        self.body = tk.Frame(self, padx=22, pady=18)
        self.body.pack()
        self._root_window = root

    def open(self, focus: tk.Misc) -> None:
        """Show the dialog in the middle of the program, with the keyboard at `focus`."""
        self.update_idletasks()
        x = self._root_window.winfo_rootx() + (self._root_window.winfo_width() - self.winfo_reqwidth()) // 2
        y = self._root_window.winfo_rooty() + (self._root_window.winfo_height() - self.winfo_reqheight()) // 3
        self.geometry(f"+{max(x, 0)}+{max(y, 0)}")
        self.deiconify()
        # A window that is not mapped yet cannot be given the keyboard; the display decides when it is.
        self.wait_visibility()
        self.grab_set()
        focus.focus_force()


def _nothing() -> None:
    pass


class MessageBox(Dialog):
    """One sentence and an OK button; Return and Escape are OK too. `then` is called when it has gone."""

    def __init__(self, root: tk.Tk, title: str, text: str, *, then: Callable[[], None] = _nothing) -> None:
        super().__init__(root, title)
        self._then = then
        self.protocol("WM_DELETE_WINDOW", self._dismiss)
        row = tk.Frame(self.body)
        row.pack()
        _exclamation_badge(row).pack(side=tk.LEFT, padx=(0, 26))
        tk.Label(row, text=text, justify=tk.LEFT).pack(side=tk.LEFT)
        self.ok = tk.Button(self.body, text="OK", width=8, command=self._dismiss)
        self.ok.pack(pady=(18, 0))
        for key in ("<Return>", "<KP_Enter>", "<Escape>"):
            self.bind(key, lambda _: self._dismiss())
        self.open(self.ok)

    def _dismiss(self) -> None:
        self.destroy()
        self._then()


class PleaseWait(Dialog):
    """What the program shows while it pretends to ask a slow server. It closes when the work is done."""

    def __init__(self, root: tk.Tk) -> None:
        super().__init__(root, "Clinic Manager")
        self.protocol("WM_DELETE_WINDOW", lambda: None)
        tk.Label(self.body, text="Please wait", padx=40, pady=10).pack()
        self.open(self)


class TextWindow(Dialog):
    """A report on white paper; Close, Return and Escape put it away."""

    def __init__(self, root: tk.Tk, title: str, text: str) -> None:
        super().__init__(root, title)
        lines = text.splitlines()
        paper = tk.Text(
            self.body,
            font=FIXED_FONT,
            background=PAPER,
            width=max(50, *(len(line) + 2 for line in lines)),
            height=min(30, len(lines) + 1),
            padx=10,
            pady=8,
        )
        paper.insert("1.0", text)
        paper.configure(state=tk.DISABLED)
        paper.pack()
        close = tk.Button(self.body, text="Close", width=8, command=self.destroy)
        close.pack(pady=(14, 0))
        for key in ("<Return>", "<Escape>"):
            self.bind(key, lambda _: self.destroy())
        self.open(close)


def _exclamation_badge(parent: tk.Misc) -> tk.Canvas:
    canvas = tk.Canvas(parent, width=_BADGE_SIZE_PX, height=_BADGE_SIZE_PX, highlightthickness=0)
    canvas.create_polygon(20, 3, 38, 36, 2, 36, fill="#f4d03f", outline="#000000", width=2)
    canvas.create_line(20, 14, 20, 25, width=4)
    canvas.create_oval(18, 28, 22, 32, fill="#000000")
    return canvas
