"""What does the clinic know about one patient? The page with demographics, medications and recent vitals."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence

from clinic.look import TITLE_FONT, heading
from clinic.patients import Medication, Patient, VitalSigns
from clinic.tables import Column, Table

MEDICATION_COLUMNS = (
    Column("Medication", 320),
    Column("Dose", 240),
    Column("Frequency", 340),
    Column("Prescribed", 320),
)
VITALS_COLUMNS = (
    Column("Date", 284),
    Column("BP", 234),
    Column("Pulse", 234),
    Column("Temp", 234),
    Column("Weight", 234),
)
_SECOND_COLUMN_AT_PX = 640


def medication_row(medication: Medication) -> tuple[str, str, str, str]:
    return medication.name, medication.dose, medication.frequency, medication.prescribed.isoformat()


def vitals_row(vitals: VitalSigns) -> tuple[str, str, str, str, str]:
    return (
        vitals.taken.isoformat(),
        f"{vitals.systolic_mmhg}/{vitals.diastolic_mmhg}",
        str(vitals.pulse_per_minute),
        f"{vitals.temperature_celsius:.1f}",
        f"{vitals.weight_kg} kg",
    )


class ChartPage(tk.Frame):
    """One patient's chart; `on_close` is called when the reader is done with it."""

    def __init__(self, parent: tk.Misc, patient: Patient, *, on_close: Callable[[], None]) -> None:
        super().__init__(parent, padx=28, pady=12)
        self.patient = patient
        title = f"{patient.last_name}, {patient.first_name}"
        tk.Label(self, text=title, font=TITLE_FONT).pack(anchor=tk.W, pady=(0, 8))
        self._section("Demographics", _demographics(self, patient))
        medications = [medication_row(medication) for medication in patient.medications]
        self._section("Medications", Table(self, MEDICATION_COLUMNS, medications))
        vitals = [vitals_row(vitals) for vitals in patient.vitals]
        self._section("Recent vitals", Table(self, VITALS_COLUMNS, vitals))
        foot = tk.Frame(self)
        foot.pack(fill=tk.X, side=tk.BOTTOM)
        _labelled(foot, "Last updated", f"{patient.last_updated:%Y-%m-%d %H:%M}", row=0, column=0)
        self.close = tk.Button(foot, text="Close chart", width=12, command=on_close)
        self.close.grid(row=0, column=3, sticky=tk.E)
        foot.grid_columnconfigure(2, weight=1)

    def _section(self, name: str, content: tk.Widget) -> None:
        heading(self, name).pack(fill=tk.X, pady=(10, 6))
        content.lift()
        content.pack(anchor=tk.W)


def _demographics(parent: tk.Misc, patient: Patient) -> tk.Frame:
    left = (
        ("Name", patient.full_name),
        ("DOB", patient.date_of_birth.isoformat()),
        ("Gender", patient.gender),
        ("MRN", patient.mrn),
    )
    right = (
        ("Phone", patient.phone),
        ("Email", patient.email),
        ("Address", patient.address),
        ("Insurance", patient.insurance),
    )
    frame = tk.Frame(parent)
    for column, values in ((0, left), (2, right)):
        _column_of_values(frame, values, column=column)
    frame.grid_columnconfigure(1, minsize=_SECOND_COLUMN_AT_PX - 150)
    return frame


def _column_of_values(parent: tk.Misc, values: Sequence[tuple[str, str]], *, column: int) -> None:
    for row, (label, value) in enumerate(values):
        _labelled(parent, label, value, row=row, column=column)


def _labelled(parent: tk.Misc, label: str, value: str, *, row: int, column: int) -> None:
    tk.Label(parent, text=label, anchor=tk.W, width=14).grid(row=row, column=column, sticky=tk.W, pady=2)
    tk.Label(parent, text=value, anchor=tk.W).grid(row=row, column=column + 1, sticky=tk.W, pady=2)
