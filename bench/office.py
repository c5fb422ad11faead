"""An office-like screen to take pictures of: menus, a toolbar, a sidebar, a sheet full of text, a status bar.

    python -m bench.office 1920x1080 --busy

With `--busy` a counter in the status bar changes all the time, so that no two pictures are the same.
"""

import sys
import tkinter as tk
from itertools import cycle

FACE = "#e8e8e8"
BUSY_MILLISECONDS = 15
ROW_PIXELS = 22
COLUMN_PIXELS = 110
WORDS = ("Invoice", "2030-01-17", "1,204.50", "Doe, John", "open", "EUR", "4711-A", "North", "follow up", "")


def main() -> None:
    width, height = (int(side) for side in sys.argv[1].split("x"))
    root = tk.Tk()
    root.title("Ledger")
    root.attributes("-fullscreen", True)
    root.configure(background=FACE)
    _bar(root, ("File", "Edit", "View", "Insert", "Format", "Data", "Window", "Help"), relief=tk.FLAT)
    _bar(root, ("New", "Open", "Save", "Print", "Undo", "Redo", "Find", "Sum"), relief=tk.RAISED)
    counter = tk.StringVar(value="ready")
    tk.Label(root, textvariable=counter, anchor=tk.W, background=FACE, relief=tk.SUNKEN).pack(
        side=tk.BOTTOM, fill=tk.X
    )
    _sidebar(root)
    _sheet(root, width, height)
    if "--busy" in sys.argv:
        _count(root, counter, 0)
    root.mainloop()


def _bar(root: tk.Tk, names: tuple[str, ...], *, relief: str) -> None:
    bar = tk.Frame(root, background=FACE, borderwidth=1, relief="raised")
    bar.pack(side=tk.TOP, fill=tk.X)
    for name in names:
        tk.Label(bar, text=name, background=FACE, relief=relief, padx=8, pady=3).pack(side=tk.LEFT)  # type: ignore[arg-type]


def _sidebar(root: tk.Tk) -> None:
    names = tk.Listbox(root, width=24, background="white", font=("DejaVu Sans", -13))
    for number in range(80):
        names.insert(tk.END, f"{2030 - number // 12} / {number % 12 + 1:02} Ledger")
    names.pack(side=tk.LEFT, fill=tk.Y)


def _sheet(root: tk.Tk, width: int, height: int) -> None:
    sheet = tk.Canvas(root, background="white", highlightthickness=0)
    sheet.pack(side=tk.LEFT, fill=tk.BOTH, expand=True)
    words = cycle(WORDS)
    for top in range(0, height, ROW_PIXELS):
        sheet.create_line(0, top, width, top, fill="#d0d0d0")
        for left in range(0, width, COLUMN_PIXELS):
            sheet.create_text(left + 6, top + 4, text=next(words), anchor=tk.NW, font=("DejaVu Sans", -13))
    for left in range(0, width, COLUMN_PIXELS):
        sheet.create_line(left, 0, left, height, fill="#d0d0d0")


def _count(root: tk.Tk, counter: tk.StringVar, number: int) -> None:
    counter.set(f"record {number:07} of 9999999")
    root.after(BUSY_MILLISECONDS, _count, root, counter, number + 1)


if __name__ == "__main__":
    main()
