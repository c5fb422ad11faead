"""A table as old programs draw it: raised headings, white lines, every second one shaded."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from dataclasses import dataclass

from clinic.look import BOLD_FONT, PAPER, STRIPE


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and how much of the table's width is its own, in pixels."""

    heading: str
    width_px: int


class Table(tk.Frame):
    """Rows of text under headings. It shows; it cannot be changed."""

    def __init__(self, parent: tk.Misc, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        super().__init__(parent, borderwidth=2, relief=tk.SUNKEN, background=PAPER)
        for index, column in enumerate(columns):
            self.grid_columnconfigure(index, minsize=column.width_px)
            heading = tk.Label(
                self,
                text=column.heading,
                font=BOLD_FONT,
                anchor=tk.W,
                padx=8,
                pady=2,
                borderwidth=1,
                relief=tk.RAISED,
            )
            heading.grid(row=0, column=index, sticky=tk.EW)
        for row_index, row in enumerate(rows, start=1):
            ground = PAPER if row_index % 2 else STRIPE
            for index, text in enumerate(row):
                cell = tk.Label(self, text=text, background=ground, anchor=tk.W, padx=8, pady=3)
                cell.grid(row=row_index, column=index, sticky=tk.EW)
