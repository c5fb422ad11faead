"""Does a sentence of the step language do what it says? A window with all it can be about.

Every event is appended to a file as one JSON line as soon as it happens:

    {"event": "clicked", "button": "Edit", "row": "Beta"}

    python many_widgets.py events.jsonl --seconds 1.5 --icons folder
"""

from __future__ import annotations

import argparse
import json
import sys
import tkinter as tk
from collections.abc import Callable
from pathlib import Path

FACE = "#e2e2e2"
FONT = ("DejaVu Sans", -15)
ROWS = ("Alpha", "Beta", "Gamma")
LIST_LENGTH = 60
MENU_ENTRIES = ("Copy row", "Delete row")
ICON_SIZE_PX = 32
# One letter a pixel of 2 x 2: k black, b blue, r red, g green. The ground is painted too, so that a saved
# picture is what the screen shows.
ICONS = {
    "disk": (
        "................", ".kkkkkkkkkkkkk..", ".kbbk.....kbbk..", ".kbbk..k..kbbk..", ".kbbk..k..kbbk..",
        ".kbbk.....kbbk..", ".kbbkkkkkkkbbk..", ".kbbbbbbbbbbbk..", ".kbkkkkkkkkkbk..", ".kbk.......kbk..",
        ".kbk.rrrrr.kbk..", ".kbk.......kbk..", ".kbk.rrrrr.kbk..", ".kbk.......kbk..", ".kkkkkkkkkkkkk..",
        "................",
    ),
    "flag": (
        "................", "..kk............", "..kkrrrrrrrr....", "..kkrrrrrrrrrr..", "..kkrrrrrrrrrr..",
        "..kkrrrrrrrrr...", "..kkrrrrrrrr....", "..kkrrrrrr......", "..kk............", "..kk............",
        "..kk............", "..kk............", "..kk............", "..kk............", ".kkkk...........",
        "................",
    ),
    "tree": (
        "................", ".......gg.......", "......gggg......", ".....gggggg.....", "....gggggggg....",
        "...gggggggggg...", "......gggg......", ".....gggggg.....", "....gggggggg....", "...gggggggggg...",
        "..gggggggggggg..", ".......kk.......", ".......kk.......", ".......kk.......", ".....kkkkkk.....",
        "................",
    ),
}  # fmt: skip
_INKS = {".": FACE, "k": "#202020", "b": "#3060b0", "r": "#c03030", "g": "#207030"}

Record = Callable[..., None]


