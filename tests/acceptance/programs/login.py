"""A login form: two fields that show what is typed, and one that masks itself.

What was typed is written to a file, the only place where it may be found.

    python login.py typed.json
"""

from __future__ import annotations

import json
import sys
import tkinter as tk
from pathlib import Path

FACE = "#e2e2e2"
FONT = ("DejaVu Sans", -16)
FIELDS = ("User name", "Card number", "Password")


def main() -> None:
    root = tk.Tk()
    root.geometry("1280x800+0+0")
    root.configure(background=FACE)
    form = tk.Frame(root, background=FACE, width=900, height=500)
    form.place(x=0, y=100)
    entries: dict[str, tk.Entry] = {}
    for row, name in enumerate(FIELDS):
        tk.Label(form, text=name, font=FONT, background=FACE).place(x=120, y=20 + 50 * row)
        entries[name] = tk.Entry(form, font=FONT, show="\u2022" if name == "Password" else "")
        entries[name].place(x=300, y=18 + 50 * row, width=400, height=28)

    def log_in() -> None:
        typed = {name: entry.get() for name, entry in entries.items()}
        with Path(sys.argv[1]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(typed) + "\n")
        form.place_forget()
        page.place(x=0, y=100)

    def log_out() -> None:
        page.place_forget()
        for entry in entries.values():
            entry.delete(0, "end")
        form.place(x=0, y=100)

    button = tk.Button(form, text="Log in", font=FONT, command=log_in, state="disabled")
    button.place(x=300, y=180, width=120, height=36)
    entries["Password"].bind("<KeyRelease>", lambda _: button.configure(state="normal"))

    page = tk.Frame(root, background=FACE, width=900, height=500)
    tk.Label(page, text="Patients today", font=FONT, background=FACE).place(x=120, y=20)
    tk.Label(page, text="Seventeen", font=FONT, background=FACE).place(x=120, y=60)
    tk.Button(page, text="Log out", font=FONT, command=log_out).place(x=120, y=180, width=120, height=36)
    root.mainloop()


if __name__ == "__main__":
    main()
