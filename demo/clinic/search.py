"""Which patient is meant? The page with three fields and the list of who was found."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence

from clinic.look import FIXED_BOLD_FONT, FIXED_FONT, heading
from clinic.patients import Patient, Query

_LINE = "{number:<10}{name:<30}{born}"


class SearchPage(tk.Frame):
    """Calls `on_search` with the fields when asked to search, and `on_open` with the chosen patient.

    `on_clear` is called before it is emptied by its button.
    """

    def __init__(
        self,
        parent: tk.Misc,
        *,
        on_search: Callable[[Query], None],
        on_open: Callable[[Patient], None],
        on_clear: Callable[[], None],
    ) -> None:
        super().__init__(parent, padx=28, pady=18)
        self._on_search = on_search
        self._on_open = on_open
        self._on_clear = on_clear
        self._found: tuple[Patient, ...] = ()
        heading(self, "Find a patient").pack(fill=tk.X, pady=(0, 16))
        fields = tk.Frame(self)
        fields.pack(anchor=tk.W)
        self.patient_id = _field(fields, row=0, label="Patient ID")
        self.last_name = _field(fields, row=1, label="Last name")
        self.first_name = _field(fields, row=2, label="First name")
        buttons = tk.Frame(fields)
        buttons.grid(row=3, column=1, sticky=tk.W, pady=(12, 0))
        self.search = tk.Button(buttons, text="Search", width=9, command=self._ask)
        self.search.pack(side=tk.LEFT, padx=(0, 10))
        self.clear = tk.Button(buttons, text="Clear", width=9, command=self._clear)
        self.clear.pack(side=tk.LEFT)
        self._build_results()

    def reset(self) -> None:
        """Empty fields and list, the keyboard back in the first field."""
        for entry in (self.patient_id, self.last_name, self.first_name):
            entry.delete(0, tk.END)
        self.show(())
        self.patient_id.focus_set()

    def show(self, found: Sequence[Patient]) -> None:
        """List these patients, the first one chosen."""
        self._found = tuple(found)
        self.results.delete(0, tk.END)
        for patient in self._found:
            name = f"{patient.last_name}, {patient.first_name}"
            line = _LINE.format(number=patient.patient_id, name=name, born=patient.date_of_birth.isoformat())
            self.results.insert(tk.END, " " + line)
        self.open.configure(state=tk.NORMAL if self._found else tk.DISABLED)
        if self._found:
            self.results.selection_set(0)
            self.results.activate(0)
            self.results.focus_set()

    def open_chosen(self) -> None:
        """Open the chosen patient's chart, as a double click on the line does; does nothing if none is."""
        for index in self.results.curselection():  # type: ignore[no-untyped-call]
            self._on_open(self._found[index])

    def _build_results(self) -> None:
        frame = tk.Frame(self)
        frame.pack(fill=tk.BOTH, expand=True, pady=(24, 0))
        title = " " + _LINE.format(number="Number", name="Name", born="Born")
        tk.Label(frame, text=title, font=FIXED_BOLD_FONT, anchor=tk.W).pack(fill=tk.X)
        self.open = tk.Button(frame, text="Open chart", width=12, state=tk.DISABLED, command=self.open_chosen)
        self.open.pack(side=tk.BOTTOM, anchor=tk.W, pady=(12, 0))
        scrollbar = tk.Scrollbar(frame)
        scrollbar.pack(side=tk.RIGHT, fill=tk.Y)
        self.results = tk.Listbox(frame, font=FIXED_FONT, activestyle=tk.NONE, yscrollcommand=scrollbar.set)
        self.results.pack(side=tk.LEFT, fill=tk.BOTH, expand=True)
        scrollbar.configure(command=self.results.yview)
        self.results.bind("<Double-Button-1>", lambda _: self.open_chosen())
        self.results.bind("<Return>", lambda _: self.open_chosen())
        for entry in (self.patient_id, self.last_name, self.first_name):
            entry.bind("<Return>", lambda _: self._ask())

    def _clear(self) -> None:
        self._on_clear()
        self.reset()

    def _ask(self) -> None:
        self._on_search(
            Query(
                patient_id=self.patient_id.get(),
                last_name=self.last_name.get(),
                first_name=self.first_name.get(),
            )
        )


def _field(parent: tk.Misc, *, row: int, label: str) -> tk.Entry:
    tk.Label(parent, text=label).grid(row=row, column=0, sticky=tk.W, padx=(0, 36), pady=5)
    entry = tk.Entry(parent, width=30, name=label.lower().replace(" ", "_"))
    entry.grid(row=row, column=1, sticky=tk.W, pady=5)
    return entry
