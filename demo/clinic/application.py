"""How do the windows belong together? One page at a time, modal dialogs before it, a status bar below."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from clinic.chart import ChartPage
from clinic.dialogs import MessageBox, PleaseWait, TextWindow
from clinic.journal import NOBODY, Witness
from clinic.login import Credentials, LoginDialog
from clinic.look import DESK, USUAL_LOOK, Look, dress
from clinic.patients import Medication, Patient, Query, Register
from clinic.refills import Order, RefillsPage
from clinic.reports import chart_summary, register_statistics
from clinic.search import SearchPage

TITLE = "Clinic Manager"
_TICK_MS = 1000


@dataclass(frozen=True, slots=True)
class Delays:
    """How long the program pretends to ask its server, in milliseconds."""

    login_ms: int = 250
    search_ms: int = 450
    chart_ms: int = 300
    is_quiet: bool = False
    """True: nothing on the screen says that it waits."""


Page = SearchPage | ChartPage | RefillsPage


def page_name(page: tk.Frame) -> str:
    """`search`, `chart` or `refills`."""
    return type(page).__name__.removesuffix("Page").lower()


class Clinic:
    """The whole program on one root window. The caller runs the main loop."""

    def __init__(
        self,
        root: tk.Tk,
        register: Register,
        credentials: Credentials,
        *,
        delays: Delays = Delays(),
        now: Callable[[], datetime] = datetime.now,
        look: Look = USUAL_LOOK,
        notice: str = "",
        refills: Callable[[Patient], Sequence[Medication]] = lambda patient: patient.medications,
        witness: Witness = NOBODY,
    ) -> None:
        """`notice` stands in the title and in the status bar besides what is said there; `refills` is what a
        patient can order again."""
        self.root = root
        self.register = register
        self.is_running = True
        self.page: Page | None = None
        self.login: LoginDialog | None = None
        self._credentials = credentials
        self._delays = delays
        self._now = now
        self._notice = f"   {notice}" if notice else ""
        self._refills = refills
        self._witness = witness
        dress(root, look)
        root.title(TITLE + self._notice)
        root.protocol("WM_DELETE_WINDOW", self.exit)
        self._build_menus()
        self._build_status_bar()
        self._workspace = tk.Frame(root, background=DESK)
        self._workspace.pack(fill=tk.BOTH, expand=True)
        self._tick()

    def ask_for_login(self) -> None:
        """Close whatever is open and show the login dialog."""
        self._replace_page(None)
        self._workspace.configure(background=DESK)
        self._say("Nobody is using the program")
        self.login = LoginDialog(self.root, on_submit=self._check_login, on_cancel=self.exit)

    def show_search(self) -> None:
        """Show an empty search page; before the login nothing happens."""
        if self.login is not None:
            return
        page = SearchPage(
            self._workspace,
            on_search=self._search,
            on_open=self._open_chart,
            on_clear=lambda: self._witness.did("clear"),
        )
        self._replace_page(page)
        page.reset()
        self._say("Ready")

    def show_chart(self, patient: Patient) -> None:
        """Show what is known about the patient."""
        page = ChartPage(self._workspace, patient, on_close=self._close_chart)
        self._replace_page(page)
        page.close.focus_set()
        self._say(f"Chart {patient.patient_id}")

    def show_refills(self, patient: Patient) -> None:
        """Show what the patient may order again."""
        page = RefillsPage(
            self._workspace,
            patient,
            self._refills(patient),
            on_choose=self._chosen,
            on_save=self._save_order,
            on_discard=self._discard_order,
        )
        self._replace_page(page)
        page.medication.focus_set()
        self._say(f"Order for {patient.patient_id}")

    def show_found(self, found: tuple[Patient, ...]) -> None:
        """List these patients, when the search page is there."""
        if not isinstance(self.page, SearchPage):
            return
        self.page.show(found)
        self._witness.shows(self, self.page)
        if not found:
            self.tell("No patient found", then=self.page.patient_id.focus_set)
        self._say(f"Search finished: {len(found)} found")

    def tell(self, text: str, *, then: Callable[[], object] = lambda: None) -> None:
        """A message that has to be answered."""

        def dismissed() -> None:
            self._witness.did("dismiss", text=text)
            then()

        MessageBox(self.root, TITLE, text, then=dismissed)

    @property
    def clock_text(self) -> str:
        """What the clock in the status bar shows."""
        return str(self._clock.cget("text"))

    def exit(self) -> None:
        """End the program."""
        self._witness.did("exit")
        self.is_running = False
        self.root.destroy()

    def _check_login(self, typed: Credentials) -> None:
        dialog = self.login
        if dialog is None:
            return
        if typed != self._credentials:
            self.tell("User name or password is not correct", then=dialog.try_again)
            return
        self._witness.did("log_in")
        dialog.destroy()
        self.login = None
        self._after_waiting(self._delays.login_ms, self.show_search)

    def _search(self, query: Query) -> None:
        if query.is_empty:
            self.tell("Enter a patient ID or a name")
            return
        self._witness.did("search", **asdict(query))
        self._after_waiting(self._delays.search_ms, lambda: self.show_found(self.register.find(query)))

    def _open_chart(self, patient: Patient) -> None:
        self._witness.did("open_chart", patient_id=patient.patient_id)
        self._after_waiting(self._delays.chart_ms, lambda: self.show_chart(patient))

    def _close_chart(self) -> None:
        if isinstance(self.page, ChartPage):
            self._witness.did("close_chart", patient_id=self.page.patient.patient_id)
            self.show_search()

    def _open_refills(self) -> None:
        if isinstance(self.page, ChartPage):
            patient = self.page.patient
            self._witness.did("open_refills", patient_id=patient.patient_id)
            self._after_waiting(self._delays.chart_ms, lambda: self.show_refills(patient))
        elif self.login is None:
            self.tell("Open a chart first")

    def _chosen(self, medication: Medication) -> None:
        self._witness.did("choose", medication=medication.name)

    def _save_order(self, order: Order) -> None:
        self._witness.did("order", **asdict(order))
        self.show_search()
        self._say("Order saved")

    def _discard_order(self) -> None:
        self._witness.did("discard")
        self.show_search()

    def _open_chosen(self) -> None:
        if isinstance(self.page, SearchPage):
            self.page.open_chosen()

    def _replace_page(self, page: Page | None) -> None:
        if self.page is not None:
            self.page.destroy()
        self.page = page
        if page is not None:
            page.pack(fill=tk.BOTH, expand=True)
            self._witness.shows(self, page)

    def _after_waiting(self, delay_ms: int, then: Callable[[], None]) -> None:
        """Say "Please wait" at once, do nothing for a while, then go on."""
        if self._delays.is_quiet:
            self.root.after(delay_ms, then)
            return
        self._say("Please wait")
        self.root.update_idletasks()
        box = PleaseWait(self.root)

        def go_on() -> None:
            box.destroy()
            then()

        self.root.after(delay_ms, go_on)

    def _say(self, text: str) -> None:
        self._status.configure(text=text + self._notice)

    def _tick(self) -> None:
        self._clock.configure(text=f"{self._now():%d %b %Y   %H:%M:%S}")
        self.root.after(_TICK_MS, self._tick)

    def _build_menus(self) -> None:
        bar = tk.Menu(self.root, relief=tk.RAISED)
        for name, entries in self._menus().items():
            menu = tk.Menu(bar)
            for label, key, event, command in entries:
                menu.add_command(label=label, accelerator=key, command=command)
                self.root.bind(event, _ignoring_event(command))
            bar.add_cascade(label=name, menu=menu, underline=0)
        self.root.configure(menu=bar)

    def _menus(self) -> dict[str, tuple[tuple[str, str, str, Callable[[], object]], ...]]:
        """Menu, entry, the key it shows, the event of that key, what it does."""
        return {
            "File": (
                ("Log off", "Ctrl+L", "<Control-l>", self._log_off),
                ("Exit", "Ctrl+Q", "<Control-q>", self.exit),
            ),
            "Patient": (
                ("Find...", "F3", "<F3>", self._find),
                ("Open", "Ctrl+O", "<Control-o>", self._open_chosen),
                ("Refills...", "F4", "<F4>", self._open_refills),
                ("Close", "Ctrl+W", "<Control-w>", self._close_chart),
            ),
            "Reports": (
                ("Chart summary...", "Ctrl+R", "<Control-r>", self._report_chart),
                ("Register statistics...", "Ctrl+T", "<Control-t>", self._report_register),
            ),
            "Help": (("About...", "F1", "<F1>", self._about),),
        }

    def _build_status_bar(self) -> None:
        bar = tk.Frame(self.root, borderwidth=1, relief=tk.RAISED)
        bar.pack(side=tk.BOTTOM, fill=tk.X)
        self._clock = tk.Label(bar, borderwidth=1, relief=tk.SUNKEN, width=24, pady=3)
        self._clock.pack(side=tk.RIGHT, padx=2, pady=2)
        self._status = tk.Label(bar, borderwidth=1, relief=tk.SUNKEN, anchor=tk.W, padx=8, pady=3)
        self._status.pack(side=tk.LEFT, fill=tk.X, expand=True, padx=2, pady=2)

    def _log_off(self) -> None:
        if self.login is None:
            self._witness.did("log_off")
            self.ask_for_login()

    def _find(self) -> None:
        if isinstance(self.page, SearchPage):
            self.page.reset()
        else:
            self.show_search()

    def _report_chart(self) -> None:
        if isinstance(self.page, ChartPage):
            TextWindow(self.root, "Chart summary", chart_summary(self.page.patient))
        elif self.login is None:
            self.tell("Open a chart first")

    def _report_register(self) -> None:
        if self.login is None:
            TextWindow(self.root, "Register statistics", register_statistics(self.register))

    def _about(self) -> None:
        MessageBox(self.root, "About", f"{TITLE} 3.1\nSunrise Clinic\nAll patients are invented")


def _ignoring_event(command: Callable[[], object]) -> Callable[[object], None]:
    def call(_event: object) -> None:
        command()

    return call
