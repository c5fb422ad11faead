"""Who may use the program? The dialog that asks at the start and after every log-off."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass, field

from clinic.dialogs import Dialog


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one account of the clinic. A demo's account: it guards nothing."""

    user: str
    password: str = field(repr=False)


class LoginDialog(Dialog):
    """Asks for user name and password. `on_submit` gets what was typed; `on_cancel` ends the attempt."""

    def __init__(
        self, root: tk.Tk, *, on_submit: Callable[[Credentials], None], on_cancel: Callable[[], None]
    ) -> None:
        super().__init__(root, "Sunrise Clinic")
        self._on_submit = on_submit
        tk.Label(self.body, text="Identify yourself").grid(
            row=0, column=0, columnspan=2, sticky=tk.W, pady=(0, 14)
        )
        self.user = self._field(row=1, label="User name")
        self.password = self._field(row=2, label="Password", show="*")
        buttons = tk.Frame(self.body)
        buttons.grid(row=3, column=0, columnspan=2, sticky=tk.E, pady=(16, 0))
        self.log_in = tk.Button(buttons, text="Log in", width=8, command=self._submit)
        self.log_in.pack(side=tk.LEFT, padx=(0, 10))
        self.cancel = tk.Button(buttons, text="Cancel", width=8, command=on_cancel)
        self.cancel.pack(side=tk.LEFT)
        self.protocol("WM_DELETE_WINDOW", on_cancel)
        self.bind("<Return>", lambda _: self._submit())
        self.bind("<Escape>", lambda _: on_cancel())
        self.open(self.user)

    def try_again(self) -> None:
        """Empty the password after a refused login and ask once more."""
        self.password.delete(0, tk.END)
        self.grab_set()
        self.password.focus_force()

    def _field(self, *, row: int, label: str, show: str = "") -> tk.Entry:
        tk.Label(self.body, text=label).grid(row=row, column=0, sticky=tk.W, padx=(0, 32), pady=5)
        entry = tk.Entry(self.body, width=26, show=show, name=label.lower().replace(" ", "_"))
        entry.grid(row=row, column=1, sticky=tk.W, pady=5)
        return entry

    def _submit(self) -> None:
        self._on_submit(Credentials(user=self.user.get(), password=self.password.get()))
