"""Another day: the same program with other looks, other tables and other manners."""

from __future__ import annotations

import json
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clinic.application import Clinic, page_name
from clinic.drift import Drift, Drifting
from clinic.generated import generated_register
from clinic.journal import Journal
from clinic.login import Credentials
from clinic.look import TITLE_FONT
from clinic.patients import Query
from clinic.refills import RefillsPage
from clinic.testing import Screen

Program = Callable[[Drift], Screen]


@pytest.fixture
def program(window: Callable[[], tk.Tk], tmp_path: Path) -> Iterator[Program]:
    """Opens the program with a drift, logged in at its empty search."""
    opened: list[Clinic] = []

    def open_with(drift: Drift) -> Screen:
        root = window()
        clinic = Clinic(
            root,
            drift.register(generated_register()),
            Credentials("clinic", "legacy"),
            delays=drift.delays,
            now=drift.now,
            look=drift.whole_look,
            notice=drift.notice,
            refills=drift.refills,
            witness=Drifting(drift, Journal(root, tmp_path / "journal")),
        )
        opened.append(clinic)
        root.update()
        clinic.show_search()
        return Screen(clinic)

    yield open_with
    for clinic in opened:
        if clinic.is_running:
            clinic.exit()


def deeds(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "journal").read_text().splitlines()]


def john_doe(screen: Screen) -> RefillsPage:
    """The page on which he orders again."""
    [patient] = screen.clinic.register.find(Query(patient_id="12345"))
    screen.clinic.show_refills(patient)
    assert isinstance(screen.clinic.page, RefillsPage)
    return screen.clinic.page


def test_the_journal_tells_what_was_done_from_search_to_order(program: Program, tmp_path: Path) -> None:
    screen = program(Drift(loading_ms=1))
    page = screen.clinic.page
    assert page is not None
    page.patient_id.focus_force()  # type: ignore[union-attr]
    screen.root.update()
    for character in "12345":
        page.patient_id.event_generate(f"<Key-{character}>")  # type: ignore[union-attr]
    screen.press("Search")
    screen.until_text("Search finished: 1 found")
    screen.press("Open chart")
    screen.until_text("Demographics")
    screen.root.event_generate("<F4>")
    screen.until_text("Order again")
    screen.press("Renew")
    screen.press("Save order")
    screen.until_text("Order saved")

    searched = {"did": "search", "patient_id": "12345", "last_name": "", "first_name": ""}
    ordered = {"did": "order", "patient_id": "12345", "medication": "Ramipril", "quantity": "", "note": ""}
    assert deeds(tmp_path) == [
        {"did": "type", "field": "patient_id"},
        searched,
        {"did": "open_chart", "patient_id": "12345"},
        {"did": "open_refills", "patient_id": "12345"},
        {"did": "choose", "medication": "Ramipril"},
        ordered,
    ]


def test_a_renamed_button_does_something_else_and_a_disabled_one_nothing(
    program: Program, tmp_path: Path
) -> None:
    screen = program(Drift(renamed={"Search": "Sort"}, disabled=["Clear"]))

    screen.press("Sort")
    screen.press("Clear")

    assert deeds(tmp_path) == [{"did": "press", "button": "Sort"}]


def test_fields_and_buttons_change_places(program: Program) -> None:
    fields = john_doe(program(Drift(swapped=["Quantity", "Note"])))
    buttons = john_doe(program(Drift(swapped=["Save order", "Discard"])))
    for page in (fields, buttons):
        page.update()

    assert fields.note.winfo_y() < fields.quantity.winfo_y()
    assert buttons.discard.winfo_x() < buttons.save.winfo_x()


def test_tables_are_longer_and_in_another_order(program: Program) -> None:
    page = john_doe(program(Drift(medications_on_top=["Ramipril"], more_medications=1, most_visits=1)))

    names = [medication.name for medication in page.medications]
    assert names == ["Aspirin", "Ramipril", "Atorvastatin", "Metformin"]
    assert len(page.patient.vitals) == 1


def test_a_message_comes_in_front_and_the_login_expires(program: Program, tmp_path: Path) -> None:
    screen = program(Drift(dialog=["search", "Backup at 22:00"], logs_off_at="refills"))
    screen.until_text("Backup at 22:00")
    screen.press("OK")

    john_doe(screen)

    screen.until_text("User name", "Password")
    assert deeds(tmp_path) == [{"did": "dismiss", "text": "Backup at 22:00"}]


def test_a_quiet_program_says_nothing_while_it_loads(program: Program) -> None:
    screen = program(Drift(loading_ms=50, loads_quietly=True))
    screen.clinic.page.patient_id.insert(0, "12345")  # type: ignore[union-attr]

    screen.press("Search")

    assert "Please wait" not in screen.texts()
    screen.until_text("Search finished: 1 found")


def test_clock_notice_and_letters_are_others(program: Program) -> None:
    drift = Drift.parsed(
        '{"clock": "2031-05-06T07:08:00", "notice": "3 new faxes", "look": {"larger_px": 2}}'
    )
    screen = program(drift)

    assert "06 May 2031" in screen.clinic.clock_text
    assert screen.root.title().endswith("3 new faxes")
    assert "Ready   3 new faxes" in screen.texts()
    assert screen.root.tk.call("font", "configure", TITLE_FONT, "-size") == -26


def test_what_is_no_drift_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected"):
        Drift.parsed('{"weather": "rain"}')


def test_pages_have_names(program: Program) -> None:
    assert page_name(john_doe(program(Drift()))) == "refills"
