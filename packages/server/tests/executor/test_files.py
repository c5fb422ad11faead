"""Files on their way to the machine and back."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from cyberdesk_server.domain.actions import Action, ActionResult, RunCommand
from cyberdesk_server.domain.attachments import Attachment, AttachmentType
from cyberdesk_server.domain.ids import AttachmentId, RunId, StepId
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.domain.steps import Step, ToolCall, Turn
from cyberdesk_server.executor import files
from cyberdesk_server.executor.files import removal_of
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.ports import DesktopRefused, DesktopUnreachable
from cyberdesk_server.store import attachments
from cyberdesk_server.testing.ports import ScriptedDesktop, turns
from sqlalchemy.ext.asyncio import AsyncConnection

Stage = Any

HELLO = "/home/user/CyberdeskTransfers/hello.txt"
A_CLICK = Turn((ToolCall("click", {"x": 1, "y": 2}),))


def commands(desktop: ScriptedDesktop) -> list[str]:
    return [action.command for action in desktop.performed if isinstance(action, RunCommand)]


async def give(stage: Stage, run: Run, content: bytes = b"hello", **fields: Any) -> Attachment:
    """An input file of the run."""
    attachment = Attachment(
        id=AttachmentId(uuid4()),
        organization_id=run.organization_id,
        run_id=run.id,
        type=AttachmentType.INPUT,
        filename="hello.txt",
        content_type="text/plain",
        size_bytes=len(content),
        blob_key=f"run-attachments/{uuid4()}",
        created_at=stage.clock.now(),
    )
    attachment = replace(attachment, **fields)
    await stage.blobs.put(attachment.blob_key, content, content_type="text/plain")
    async with stage.database.transaction() as conn:
        await attachments.add(conn, attachment)
    return attachment


async def files_of(stage: Stage, run: Run) -> list[Attachment]:
    async with stage.database.read() as conn:
        found, _ = await attachments.find(conn, run.organization_id, run_id=run.id, now=stage.clock.now())
    return list(found)


@pytest.mark.parametrize(
    ("target_path", "path"),
    [
        (None, HELLO),
        ("~/CyberdeskTransfers/", HELLO),
        ("/srv/in", "/srv/in"),
        ("/srv/in/", "/srv/in/hello.txt"),
        ("/srv/folder", "/srv/folder/hello.txt"),
        ("/srv/folder/old.txt", "/srv/folder/old.txt"),
    ],
)
async def test_an_input_file_is_there_before_the_first_step(
    stage: Stage, target_path: str | None, path: str
) -> None:
    seen: list[dict[str, bytes]] = []
    stage.desktop.files["/srv/folder/old.txt"] = b"what was there before"
    stage.desktop.react = lambda _: seen.append(dict(stage.desktop.files)) or ActionResult()
    run = await stage.a_waiting_run()
    await give(stage, run, target_path=target_path)

    ending = await execute(await stage.claim(), stage.parts(turns(A_CLICK)))

    assert ending.status is RunStatus.SUCCESS, ending.error
    assert seen[0][path] == b"hello"
    [file] = await files_of(stage, run)
    assert file.written_path == path
    assert commands(stage.desktop) == []


@pytest.mark.parametrize("size", [0, 1, 10, 11, 25, 30])
async def test_a_large_file_comes_in_pieces(stage: Stage, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[int] = []

    class Counting(ScriptedDesktop):
        async def write_file(self, path: str, content: bytes, *, is_more: bool = False) -> str:
            pieces.append(len(content))
            return await super().write_file(path, content, is_more=is_more)

    monkeypatch.setattr(files, "WRITE_BYTES", 10)
    stage.desktop = Counting()
    content = bytes(range(size))
    await give(stage, await stage.a_waiting_run(), content)

    await execute(await stage.claim(), stage.parts(turns()))

    assert stage.desktop.files[HELLO] == content
    assert max(pieces) <= 10


async def test_a_file_whose_writing_broke_is_written_from_its_beginning(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaking(ScriptedDesktop):
        breaks_left = 3

        async def write_file(self, path: str, content: bytes, *, is_more: bool = False) -> str:
            written = await super().write_file(path, content, is_more=is_more)
            if is_more and self.breaks_left:
                self.breaks_left -= 1
                raise DesktopUnreachable("the answer got lost")
            return written

    monkeypatch.setattr(files, "WRITE_BYTES", 10)
    stage.desktop = Breaking()
    await give(stage, await stage.a_waiting_run(), bytes(range(35)))

    ending = await execute(await stage.claim(), stage.parts(turns()))

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.files[HELLO] == bytes(range(35))


async def test_a_file_that_cannot_be_written_ends_the_run_before_its_first_step(stage: Stage) -> None:
    class Full(ScriptedDesktop):
        async def write_file(self, path: str, content: bytes, *, is_more: bool = False) -> str:
            raise DesktopRefused(507, "no space left on device")

    stage.desktop = Full()
    run = await stage.a_waiting_run()
    await give(stage, run)

    ending = await execute(await stage.claim(), stage.parts(turns(A_CLICK)))

    assert ending.status is RunStatus.ERROR
    assert ending.error == (
        "the input file hello.txt cannot be put on the machine: "
        "the desktop answered 507: no space left on device",
    )
    assert stage.desktop.performed == []


async def test_a_file_without_its_content_ends_the_run(stage: Stage) -> None:
    run = await stage.a_waiting_run()
    file = await give(stage, run)
    await stage.blobs.delete(file.blob_key)

    ending = await execute(await stage.claim(), stage.parts(turns(A_CLICK)))

    assert ending.error == ("the content of the input file hello.txt is gone",)


async def test_an_expired_file_is_not_brought(stage: Stage) -> None:
    await give(stage, await stage.a_waiting_run(), expires_at=stage.clock.now() + timedelta(seconds=1))
    stage.clock.advance(2)

    await execute(await stage.claim(), stage.parts(turns()))

    assert stage.desktop.files == {}


@dataclass
class Course:
    """How a run goes, and how it ends."""

    turn: Turn
    status: RunStatus


FAILING = Turn((ToolCall("declare_task_failed", {"reason": "x"}),))


@pytest.mark.parametrize(
    "course",
    [
        Course(A_CLICK, RunStatus.SUCCESS),
        Course(FAILING, RunStatus.TASK_FAILED),
    ],
)
async def test_files_that_are_not_to_stay_are_removed_however_the_run_ends(
    stage: Stage, course: Course
) -> None:
    run = await stage.a_waiting_run()
    await give(stage, run, cleanup_imports_after_run=True)
    await give(stage, run, filename="stays.txt")

    ending = await execute(await stage.claim(), stage.parts(turns(course.turn)))

    assert ending.status is course.status
    assert commands(stage.desktop) == [f"rm -f -- '{HELLO}'"]
    assert isinstance(stage.desktop.performed[-1], RunCommand)


async def test_a_run_without_files_looks_for_them_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[RunId] = []
    inputs_of = attachments.inputs_of

    async def noted(conn: AsyncConnection, run_id: RunId, *, now: datetime) -> tuple[Attachment, ...]:
        looks.append(run_id)
        return await inputs_of(conn, run_id, now=now)

    monkeypatch.setattr(attachments, "inputs_of", noted)

    await stage.execute(turns(A_CLICK, Turn()))

    assert looks == [stage.run_id]


async def test_files_are_removed_after_a_cancellation(stage: Stage) -> None:
    class Cancelling(ScriptedDesktop):
        async def perform(
            self, action: Action, action_id: StepId, *, is_repeat: bool = False
        ) -> ActionResult:
            if not isinstance(action, RunCommand):
                await stage.cancel()
            return await super().perform(action, action_id, is_repeat=is_repeat)

    stage.desktop = Cancelling()
    await give(stage, await stage.a_waiting_run(), cleanup_imports_after_run=True)

    ending = await execute(await stage.claim(), stage.parts(turns(A_CLICK, A_CLICK)))

    assert ending.status is RunStatus.CANCELLED
    assert commands(stage.desktop) == [f"rm -f -- '{HELLO}'"]


async def test_half_a_file_is_removed_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    class Filling(ScriptedDesktop):
        async def write_file(self, path: str, content: bytes, *, is_more: bool = False) -> str:
            if is_more:
                raise DesktopRefused(507, "no space left on device")
            return await super().write_file(path, content, is_more=is_more)

    monkeypatch.setattr(files, "WRITE_BYTES", 2)
    stage.desktop = Filling()
    await give(stage, await stage.a_waiting_run(), cleanup_imports_after_run=True)

    ending = await execute(await stage.claim(), stage.parts(turns(A_CLICK)))

    assert ending.status is RunStatus.ERROR
    assert commands(stage.desktop) == [f"rm -f -- '{HELLO}'"]


@pytest.mark.parametrize(
    "trouble",
    [DesktopRefused(403, "no shell here"), DesktopUnreachable("gone"), ActionResult(exit_code=1)],
)
async def test_a_file_that_cannot_be_removed_changes_nothing(
    stage: Stage, trouble: DesktopRefused | DesktopUnreachable | ActionResult
) -> None:
    def react(action: Action) -> ActionResult:
        if isinstance(trouble, ActionResult):
            return trouble
        raise trouble

    stage.desktop.react = react
    await give(stage, await stage.a_waiting_run(), cleanup_imports_after_run=True)

    ending = await execute(await stage.claim(), stage.parts(turns()))

    assert ending.status is RunStatus.SUCCESS


async def test_a_removal_that_takes_too_long_is_given_up(stage: Stage) -> None:
    import asyncio

    class Hanging(ScriptedDesktop):
        async def perform(
            self, action: Action, action_id: StepId, *, is_repeat: bool = False
        ) -> ActionResult:
            await asyncio.get_running_loop().create_future()
            raise AssertionError

    stage.desktop = Hanging()
    stage.limits = replace(stage.limits, cleanup_seconds=0.1)
    await give(stage, await stage.a_waiting_run(), cleanup_imports_after_run=True)

    ending = await execute(await stage.claim(), stage.parts(turns()))

    assert ending.status is RunStatus.SUCCESS


async def test_a_worker_that_takes_over_does_not_write_what_the_run_may_have_changed(stage: Stage) -> None:
    run = await stage.a_waiting_run()
    await give(stage, run, cleanup_imports_after_run=True)

    class Dying(Exception):
        pass

    def change_and_die(_: Action) -> ActionResult:
        stage.desktop.files[HELLO] = b"changed by the run"
        raise Dying

    stage.desktop.react = change_and_die
    with pytest.raises(Dying):
        await execute(await stage.claim(), stage.parts(turns(A_CLICK)))
    stage.desktop.react = lambda _: ActionResult()

    ending = await stage.take_over(turns(A_CLICK))

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.files[HELLO] == b"changed by the run"
    assert commands(stage.desktop) == [f"rm -f -- '{HELLO}'"]


async def test_a_worker_that_takes_over_before_the_first_step_brings_the_files(stage: Stage) -> None:
    class Dying(ScriptedDesktop):
        async def write_file(self, path: str, content: bytes, *, is_more: bool = False) -> str:
            raise RuntimeError("killed")

    stage.desktop = Dying()
    await give(stage, await stage.a_waiting_run())
    with pytest.raises(RuntimeError, match="killed"):
        await execute(await stage.claim(), stage.parts(turns(A_CLICK)))
    stage.desktop = ScriptedDesktop()

    ending = await stage.take_over(turns(A_CLICK))

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.files[HELLO] == b"hello"


async def test_a_worker_that_lost_the_run_removes_nothing(stage: Stage) -> None:
    class Losing(ScriptedDesktop):
        async def perform(
            self, action: Action, action_id: StepId, *, is_repeat: bool = False
        ) -> ActionResult:
            stage.clock.advance(61)
            await stage.claim()
            return await super().perform(action, action_id, is_repeat=is_repeat)

    stage.desktop = Losing()
    await give(stage, await stage.a_waiting_run(), cleanup_imports_after_run=True)

    await execute(await stage.claim(), stage.parts(turns(A_CLICK)))

    assert commands(stage.desktop) == []
    assert HELLO in stage.desktop.files


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("/home/it's/a b.txt", "rm -f -- '/home/it'\\''s/a b.txt'"),
        (
            "C:\\it's\\a.txt",
            "if (Test-Path -LiteralPath 'C:\\it''s\\a.txt') "
            "{ Remove-Item -Force -LiteralPath 'C:\\it''s\\a.txt' }",
        ),
    ],
)
def test_a_removal_speaks_the_shell_of_the_path(path: str, command: str) -> None:
    assert removal_of(path) == command


EXPORT = Turn((ToolCall("mark_file_for_export", {"path": "~/{name}.txt"}),))


async def test_an_exported_file_becomes_an_output_of_the_run(stage: Stage) -> None:
    content = bytes(range(256)) * 5000
    stage.desktop.files["/home/user/report.txt"] = content

    ending = await stage.execute(turns(EXPORT), inputs={"name": "report"}, includes_file_exports=True)

    async with stage.database.read() as conn:
        by_type = (await attachments.ids_of(conn, [stage.run_id]))[stage.run_id]
        [key] = [key for key in stage.blobs.contents if key.startswith("run-attachments/")]
    assert ending.status is RunStatus.SUCCESS
    assert list(by_type) == [AttachmentType.OUTPUT]
    assert stage.blobs.contents[key] == content
    assert key.endswith("/report.txt")
    [step] = await stage.history()
    assert step.result == {"text": f"exported report.txt, {len(content)} bytes"}


async def exported(stage: Stage, **workflow: Any) -> Step:
    await stage.execute(turns(EXPORT), inputs={"name": "report"}, **workflow)
    [step] = await stage.history()
    return step


async def test_an_export_of_nothing_fails_with_the_reason(stage: Stage) -> None:
    step = await exported(stage, includes_file_exports=True)

    assert step.error is not None
    assert "~/report.txt cannot be read" in step.error
    assert await stage.number_of_files() == 0


async def test_nothing_is_exported_unless_the_workflow_says_so(stage: Stage) -> None:
    stage.desktop.files["/home/user/report.txt"] = b"x"

    step = await exported(stage)

    assert step.error == "the workflow does not include file exports (includes_file_exports)"
    assert await stage.number_of_files() == 0


async def test_a_file_that_is_too_large_is_not_exported(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cyberdesk_server.executor.tools import files as tool

    monkeypatch.setattr(tool, "MAX_FILE_BYTES", 3)
    stage.desktop.files["/home/user/report.txt"] = b"four"

    step = await exported(stage, includes_file_exports=True)

    assert step.error == "~/report.txt has 4 bytes, more than 3"


async def test_an_export_done_twice_is_one_file(stage: Stage) -> None:
    stage.desktop.files["/home/user/report.txt"] = b"x"
    ids = iter([UUID(int=7)])
    run = await stage.a_waiting_run(inputs={"name": "report"}, includes_file_exports=True)

    class Dying(Exception):
        pass

    async def die(*_: Any, **__: Any) -> None:
        raise Dying

    parts = stage.parts(turns(EXPORT), new_id=lambda: next(ids))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(attachments, "add_output", die)
        with pytest.raises(Dying):
            await execute(await stage.claim(), parts)
    ending = await stage.take_over(turns(EXPORT))

    assert ending.status is RunStatus.SUCCESS
    assert len(await files_of(stage, run)) == 1
    assert len([key for key in stage.blobs.contents if key.startswith("run-attachments/")]) == 1
