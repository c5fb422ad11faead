"""Every window of the clinic program opens on a real display and does what its buttons say."""

from __future__ import annotations

import subprocess
import sys
import tkinter as tk
from pathlib import Path

import pytest
from clinic.chart import ChartPage
from clinic.search import SearchPage
from clinic.testing import Screen

DEMO = Path(__file__).resolve().parent.parent


def search_for(screen: Screen, *, patient_id: str) -> None:
    page = search_page(screen)
    page.patient_id.delete(0, tk.END)
    page.patient_id.insert(0, patient_id)
    screen.press("Search")


def search_page(screen: Screen) -> SearchPage:
    page = screen.clinic.page
    assert isinstance(page, SearchPage)
    return page


def open_chart(screen: Screen, *, patient_id: str) -> ChartPage:
    search_for(screen, patient_id=patient_id)
    screen.until(lambda: search_page(screen).results.size() == 1)
    screen.press("Open chart")
    screen.until_text("Demographics")
    page = screen.clinic.page
    assert isinstance(page, ChartPage)
    return page


def test_the_login_dialog_opens_first(screen: Screen) -> None:
    screen.until_text("User name", "Password", "Log in", "Cancel")

    assert screen.clinic.page is None


def test_a_wrong_password_is_refused_and_asked_for_again(screen: Screen) -> None:
    login = screen.clinic.login
    assert login is not None
    login.user.insert(0, "clinic")
    login.password.insert(0, "wrong")
    screen.press("Log in")
    screen.until_text("User name or password is not correct")
    screen.press("OK")
    screen.until(lambda: "OK" not in screen.texts())

    assert screen.clinic.login is login
    assert (login.user.get(), login.password.get()) == ("clinic", "")


def test_the_password_is_masked(screen: Screen) -> None:
    assert screen.clinic.login is not None
    assert screen.clinic.login.password.cget("show") == "*"


def test_cancel_ends_the_program(screen: Screen) -> None:
    screen.press("Cancel")

    assert not screen.clinic.is_running


def test_a_right_password_opens_the_search(logged_in: Screen) -> None:
    logged_in.until_text("Patient ID", "Last name", "First name", "Search", "Ready")


def test_a_search_says_please_wait_before_it_answers(logged_in: Screen) -> None:
    search_for(logged_in, patient_id="12345")

    assert "Please wait" in logged_in.texts()
    logged_in.until_text("Search finished: 1 found")
    assert "Please wait" not in logged_in.texts()


def test_a_found_patient_is_listed_and_chosen(logged_in: Screen) -> None:
    search_for(logged_in, patient_id="12345")
    logged_in.until_text("Search finished: 1 found")

    results = search_page(logged_in).results
    assert results.get(0).split() == ["12345", "Doe,", "John", "1968-04-23"]
    assert results.curselection() == (0,)  # type: ignore[no-untyped-call]


def test_an_unknown_id_is_told_in_a_message_box(logged_in: Screen) -> None:
    search_for(logged_in, patient_id="99999")
    logged_in.until_text("No patient found")
    logged_in.press("OK")
    logged_in.until(lambda: "No patient found" not in logged_in.texts())

    assert search_page(logged_in).results.size() == 0


def test_a_search_for_nothing_asks_for_something(logged_in: Screen) -> None:
    logged_in.press("Search")

    logged_in.until_text("Enter a patient ID or a name")


def test_select_all_and_backspace_empty_a_field(logged_in: Screen) -> None:
    field = search_page(logged_in).patient_id
    field.insert(0, "12345")
    field.focus_force()
    logged_in.root.update()
    field.event_generate("<Control-a>")
    field.event_generate("<BackSpace>")

    logged_in.until(lambda: field.get() == "")


def test_the_chart_shows_the_whole_patient(logged_in: Screen) -> None:
    page = open_chart(logged_in, patient_id="12345")

    patient = page.patient
    medications = [
        text for m in patient.medications for text in (m.name, m.dose, m.frequency, str(m.prescribed))
    ]
    expected = {
        patient.full_name,
        patient.mrn,
        patient.phone,
        patient.email,
        *medications,
        "128/82",
        "2026-02-24 10:32",
    }
    logged_in.until_text(*expected)


def test_the_longest_chart_fits_the_window(logged_in: Screen) -> None:
    register = logged_in.clinic.register
    longest = max(register, key=lambda patient: len(patient.medications) + len(patient.vitals))
    page = open_chart(logged_in, patient_id=longest.patient_id)

    assert page.winfo_reqheight() <= page.winfo_height()
    assert page.winfo_reqwidth() <= page.winfo_width()


def test_closing_a_chart_goes_back_to_an_empty_search(logged_in: Screen) -> None:
    open_chart(logged_in, patient_id="12345")
    logged_in.press("Close chart")
    logged_in.until_text("Find a patient")

    assert search_page(logged_in).patient_id.get() == ""


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ("<F1>", "Clinic Manager 3.1\nSunrise Clinic\nAll patients are invented"),
        ("<Control-r>", "Open a chart first"),
    ],
)
def test_a_menu_key_opens_its_message(logged_in: Screen, event: str, text: str) -> None:
    logged_in.root.event_generate(event)

    logged_in.until_text(text)


@pytest.mark.parametrize("event", ["<Control-r>", "<Control-t>"])
def test_a_report_opens_in_a_window_that_can_be_closed(logged_in: Screen, event: str) -> None:
    open_chart(logged_in, patient_id="12345")
    logged_in.root.event_generate(event)
    logged_in.until_text("Close")
    logged_in.press("Close")

    logged_in.until(lambda: "Close" not in logged_in.texts())


def test_logging_off_asks_for_the_login_again(logged_in: Screen) -> None:
    logged_in.root.event_generate("<Control-l>")

    logged_in.until_text("User name")
    assert logged_in.clinic.page is None


def test_the_clock_ticks(screen: Screen) -> None:
    before = screen.clinic.clock_text
    screen.until(lambda: screen.clinic.clock_text != before)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [(("--size", "wide"), "--size"), (("--login", "nobody"), "--login")],
)
def test_a_wrong_option_is_one_line_that_names_it(arguments: tuple[str, ...], names: str) -> None:
    answer = subprocess.run(
        [sys.executable, str(DEMO / "clinic"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert answer.returncode == 2
    assert names in answer.stderr.splitlines()[-1]


def test_without_a_display_the_program_says_so_in_one_line() -> None:
    answer = subprocess.run(
        [sys.executable, str(DEMO / "clinic")],
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert answer.returncode == 1
    assert answer.stderr.startswith("clinic: cannot open a window")
    assert len(answer.stderr.splitlines()) == 1
