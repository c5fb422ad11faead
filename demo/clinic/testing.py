"""How does a test look at the program and press its buttons without a mouse?"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic

from clinic.application import Clinic

DEADLINE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Screen:
    """The program on its display, driven by the test's own main loop."""

    clinic: Clinic

    @property
    def root(self) -> tk.Tk:
        return self.clinic.root

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the program work until the condition holds; fails if it never does."""
        deadline = monotonic() + DEADLINE_SECONDS
        while not condition():
            assert monotonic() < deadline, f"never happened; on the screen: {self.texts()}"
            self.root.update()

    def until_text(self, *texts: str) -> None:
        """Let the program work until labels or buttons with all these texts are on the screen."""
        self.until(lambda: set(texts) <= set(self.texts()))

    def texts(self) -> list[str]:
        """What labels and buttons say, in the order they were made."""
        return [
            str(widget.cget("text")) for widget in self._shown() if isinstance(widget, tk.Label | tk.Button)
        ]

    def press(self, label: str) -> None:
        """Wait for the button with this label and press it; of several the one in front."""
        self.until(lambda: bool(self._buttons(label)))
        self._buttons(label)[-1].invoke()

    def _buttons(self, label: str) -> list[tk.Button]:
        return [w for w in self._shown() if isinstance(w, tk.Button) and w.cget("text") == label]

    def _shown(self) -> list[tk.Misc]:
        def below(widget: tk.Misc) -> Iterator[tk.Misc]:
            yield widget
            for child in widget.winfo_children():
                yield from below(child)

        return [widget for widget in below(self.root) if widget.winfo_viewable()]
