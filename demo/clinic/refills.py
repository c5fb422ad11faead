"""What does the patient need more of? The page that orders one medication again."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clinic.chart import medication_row
from clinic.look import TITLE_FONT, heading
from clinic.patients import Medication, Patient
from clinic.tables import Column, Table

_COLUMNS = (
    Column("Medication", 240),
    Column("Dose", 150),
    Column("Frequency", 240),
    Column("Prescribed", 160),
)


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, as it was typed."""

    patient_id: str
    medication: str
    quantity: str
    note: str


class RefillsPage(tk.Frame):
    """A patient's medications, each with a button that puts it into the order; `on_save` gets it."""

    def __init__(
        self,
        parent: tk.Misc,
        patient: Patient,
        medications: Sequence[Medication],
        *,
        on_choose: Callable[[Medication], None],
        on_save: Callable[[Order], None],
        on_discard: Callable[[], None],
    ) -> None:
        super().__init__(parent, padx=28, pady=12)
        self.patient = patient
        self.medications = medications
        self._on_choose = on_choose
        self._on_save = on_save
        title = f"{patient.last_name}, {patient.first_name}"
        tk.Label(self, text=title, font=TITLE_FONT).pack(anchor=tk.W, pady=(0, 8))
        heading(self, "Order again").pack(fill=tk.X, pady=(0, 12))
        fields = tk.Frame(self)
        fields.pack(anchor=tk.W)
        self.medication = _field(fields, row=0, label="Product")
        self.quantity = _field(fields, row=1, label="Quantity")
        self.note = _field(fields, row=2, label="Note")
        buttons = tk.Frame(fields)
        buttons.grid(row=3, column=1, sticky=tk.W, pady=(12, 0))
        self.save = tk.Button(buttons, text="Save order", width=12, command=self._save)
        self.save.pack(side=tk.LEFT, padx=(0, 10))
        self.discard = tk.Button(buttons, text="Discard", width=12, command=on_discard)
        self.discard.pack(side=tk.LEFT)
        heading(self, "Medications").pack(fill=tk.X, pady=(24, 12))
        self._table().pack(anchor=tk.W)

    def choose(self, medication: Medication) -> None:
        """Put the medication into the order, the keyboard at its quantity."""
        self.medication.delete(0, tk.END)
        self.medication.insert(0, medication.name)
        self.quantity.focus_set()
        self._on_choose(medication)

    def _table(self) -> Table:
        table = Table(self, _COLUMNS, [medication_row(medication) for medication in self.medications])
        for row, medication in enumerate(self.medications, start=1):
            button = tk.Button(table, text="Renew", pady=0, command=lambda one=medication: self.choose(one))  # type: ignore[misc]
            button.grid(row=row, column=len(_COLUMNS), sticky=tk.NS)
        return table

    def _save(self) -> None:
        order = Order(self.patient.patient_id, self.medication.get(), self.quantity.get(), self.note.get())
        self._on_save(order)


def _field(parent: tk.Misc, *, row: int, label: str) -> tk.Entry:
    tk.Label(parent, text=label).grid(row=row, column=0, sticky=tk.W, padx=(0, 36), pady=5)
    entry = tk.Entry(parent, width=30, name=label.lower())
    entry.grid(row=row, column=1, sticky=tk.W, pady=5)
    return entry
