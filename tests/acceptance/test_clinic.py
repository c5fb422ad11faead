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


def the_register() -> dict[str, Any]:
    """Every patient of the clinic, by id."""
    sys.path.insert(0, str(DEMO))
    try:
        from clinic.generated import generated_register  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(DEMO))
    return {patient.patient_id: patient for patient in generated_register()}


PATIENTS = the_register()


@pytest.mark.parametrize("patient_id", ["12345", *sorted(PATIENTS)[50:150:50]])
def test_a_chart_is_read_exactly(site: Any, clinic: Any, patient_id: str) -> None:
    patient = PATIENTS[patient_id]

    run = site.run(PROMPT, clinic, **a_lookup(patient_id, patient.last_name))

    assert (run.status, run.error) == ("success", None)
    assert (
        run.output_data["demographics"]
        | {
            "name": patient.full_name,
            "dateOfBirth": patient.date_of_birth.isoformat(),
            "mrn": patient.mrn,
            "phone": patient.phone,
            "email": patient.email,
        }
        == run.output_data["demographics"]
    )
    assert [list(row.values()) for row in run.output_data["medications"]] == [
        [drug.name, drug.dose, drug.frequency, drug.prescribed.isoformat()] for drug in patient.medications
    ]
    assert [row["BP"] for row in run.output_data["recentVitals"]] == [
        f"{vitals.systolic_mmhg}/{vitals.diastolic_mmhg}" for vitals in patient.vitals
    ]


def test_a_patient_the_clinic_does_not_have_is_a_failed_task(site: Any, clinic: Any) -> None:
    run = site.run(PROMPT, clinic, **a_lookup("99999", "Known"))

    assert run.status == "task_failed"
    assert run.error == ["The clinic has no patient 99999"]


def test_the_password_is_in_nothing_the_server_kept(site: Any, clinic: Any) -> None:
    site.run(PROMPT, clinic, **a_lookup("12345", "Doe"))

    kept = [path for path in site.server.data_dir.rglob("*") if path.is_file() and path.suffix != ".png"]
    assert not [path for path in kept if b"legacy" in path.read_bytes()]
    assert "legacy" not in site.server.program.said()
