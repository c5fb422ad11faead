"""A file goes to a real machine before the first step, comes back changed after the last one, and leaves
nothing behind."""

import base64
from pathlib import Path
from typing import Any

import pytest
from cyberdesk import AttachmentType, FileInput, MachineUpdate, RunAttachmentCreate, RunCreate, RunRetry

pytestmark = pytest.mark.slow

CONTENT = bytes(range(256)) * 20_000
"""5 MB: several pieces on the way in, one large answer on the way out."""


def test_a_file_goes_to_the_machine_and_comes_back_changed_on_every_try(
    site: Any, machine_for: Any, tmp_path: Path
) -> None:
    machine = machine_for("xterm", name="files")
    folder = tmp_path / "in here"
    sent, made = folder / "input.bin", folder / "output.bin"
    workflow_id = site.workflow(
        f"Run the command \"cat '{sent}' '{sent}' > '{made}'\"\nExport the file \"{made}\"",
        includes_file_exports=True,
    )
    given = FileInput(
        filename="input.bin",
        content=base64.b64encode(CONTENT).decode(),
        target_path=f"{folder}/",
        cleanup_imports_after_run=True,
    )
    run_id = site.client.runs.create_sync(
        RunCreate(workflow_id=workflow_id, machine_id=machine.id, file_inputs=[given])
    ).data.id

    run = site.ended(str(run_id))

    [output] = site.client.run_attachments.list_sync(
        run_id=run_id, attachment_type=AttachmentType.OUTPUT
    ).data.items
    assert (run.status, run.error) == ("success", None)
    [input_] = site.client.run_attachments.list_sync(
        run_id=run_id, attachment_type=AttachmentType.INPUT
    ).data.items
    assert run.input_attachment_ids == [str(input_.id)]
    assert run.output_attachment_ids == [str(output.id)]
    assert (output.filename, output.size_bytes) == ("output.bin", 2 * len(CONTENT))
    assert site.client.run_attachments.download_sync(output.id).data == CONTENT + CONTENT
    assert made.exists()
    assert not sent.exists(), "the input was to be removed after the run"

    made.unlink()
    site.client.runs.retry_sync(run_id, RunRetry())
    again = site.ended(str(run_id))

    [output] = site.client.run_attachments.list_sync(
        run_id=run_id, attachment_type=AttachmentType.OUTPUT
    ).data.items
    assert (again.status, again.error) == ("success", None)
    assert output.size_bytes == 2 * len(CONTENT), "the next try got its input as well"
    assert not sent.exists()


def test_a_file_that_cannot_be_written_ends_the_run_with_the_reason(
    site: Any, machine_for: Any, tmp_path: Path
) -> None:
    machine = machine_for("xterm", name="no room for files")
    (tmp_path / "no folder").write_text("a file")
    workflow_id = site.workflow(f"Run the command \"touch '{tmp_path}/done'\"")
    site.client.machines.update_sync(machine.id, MachineUpdate(is_available=False))
    run_id = site.client.runs.create_sync(RunCreate(workflow_id=workflow_id, machine_id=machine.id)).data.id
    site.client.run_attachments.create_sync(
        RunAttachmentCreate(
            run_id=run_id,
            filename="input.bin",
            content="QUJD",
            content_type="application/octet-stream",
            attachment_type=AttachmentType.INPUT,
            target_path=f"{tmp_path}/no folder/",
        )
    )

    site.client.machines.update_sync(machine.id, MachineUpdate(is_available=True))
    run = site.ended(str(run_id))

    [reason] = run.error
    assert run.status == "error"
    assert "the input file input.bin cannot be put on the machine" in reason
    assert not (tmp_path / "done").exists()
