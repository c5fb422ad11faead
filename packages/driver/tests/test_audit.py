"""The owner can see what was asked, and never what was typed."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cyberdesk_wire import Request
from cyberdriver.answers import DONE
from cyberdriver.audit import AUDIT_FILE, Audit


def now() -> datetime:
    return datetime(2030, 1, 1, 9, tzinfo=UTC)


def test_a_request_is_one_line(tmp_path: Path) -> None:
    request = Request("1", "POST", "/type", headers={"x-action-id": "7"}, body=b'{"text":"secret"}')

    Audit(tmp_path, now).note(request, DONE, {"characters": 6}, 0.0031)

    assert json.loads((tmp_path / AUDIT_FILE).read_text()) == {
        "at": "2030-01-01T09:00:00.000+00:00",
        "method": "POST",
        "path": "/type",
        "status": 200,
        "milliseconds": 3.1,
        "action_id": "7",
        "about": {"characters": 6},
    }
    assert (tmp_path / AUDIT_FILE).stat().st_mode & 0o777 == 0o600


def test_a_full_file_is_put_aside(tmp_path: Path) -> None:
    audit = Audit(tmp_path, now, max_bytes=300)

    for _ in range(10):
        audit.note(Request("1", "GET", "/x"), DONE, {}, 0)

    assert (tmp_path / AUDIT_FILE).stat().st_size < 300
    assert (tmp_path / f"{AUDIT_FILE}.1").stat().st_size < 600


def test_a_disk_that_refuses_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Audit(tmp_path / "missing", now).note(Request("1", "GET", "/x"), DONE, {}, 0)

    assert "the audit log cannot be written" in caplog.text
