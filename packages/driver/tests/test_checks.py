"""What a person who sets up a host is told."""

from pathlib import Path

import pytest
from cyberdriver.checks import Finding, run_checks
from cyberdriver.settings import SETTINGS_FILE


def findings(folder: Path) -> dict[str, Finding]:
    return {finding.subject: finding for finding in run_checks(folder)}


def test_everything_worth_knowing_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)

    found = findings(tmp_path)

    assert list(found) == [
        "config folder",
        "libX11",
        "libXext",
        "libXtst",
        "display",
        "Xvfb",
        "openbox",
        "shell",
        "fonts",
    ]
    assert found["shell"].is_good
    assert (found["display"].is_good, found["display"].is_needed) == (False, False)
    assert "DISPLAY is not set" in str(found["display"])


def test_what_is_missing_names_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DISPLAY", raising=False)

    found = findings(tmp_path)

    assert str(found["Xvfb"]).split(maxsplit=2)[::2] == [
        "absent",
        "apt-get install xvfb for `cyberdriver desktop`",
    ]
    assert str(found["display"]).startswith("MISSING")
    assert "fontconfig" in str(found["fonts"])


def test_wrong_settings_are_found(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("[alow]")

    assert "alow is not a setting" in str(findings(tmp_path)["config folder"])