class ManyWidgets:
    """The window; `record` is told of every event, with its facts as named values."""

    def __init__(self, root: tk.Tk, *, record: Record, seconds: float) -> None:
        self.root = root
        self._record = record
        self._delay_ms = round(seconds * 1000)
        self.icons = {name: _drawn(root, rows) for name, rows in ICONS.items()}
        left, right = tk.Frame(root, padx=24, pady=16), tk.Frame(root, padx=24, pady=16)
        left.pack(side=tk.LEFT, fill=tk.Y)
        right.pack(side=tk.LEFT, fill=tk.BOTH, expand=True)
        self._build_rows(left)
        self._build_fields(left)
        self._build_icons(left)
        self._build_late_text(left)
        self._build_list(right)
        self._build_areas(right)
        self._build_drag(right)
        root.bind("<Control-s>", lambda _: record("pressed", keys="ctrl+s"))
        root.bind("<F5>", lambda _: record("pressed", keys="f5"))

    def _build_rows(self, parent: tk.Misc) -> None:
        frame = tk.Frame(parent)
        frame.pack(anchor=tk.W)
        for index, name in enumerate(ROWS):
            tk.Label(frame, text=name, width=8, anchor=tk.W).grid(row=index, column=0, pady=4)
            for column, label in enumerate(("Edit", "OK"), start=1):
                button = tk.Button(frame, text=label, width=8, command=self._clicked(label, row=name))
                button.grid(row=index, column=column, padx=10, pady=4)

    def _build_fields(self, parent: tk.Misc) -> None:
        frame = tk.Frame(parent, pady=14)
        frame.pack(anchor=tk.W)
        for row, name in enumerate(("Subject", "Notes")):
            tk.Label(frame, text=name, width=8, anchor=tk.W).grid(row=row, column=0, pady=5)
            variable = tk.StringVar(frame, value="old subject" if name == "Subject" else "")
            variable.trace_add("write", self._typed(name, variable))
            tk.Entry(frame, textvariable=variable, width=32).grid(row=row, column=1, padx=10, pady=5)
        urgent = tk.BooleanVar(frame)
        tk.Checkbutton(
            frame,
            text="Urgent",
            variable=urgent,
            command=lambda: self._record("checked", box="Urgent", is_checked=urgent.get()),
        ).grid(row=2, column=1, sticky=tk.W, padx=10)
        self._kept = urgent

    def _build_icons(self, parent: tk.Misc) -> None:
        frame = tk.Frame(parent, pady=10)
        frame.pack(anchor=tk.W)
        for name, icon in self.icons.items():
            button = tk.Button(frame, image=icon, padx=4, pady=4, command=self._clicked(name, row="icons"))
            button.pack(side=tk.LEFT, padx=(0, 14))

    def _build_late_text(self, parent: tk.Misc) -> None:
        """Start shows "Loading" at once; after a while it goes and "Report is ready" comes."""
        frame = tk.Frame(parent, pady=10)
        frame.pack(anchor=tk.W)
        tk.Button(frame, text="Start", width=8, command=self._start).pack(side=tk.LEFT)
        self._late = tk.Label(frame, text="", padx=24)
        self._late.pack(side=tk.LEFT)

    def _build_list(self, parent: tk.Misc) -> None:
        frame = tk.Frame(parent)
        frame.pack(anchor=tk.W)
        scrollbar = tk.Scrollbar(frame)
        scrollbar.pack(side=tk.RIGHT, fill=tk.Y)
        items = [f"Item {number:02}" for number in range(1, LIST_LENGTH + 1)]
        self._list = tk.Listbox(frame, width=36, height=8, activestyle=tk.NONE)
        self._list.insert(tk.END, *items)
        self._list.pack(side=tk.LEFT)
        scrollbar.configure(command=self._list.yview)
        self._first_visible = "Item 01"

        def scrolled(first: str, last: str) -> None:
            scrollbar.set(first, last)
            top = items[round(float(first) * LIST_LENGTH)]
            if top != self._first_visible:
                self._first_visible = top
                self._record("scrolled", first_visible=top)

        self._list.configure(yscrollcommand=scrolled)  # type: ignore[arg-type]  # Tk hands over text, whatever typeshed says

        self._list.bind("<<ListboxSelect>>", lambda _: self._selected(items))

    def _build_areas(self, parent: tk.Misc) -> None:
        frame = tk.Frame(parent, pady=16)
        frame.pack(anchor=tk.W)
        double = _area(frame, "Double click here")
        double.bind("<Double-Button-1>", lambda _: self._record("double_clicked", area="Double click here"))
        right = _area(frame, "Right click here")
        menu = tk.Menu(self.root, tearoff=False)
        for label in MENU_ENTRIES:
            menu.add_command(label=label, command=lambda label=label: self._record("chosen", entry=label))  # type: ignore[misc]
        right.bind("<Button-3>", lambda event: self._popped_up(menu, event))

    def _build_drag(self, parent: tk.Misc) -> None:
        canvas = tk.Canvas(
            parent, width=440, height=150, background="#ffffff", borderwidth=2, relief=tk.SUNKEN
        )
        canvas.pack(anchor=tk.W)
        target = canvas.create_rectangle(300, 30, 420, 120, fill="#e8f0e4", outline="#5a7a50", width=2)
        canvas.create_text(360, 75, text="Drop here", font=FONT)
        canvas.create_rectangle(30, 50, 130, 100, fill="#f2e6c8", outline="#8a7440", width=2, tags="piece")
        canvas.create_text(80, 75, text="Drag me", font=FONT, tags="piece")
        _Drag(canvas, target, self._record)

    def _clicked(self, label: str, *, row: str) -> Callable[[], None]:
        return lambda: self._record("clicked", button=label, row=row)

    def _typed(self, field: str, variable: tk.StringVar) -> Callable[..., None]:
        return lambda *_: self._record("typed", field=field, text=variable.get())

    def _selected(self, items: list[str]) -> None:
        for index in self._list.curselection():  # type: ignore[no-untyped-call]
            self._record("selected", item=items[index])

    def _popped_up(self, menu: tk.Menu, event: tk.Event[tk.Label]) -> None:
        self._record("right_clicked", area="Right click here")
        menu.tk_popup(event.x_root, event.y_root)

    def _start(self) -> None:
        self._record("clicked", button="Start", row="late text")
        self._late.configure(text="Loading")
        self.root.after(self._delay_ms, self._finish)

    def _finish(self) -> None:
        self._late.configure(text="Report is ready")
        self._record("finished", text="Report is ready")


