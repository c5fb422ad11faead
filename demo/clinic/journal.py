"""What was done to the program? It writes that down itself, so that nobody has to trust whoever drove it."""

from __future__ import annotations

import json
import tkinter as tk
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clinic.application import Clinic


class Witness:
    """Hears what is done to the program and which page it shows. This one keeps it to itself."""

    def did(self, what: str, **details: str) -> None:
        """Somebody did this: `search`, `open_chart`, `order` and so on."""

    def shows(self, clinic: Clinic, page: tk.Frame) -> None:
        """This page has come in front, or shows something else."""


NOBODY = Witness()


class Journal(Witness):
    """Writes each deed into a file, one JSON object a line: `{"did": "open_chart", "patient_id": "12345"}`.

    Typing into a field is one deed, `{"did": "type", "field": "patient_id"}`, however long the text.
    """

    def __init__(self, root: tk.Misc, file: Path) -> None:
        self._file = file
        self._last: dict[str, str] = {}
        root.bind_class("Entry", "<KeyPress>", self._typed, add="+")

    def did(self, what: str, **details: str) -> None:
        self._last = {"did": what, **details}
        with self._file.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(self._last) + "\n")

    def _typed(self, event: tk.Event[tk.Misc]) -> None:
        deed = {"did": "type", "field": event.widget.winfo_name()}
        if event.char.isprintable() and event.char and deed != self._last:
            self.did("type", field=deed["field"])
