"""How may the same program look and behave another day? For replays to meet."""

from __future__ import annotations

import json
import tkinter as tk
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial

from clinic.application import Clinic, Delays, page_name
from clinic.journal import Witness
from clinic.look import Look
from clinic.patients import Medication, Patient, Register

_STARTED = datetime.now()  # noqa: DTZ005 - the clinic's program knows no time zones


@dataclass(frozen=True, slots=True)
class Drift:
    """What is not as usual."""

    look: Mapping[str, str | int] = field(default_factory=dict)
    """The members of `Look` that are others."""
    window: Sequence[int] = ()
    """Left, top, width and height of the window, in pixels."""
    clock: str | None = None
    """What the clock shows at first, in ISO 8601; without it the time."""
    notice: str = ""
    """What stands in the title and in the status bar besides."""
    loading_ms: int | None = None
    """How long each loading takes."""
    loads_quietly: bool = False
    """True: the page stays as it is while the next one loads, and nothing says so."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Buttons that are called otherwise, and do something else, by their usual name."""
    disabled: Sequence[str] = ()
    """The names of buttons that cannot be pressed."""
    swapped: Sequence[str] = ()
    """The names of two buttons, or the labels of two fields, that have changed places."""
    medications_on_top: Sequence[str] = ()
    """Of those that can be ordered again, by name; the others follow in their order."""
    more_medications: int = 0
    """How many can be ordered again besides, before the others; a negative number: how many behind them."""
    most_visits: int | None = None
    """How many a chart shows."""
    dialog: Sequence[str] = ()
    """A page, and the text of a message that comes in front of it when it is shown first."""
    logs_off_at: str | None = None
    """The page at whose first showing the login expires."""

    @classmethod
    def parsed(cls, text: str) -> Drift:
        """From a JSON object with some of the members. Raises `ValueError` or `TypeError` for others."""
        return cls(**json.loads(text))

    @property
    def delays(self) -> Delays:
        usual = Delays(is_quiet=self.loads_quietly)
        if self.loading_ms is None:
            return usual
        return replace(usual, login_ms=self.loading_ms, search_ms=self.loading_ms, chart_ms=self.loading_ms)

    @property
    def whole_look(self) -> Look:
        return Look(**self.look)  # type: ignore[arg-type]

    def now(self) -> datetime:
        """The time on the clock, which goes on from where the drift has set it."""
        ahead = timedelta() if self.clock is None else datetime.fromisoformat(self.clock) - _STARTED
        return datetime.now() + ahead  # noqa: DTZ005

    def register(self, usual: Register) -> Register:
        """The patients as the program knows them with the drift."""
        return Register(replace(patient, vitals=patient.vitals[: self.most_visits]) for patient in usual)

    def refills(self, patient: Patient) -> Sequence[Medication]:
        """What the patient can order again."""
        known = {medication.name: medication for medication in patient.medications}
        own = {name: known[name] for name in self.medications_on_top if name in known} | known
        more = [_another_medication(number) for number in range(abs(self.more_medications))]
        return (*more, *own.values()) if self.more_medications > 0 else (*own.values(), *more)


def _another_medication(number: int) -> Medication:
    return Medication("Aspirin", f"{100 * (number + 1)} mg", "Once daily", date(2024, 1, 8 + number))


class Drifting(Witness):
    """Makes a running program drift, and passes on what it hears."""

    def __init__(self, drift: Drift, then: Witness) -> None:
        self._drift = drift
        self._then = then
        self._shown: tk.Frame | None = None
        self._done: set[str] = set()

    def did(self, what: str, **details: str) -> None:
        self._then.did(what, **details)

    def shows(self, clinic: Clinic, page: tk.Frame) -> None:
        self._then.shows(clinic, page)
        if page is not self._shown:
            self._shown = page
            self._swap_and_rename(page)
        for button in _buttons(page):
            if button.cget("text") in self._drift.disabled:
                button.configure(state=tk.DISABLED)
        self._interrupt(clinic, page_name(page))

    def _swap_and_rename(self, page: tk.Frame) -> None:
        if self._drift.swapped:
            _swap(page, *self._drift.swapped)
        for button in _buttons(page):
            name = self._drift.renamed.get(str(button.cget("text")))
            if name:
                button.configure(text=name, command=partial(self.did, "press", button=name))

    def _interrupt(self, clinic: Clinic, page: str) -> None:
        if page in self._done:
            return
        self._done.add(page)
        if self._drift.logs_off_at == page:
            clinic.root.after_idle(clinic.ask_for_login)
        if self._drift.dialog and self._drift.dialog[0] == page:
            clinic.root.after_idle(clinic.tell, self._drift.dialog[1])


def _swap(page: tk.Frame, one: str, other: str) -> None:
    named = {str(widget.cget("text")): widget for widget in _below(page) if isinstance(widget, tk.Label)}
    if {one, other} <= set(named):
        rows = [named[name].grid_info()["row"] for name in (one, other)]
        parent = named[one].master
        widgets = [parent.grid_slaves(row=row) for row in rows]
        for row, moved in zip(reversed(rows), widgets, strict=True):
            for widget in moved:
                widget.grid_configure(row=row)
    buttons = {str(button.cget("text")): button for button in _buttons(page)}
    if {one, other} <= set(buttons):
        buttons[other].pack_configure(before=buttons[one], padx=(0, 10))


def _buttons(page: tk.Frame) -> list[tk.Button]:
    return [widget for widget in _below(page) if isinstance(widget, tk.Button)]


def _below(widget: tk.Misc) -> Iterator[tk.Misc]:
    for child in widget.winfo_children():
        yield child
        yield from _below(child)
