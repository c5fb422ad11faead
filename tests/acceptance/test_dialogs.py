"""Programs that know nothing of us: a form of zenity, and a terminal."""

import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PROGRAMS = Path(__file__).resolve().parent / "programs"
UNICODE = "a<b> ł€ 漢字 \N{GRINNING FACE} Ż\u0308!"


def test_a_form_gets_the_values_it_was_given(site: Any, machine_for: Any, tmp_path: Path) -> None:
    machine = machine_for(
        "zenity",
        "--forms",
        "--title=Admission",
        "--text=New patient",
        "--add-entry=Last name",
        "--add-entry=Room",
        "--add-password=Badge",
        "--separator=|",
        name="form",
    )

    run = site.run(
        """
        Wait until "New patient" appears
        Type {name} into "Last name"
        Type {room} into "Room"
        Type {$badge} into "Badge"
        Click "OK"
        """,
        machine,
        input_values={"name": "O'Brien & Söhne", "room": "<12>"},
        sensitive_input_values={"badge": "hunter2"},
    )

    assert (run.status, run.error) == ("success", None)
    said = (machine.folder / "program.log").read_text(encoding="utf-8")
    assert said.splitlines()[-1] == "O'Brien & Söhne|<12>|hunter2"


def test_unicode_arrives_in_a_terminal_byte_for_byte(site: Any, machine_for: Any, tmp_path: Path) -> None:
    typed = tmp_path / "typed.bin"
    machine = machine_for(
        "xterm", "-u8", "-fa", "DejaVu Sans Mono", "-fs", "12", "-geometry", "80x20", "-e",
        sys.executable, str(PROGRAMS / "byte_recorder.py"), str(typed),
        name="terminal",
    )  # fmt: skip

    run = site.run(
        """
        Wait until "recording" appears
        Click at 200, 200
        Type {text}
        Press ctrl+d
        """,
        machine,
        input_values={"text": UNICODE},
    )

    assert (run.status, run.error) == ("success", None)
    assert typed.read_bytes() == UNICODE.encode() + b"\x04"
