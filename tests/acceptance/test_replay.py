"""Record once, approve, and replay: the clinic's chart of another patient, with the data of that patient."""

import sys
from pathlib import Path
from typing import Any

import pytest
from cyberdesk import RunCreate, TrajectoryUpdate

pytestmark = pytest.mark.slow

DEMO = Path(__file__).resolve().parents[2] / "demo"
PROMPT = (DEMO / "workflow.txt").read_text(encoding="utf-8")
JOHN, NAOMI, FATIMA = "12345", "10648", "12115"


def the_register() -> dict[str, Any]:
    """Every patient of the clinic, by id."""
    sys.path.insert(0, str(DEMO))
    try:
        from clinic.generated import generated_register  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(DEMO))
    return {patient.patient_id: patient for patient in generated_register()}


PATIENTS = the_register()


class Workflow:
    """The demo's workflow on one desktop."""

    def __init__(self, site: Any, machine: Any) -> None:
        self._site = site
        self._machine = machine
        self.id = site.workflow(PROMPT)

    def run(self, patient_id: str) -> Any:
        known = PATIENTS.get(patient_id)
        made = self._site.client.runs.create_sync(
            RunCreate(
                workflow_id=self.id,
                machine_id=self._machine.id,
                input_values={
                    "patient_id": patient_id,
                    "patient_last_name": known.last_name if known else "Known",
                    "username": "clinic",
                },
                sensitive_input_values={"password": "legacy"},
            )
        )
        return self._site.ended(str(made.data.id))

    def recordings(self) -> list[Any]:
        return list(self._site.client.trajectories.list_sync(workflow_id=self.id).data.items)

    def approve(self) -> None:
        for recording in self.recordings():
            answer = self._site.client.trajectories.update_sync(
                str(recording.id), TrajectoryUpdate(is_approved=True)
            )
            assert answer.error is None


def kinds(run: Any) -> list[tuple[str, str]]:
    """How each step was decided, and its tool."""
    return [
        (message["step_kind"], block["tool_name"])
        for message in run.run_message_history
        for block in message["content"]
        if block["type"] == "tool_use"
    ]


def misses(run: Any) -> list[str]:
    """Why the model was asked although there was a recording."""
    said = [message.get("cache_detection") for message in run.run_message_history]
    return [one["reason"] for one in said if one and one["verdict"] == "miss"]


@pytest.fixture(scope="module")
def workflow(site: Any, clinic: Any) -> Workflow:
    """With a recording that begins where a run that went well leaves the clinic: logged in, nothing typed."""
    assert Workflow(site, clinic).run(JOHN).status == "success"
    workflow = Workflow(site, clinic)
    assert workflow.run(JOHN).status == "success"
    unapproved = workflow.run(NAOMI)
    assert {kind for kind, _ in kinds(unapproved)} == {"agentic"}
    workflow.approve()
    return workflow


@pytest.mark.parametrize("patient_id", [JOHN, NAOMI, FATIMA])
def test_a_recording_is_replayed_with_the_data_of_another_patient(
    workflow: Workflow, patient_id: str
) -> None:
    patient = PATIENTS[patient_id]

    run = workflow.run(patient_id)

    assert (run.status, run.error) == ("success", None)
    assert run.output_data["demographics"]["name"] == patient.full_name
    assert run.output_data["demographics"]["mrn"] == patient.mrn
    assert run.output_data["demographics"]["dateOfBirth"] == patient.date_of_birth.isoformat()
    assert [list(row.values()) for row in run.output_data["medications"]] == [
        [drug.name, drug.dose, drug.frequency, drug.prescribed.isoformat()] for drug in patient.medications
    ]
    assert len(run.output_data["recentVitals"]) == len(patient.vitals)
    assert [kind for kind, tool in kinds(run) if tool == "screenshot"] == ["cached"] * 8
    assert run.usage_metadata["total_cached_steps"] >= 17


def test_a_healthy_replay_asks_no_model_and_leaves_no_recording(workflow: Workflow) -> None:
    before = len(workflow.recordings())

    run = workflow.run(JOHN)

    assert misses(run) == []
    assert {kind for kind, _ in kinds(run)} == {"cached"}
    assert run.usage_metadata["total_agentic_steps"] == 8  # the readings, which are live
    assert len(workflow.recordings()) == before


def test_a_dialog_that_was_not_recorded_is_the_models(workflow: Workflow) -> None:
    run = workflow.run("99999")

    assert run.status == "task_failed"
    assert run.error == ["The clinic has no patient 99999"]
    assert kinds(run)[-2:] == [("agentic", "click"), ("agentic", "declare_task_failed")]
    assert len(misses(run)) == 1


def test_another_prompt_is_not_done_by_an_old_recording(workflow: Workflow, site: Any) -> None:
    from cyberdesk import WorkflowUpdate

    site.client.workflows.update_sync(workflow.id, WorkflowUpdate(main_prompt=PROMPT + "\nPress F3"))
    try:
        run = workflow.run(JOHN)
    finally:
        site.client.workflows.update_sync(workflow.id, WorkflowUpdate(main_prompt=PROMPT))

    assert run.status == "success"
    assert {kind for kind, _ in kinds(run)} == {"agentic"}
