"""What the tests of sentences share: things on the server, prompts, and where the sentences stand."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from cyberdesk import (
    AttachmentType,
    FileInput,
    PoolCreate,
    RunCreate,
    RunRetry,
    RunStatus,
    RunUpdate,
    WorkflowChainCreate,
)

DOCUMENTS = Path(__file__).resolve().parents[3] / "packages" / "sdk" / "tests" / "documents"
PROMPT = 'Succeed with "done"'
CONTENT = base64.b64encode(b"Dear reader").decode()
RUN_SECONDS = 90


class Office:
    """What the tests have on the server; its machines never connect, so that their runs wait."""

    def __init__(self, site: Any) -> None:
        self.site = site
        self.client = site.client
        self.workflow_id = site.workflow(PROMPT)

    def machine(self) -> str:
        machine_id: str = self.site.spare_machine()
        return machine_id

    def pool(self) -> str:
        return str(self.client.pools.create_sync(PoolCreate(name=f"pool {uuid4()}")).unwrap().id)

    def run(self, **fields: Any) -> Any:
        fields = {"workflow_id": self.workflow_id, "machine_id": self.machine(), **fields}
        return self.client.runs.create_sync(RunCreate(**fields)).unwrap()

    def ended(self, status: RunStatus = RunStatus.SUCCESS, **fields: Any) -> Any:
        """A run that was ended with output."""
        update = RunUpdate(status=status, output_data={"result": 1}, run_message_history=[{"role": "user"}])
        return self.client.runs.update_sync(self.run(**fields).id, update).unwrap()

    def retried(self, run: Any, **fields: Any) -> Any:
        return self.client.runs.retry_sync(run.id, RunRetry(**fields)).unwrap()

    def attachments(self, run_id: Any, kind: AttachmentType) -> list[Any]:
        page = self.client.run_attachments.list_sync(run_id=run_id, attachment_type=kind).unwrap()
        return list(page.items)

    def chain(self, *steps: dict[str, Any], **fields: Any) -> list[Any]:
        """The runs of a new chain, by its own order."""
        order = WorkflowChainCreate.from_dict({**fields, "steps": list(steps)})
        made = self.client.runs.chain_sync(order).unwrap()
        return [self.client.runs.get_sync(run_id).unwrap() for run_id in made.run_ids]

    def get(self, run: Any) -> Any:
        return self.client.runs.get_sync(run.id).unwrap()

    def tag(self, **fields: Any) -> Any:
        return self.client.workflow_tags.create_sync(name=f"tag {uuid4()}", **fields).unwrap()

    def group(self) -> Any:
        return self.client.workflow_tag_groups.create_sync(name=f"group {uuid4()}").unwrap()

    def tags_of(self, workflow_id: str) -> list[Any]:
        found = self.client.workflow_tags.get_for_workflow_sync(workflow_id).unwrap()
        return [tag.id for tag in found]


def a_file(name: str = "a.txt", **fields: Any) -> FileInput:
    return FileInput(filename=name, content=CONTENT, **fields)


def echo(text: str, file: Path) -> str:
    """A prompt that writes the text into the file."""
    return f"Run the command \"echo '{text}' >> '{file}'\""


def plain(text: str) -> str:
    """Without markup, in one line."""
    return " ".join(re.sub(r"</?code>|[`*\\]", "", text).split())


def in_no_document(tests: Mapping[str, object]) -> list[str]:
    """The sentences of these tests that the vendor's documents do not say."""
    documents = plain(" ".join(path.read_text(encoding="utf-8") for path in DOCUMENTS.glob("*.md")))
    sentences = [
        plain(test.__doc__ or name)
        for name, test in tests.items()
        if name.startswith("test_") and name != "test_every_sentence_stands_in_a_document"
    ]
    return [sentence for sentence in sentences if sentence not in documents]
