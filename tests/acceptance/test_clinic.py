"""The demo's workflow on the demo's program: what a newcomer sees first."""

import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

DEMO = Path(__file__).resolve().parents[2] / "demo"
PROMPT = (DEMO / "workflow.txt").read_text(encoding="utf-8")


def a_lookup(patient_id: str, last_name: str) -> dict[str, Any]:
    return {
        "input_values": {"patient_id": patient_id, "patient_last_name": last_name, "username": "clinic"},
        "sensitive_input_values": {"password": "legacy"},
    }


@pytest.fixture(scope="module")
def patients() -> dict[str, Any]:
    """The clinic's own register, by patient id."""
    sys.path.insert(0, str(DEMO))
    try:
        from clinic.generated import generated_register  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(DEMO))
    return {patient.patient_id: patient for patient in generated_register()}


@pytest.mark.parametrize(("patient_id", "last_name"), [("12345", "Doe"), ("11026", "Abbott")])
def test_a_chart_is_read_exactly(
    site: Any, clinic: Any, patients: dict[str, Any], patient_id: str, last_name: str
) -> None:
    run = site.run(PROMPT, clinic, **a_lookup(patient_id, last_name))

    patient = patients[patient_id]
    assert (run.status, run.error) == ("success", None)
    assert run.output_data["demographics"]["mrn"] == patient.mrn
    assert run.output_data["demographics"]["email"] == patient.email
    assert run.output_data["demographics"]["phone"] == patient.phone
    assert [row["Medication"] for row in run.output_data["medications"]] == [
        medication.name for medication in patient.medications
    ]
    assert len(run.output_data["recentVitals"]) == len(patient.vitals)


def test_a_patient_the_clinic_does_not_have_is_a_failed_task(site: Any, clinic: Any) -> None:
    run = site.run(PROMPT, clinic, **a_lookup("99999", "Known"))

    assert run.status == "task_failed"
    assert run.error == ["The clinic has no patient 99999"]


def test_the_password_is_in_nothing_the_server_kept(site: Any, clinic: Any) -> None:
    site.run(PROMPT, clinic, **a_lookup("12345", "Doe"))

    kept = [path for path in site.server.data_dir.rglob("*") if path.is_file() and path.suffix != ".png"]
    assert not [path for path in kept if b"legacy" in path.read_bytes()]
    assert "legacy" not in site.server.program.said()
