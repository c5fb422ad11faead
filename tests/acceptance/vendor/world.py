"""What the placeholders of the documents stand for: something real on a server, of the kind they name."""

import base64
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from cyberdesk import (
    AttachmentType,
    MachinePoolAssignment,
    ModelConfigurationCreate,
    PoolCreate,
    RunAttachmentCreate,
    RunCreate,
    RunStatus,
    RunUpdate,
    TrajectoryCreate,
)

ROOT = Path(__file__).resolve().parents[3]

CLINIC_PROMPT = (ROOT / "demo" / "workflow.txt").read_text(encoding="utf-8")
FILE_PROMPT = """
Run the command "echo Summary: nothing to report. >> ~/CyberdeskTransfers/report.txt"
Export the file "~/CyberdeskTransfers/report.txt"
"""
QUICK_PROMPT = 'Check whether "Patient" is visible as result'

LITERAL = re.compile(r"(['\"])([^'\"\n]+)\1")
_DELETED = re.compile(r"\.delete(_sync)?\($")


class World:
    """What a reader has on the server; a new thing for each placeholder of a block."""

    def __init__(self, site: Any, clinic: Any) -> None:
        self.site = site
        self.clinic = clinic
        self.block = ""
        self.finished = self.run()
        """A run that has ended well, for whoever is told of one."""

    def workflow(self, prompt: str = QUICK_PROMPT, **fields: Any) -> str:
        workflow_id: str = self.site.workflow(prompt, **fields)
        if "trajectories" in self.block:
            self.client.trajectories.create_sync(TrajectoryCreate(workflow_id, steps=[])).unwrap()
        return workflow_id

    def machine(self) -> str:
        machine_id: str = self.site.spare_machine()
        return machine_id

    def pool(self) -> str:
        """A pool; with the clinic in it where a block starts a session and ends it again."""
        pool_id = str(self.client.pools.create_sync(PoolCreate(name=f"pool {uuid4()}")).unwrap().id)
        if "start_session=True" in self.block or '"step1.outputs.result"' in self.block:
            machines = MachinePoolAssignment(machine_ids=[self.clinic.id])
            self.client.pools.add_machines_sync(pool_id, machines).unwrap()
        return pool_id

    def run(self, **fields: Any) -> Any:
        """A run that has ended well; one that still waits where a block updates it."""
        order = RunCreate(self.site.workflow(QUICK_PROMPT), machine_id=self.machine(), **fields)
        made = self.client.runs.create_sync(order).unwrap()
        if "runs.update" in self.block:
            return made
        ended = RunUpdate(status=RunStatus.SUCCESS, output_data={"result": "seen"})
        return self.client.runs.update_sync(made.id, ended).unwrap()

    def attachment(self) -> str:
        content = base64.b64encode(b"%PDF-1.7").decode()
        made = self.client.run_attachments.create_sync(
            RunAttachmentCreate(self.run().id, "chart.pdf", content, "application/pdf", AttachmentType.OUTPUT)
        )
        return str(made.unwrap().id)

    def session(self) -> str:
        order = RunCreate(self.site.workflow(QUICK_PROMPT), machine_id=self.machine(), start_session=True)
        return str(self.client.runs.create_sync(order).unwrap().session_id)

    def trajectory(self) -> str:
        order = TrajectoryCreate(self.site.workflow(QUICK_PROMPT), steps=[])
        return str(self.client.trajectories.create_sync(order).unwrap().id)

    def tag(self) -> str:
        return str(self.client.workflow_tags.create_sync(name=f"tag {uuid4()}").unwrap().id)

    def group(self) -> str:
        return str(self.client.workflow_tag_groups.create_sync(name=f"group {uuid4()}").unwrap().id)

    def model(self) -> str:
        order = ModelConfigurationCreate(name="mine", provider="openai", model_id="gpt-4o", api_key="k")
        return str(self.client.model_configurations.create_sync(order).unwrap().id)

    def picture(self) -> str:
        uploaded = self.client.workflows.upload_prompt_image_sync(file_path="screenshot.png").unwrap()
        return str(uploaded.supabase_url).removeprefix("supabase://workflow-prompt-images/")

    @property
    def client(self) -> Any:
        return self.site.client


KINDS: Mapping[str, Callable[[World], str]] = {
    r"YOUR_API_KEY|your-api-key": lambda world: world.site.server.api_key,
    r"https://(api\.your-domain\.com|custom-api\.cyberdesk\.io)": lambda world: world.site.server.base_url,
    r"your-workflow-id|550e8400-.*-446655440000": lambda world: world.workflow(CLINIC_PROMPT),
    r"your-file-processing-workflow-id": lambda world: world.workflow(
        FILE_PROMPT, includes_file_exports=True
    ),
    r"your-machine-id|550e8400-.*-446655440001": lambda world: world.clinic.id,
    r"([a-z\d]+-)+workflow-id|workflow-(id|uuid)|wf-.": World.workflow,
    r"machine-(id|uuid|\d)": World.machine,
    r"pool-(id|\d|uuid-\d|with-chrome)|customer-a|(customer-a|excel)-pool-id": World.pool,
    r"run-(id|uuid)": lambda world: str(world.run().id),
    r"attachment-uuid": World.attachment,
    r"existing-session-uuid": World.session,
    r"trajectory-id": World.trajectory,
    r"(production-)?tag-(id|\d)": World.tag,
    r"(priority-)?group-(id|\d)": World.group,
    r"config-id": World.model,
    r"org_xxx/prompt-assets/my-image\.png": World.picture,
}
"""What a placeholder stands for, by how it is spelled; the first that fits counts."""


def _patient_run(world: World) -> Callable[..., Any]:
    async def create_patient_run(client: Any, patient_id: str) -> Any:
        inputs = {"patient_id": patient_id, "patient_last_name": "Doe"}
        order = RunCreate(workflow_id, machine_id=world.clinic.id, input_values=inputs)
        return (await client.runs.create(order)).data

    workflow_id = world.workflow(CLINIC_PROMPT)
    return create_patient_run


def _event(world: World) -> dict[str, Any]:
    run = world.run(start_session=True, release_session_after=True)
    return {"event_id": str(uuid4()), "event_type": "run_complete", "run": run.to_dict()}


LEFT_TO_THE_READER: Mapping[str, Callable[[World], Any]] = {
    "data": lambda world: RunCreate(world.workflow()),
    "order_id": lambda world: 7,
    "base64_pdf": lambda world: base64.b64encode(b"%PDF-1.7").decode(),
    "existing_session_id": World.session,
    "patient_ids": lambda world: ["12345"],
    "create_patient_run": _patient_run,
    "event": _event,
}
"""Names that blocks use and no block defines."""


def put_in(source: str, world: World) -> str:
    """The source with something real in place of each placeholder; after its deletion something new."""
    real: dict[str, str] = {}

    def replaced(found: re.Match[str]) -> str:
        text = found[2]
        make = next((make for kind, make in KINDS.items() if re.fullmatch(kind, text)), None)
        if make is None:
            return found[0]
        value = real[text] = real.get(text) or make(world)
        if _DELETED.search(source[: found.start()]):
            del real[text]
        return repr(value)

    return LITERAL.sub(replaced, source)