class _Drag:
    """The piece follows the pressed mouse; where it is let go is recorded."""

    def __init__(self, canvas: tk.Canvas, target: int, record: Record) -> None:
        self._canvas = canvas
        self._target = target
        self._record = record
        self._last = (0, 0)
        canvas.tag_bind("piece", "<Button-1>", self._grip)
        canvas.tag_bind("piece", "<B1-Motion>", self._follow)
        canvas.tag_bind("piece", "<ButtonRelease-1>", self._let_go)

    def _grip(self, event: tk.Event[tk.Canvas]) -> None:
        self._last = (event.x, event.y)

    def _follow(self, event: tk.Event[tk.Canvas]) -> None:
        self._canvas.move("piece", event.x - self._last[0], event.y - self._last[1])
        self._last = (event.x, event.y)

    def _let_go(self, event: tk.Event[tk.Canvas]) -> None:
        left, top, right, bottom = self._canvas.coords(self._target)
        is_inside = left <= event.x <= right and top <= event.y <= bottom
        self._record("dropped", on="Drop here" if is_inside else "elsewhere")


def main() -> int:
    parser = argparse.ArgumentParser(
        description="A window with many widgets that records what happens to them."
    )
    parser.add_argument("events", type=Path, help="the file that gets one JSON line for every event")
    parser.add_argument(
        "--seconds", type=float, default=1.5, help="how long Loading shows before the report is ready"
    )
    parser.add_argument(
        "--icons", type=Path, metavar="FOLDER", help="save the icons as PNG files into this folder"
    )
    parser.add_argument("--size", default="1280x800", metavar="WxH", help="of the window, in pixels")
    options = parser.parse_args()
    try:
        root = tk.Tk()
    except tk.TclError as problem:
        print(f"many_widgets: cannot open a window: {problem}", file=sys.stderr)
        return 1
    root.title("Many widgets")
    root.geometry(f"{options.size}+0+0")
    root.configure(background=FACE)
    # As in nearly every other program; Tk on X moves to the start of the line instead.
    root.event_delete("<<LineStart>>", "<Control-a>")
    root.event_add("<<SelectAll>>", "<Control-a>")
    root.option_add("*Font", FONT)
    root.option_add("*Background", FACE)
    root.option_add("*Entry.background", "#ffffff")
    root.option_add("*Listbox.background", "#ffffff")
    window = ManyWidgets(root, record=_recorder(options.events), seconds=options.seconds)
    if options.icons is not None:
        options.icons.mkdir(parents=True, exist_ok=True)
        for name, icon in window.icons.items():
            icon.write(str(options.icons / f"{name}.png"), format="png")
    root.mainloop()
    return 0


def _recorder(path: Path) -> Record:
    path.touch()

    def record(event: str, **facts: object) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"event": event, **facts}, ensure_ascii=False) + "\n")

    return record


def _area(parent: tk.Misc, text: str) -> tk.Label:
    label = tk.Label(parent, text=text, width=20, height=4, borderwidth=2, relief=tk.GROOVE)
    label.pack(side=tk.LEFT, padx=(0, 20))
    return label


def _drawn(root: tk.Tk, rows: tuple[str, ...]) -> tk.PhotoImage:
    scale = ICON_SIZE_PX // len(rows)
    image = tk.PhotoImage(master=root, width=ICON_SIZE_PX, height=ICON_SIZE_PX)
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            image.put(_INKS[letter], to=(x * scale, y * scale, (x + 1) * scale, (y + 1) * scale))
    return image


if __name__ == "__main__":
    raise SystemExit(main())
