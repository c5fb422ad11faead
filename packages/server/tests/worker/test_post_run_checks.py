"""Post-run checks: made by whoever holds the run, on its machine's time only in a session, and once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from cyberdesk_server.domain.check_verdicts import Judgement, Question
from cyberdesk_server.domain.ids import SessionId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.runs import ANY_MACHINE, Run, RunStatus, demand_of_session
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.domain.steps import ToolCall, Turn
from cyberdesk_server.store import machines, sessions, trajectories
from cyberdesk_server.testing.ports import FunctionModel, turns
from cyberdesk_server.testing.rows import NOON

Floor = Any


def a_check(type_: str = "output_data_agentic_check", **members: Any) -> JsonObject:
    usual = {"id": str(uuid4()), "name": "Plausible", "type": type_, "status": "pending"}
    return usual | {"check_prompt": "Is it {x}?"} | members


def a_file_check(*names: str, **members: Any) -> JsonObject:
    return a_check("run_attachment_exists", name="Exported", file_names=list(names), **members)


def saving(*filenames: str, verdict: Callable[[Question], Judgement] | None = None) -> FunctionModel:
    """A model that saves screenshots under these names, and judges so."""
    model = turns(
        *[Turn((ToolCall("save_screenshot_as_run_attachment", {"filename": name}),)) for name in filenames]
    )
    model.verdict = verdict
    return model


def yes(_: Question) -> Judgement:
    return Judgement(True, "It is.")


def no(_: Question) -> Judgement:
    return Judgement(False, "It is not.")


class Judging:
    """A model that takes its time to judge: it is `asked`, and waits until it `may_answer`.

    Before that it saves screenshots under these names."""

    def __init__(self, *filenames: str) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.model = saving(*filenames)
        self.model.before_judging = self._wait

        self.model.verdict = yes

    async def _wait(self) -> None:
        self.asked.set()
        await self.may_answer.wait()


def has_ended(run: Run) -> bool:
    return run.status.is_terminal


def statuses(run: Run) -> list[Any]:
    return [check["status"] for check in run.post_run_checks or ()]


async def carried_out(floor: Floor, model: FunctionModel, *checks: JsonObject, **fields: Any) -> Run:
    await floor.machine()
    async with floor.working(floor.worker(model)):
        run = await floor.announced_run(post_run_checks=checks, **fields)
        ended: Run = await floor.until(run.id, has_ended)
    return ended


async def test_a_run_whose_checks_pass_succeeds(floor: Floor) -> None:
    ended = await carried_out(
        floor,
        saving("a.png", "b.png", verdict=yes),
        a_file_check("a.png"),
        a_check(),
        a_check("run_attachment_image_check", file_names=["b.png"]),
        a_file_check(file_target_mode="regex", file_name_regex=r".\.png", expected_match_count=2),
        input_values={"x": "blue"},
    )

    assert (ended.status, ended.error) == (RunStatus.SUCCESS, None)
    assert statuses(ended) == ["success"] * 4
    assert [check["matched_filenames"] for check in ended.post_run_checks or ()] == [
        ["a.png"],
        None,
        ["b.png"],
        ["a.png", "b.png"],
    ]
    assert ended.usage_metadata is not None
    assert ended.usage_metadata["total_agentic_steps"] == 4  # two turns, two judgements
    assert ended.usage_metadata["billing_outcome"] == "success"


async def test_a_model_is_shown_what_the_check_is_about(floor: Floor) -> None:
    model = saving("a.png", "b.png", verdict=yes)

    await carried_out(
        floor,
        model,
        a_check("run_attachment_image_check", file_names=["b.png"]),
        a_check(),
        input_values={"x": "blue"},
    )

    of_picture, of_output = model.judged
    assert [picture.filename for picture in of_picture.pictures] == ["b.png"]
    assert of_picture.pictures[0].content.startswith(b"\x89PNG")
    assert {of_picture.prompt, of_output.prompt} == {"Is it blue?"}
    assert of_output.pictures == ()


async def test_all_checks_are_made_and_those_that_failed_are_named(floor: Floor) -> None:
    ended = await carried_out(
        floor, saving("a.png", verdict=no), a_file_check("b.png", "c.png"), a_check(), a_file_check("a.png")
    )

    assert ended.status is RunStatus.ERROR
    assert ended.error == (
        "post-run check Exported failed: there is no file b.png; there is no file c.png",
        "post-run check Plausible failed: It is not.",
    )
    assert statuses(ended) == ["failed", "failed", "success"]
    assert ended.usage_metadata is not None
    assert ended.usage_metadata["billing_outcome"] == "user_task_failed"


async def test_a_check_that_could_not_be_made_is_no_success(floor: Floor) -> None:
    ended = await carried_out(
        floor,
        saving("a.png"),
        a_check(),
        a_check("output_data_passes_schema_validation", name="Fits"),
        a_check("other", name="Odd"),
        a_file_check("a.png"),
    )

    assert ended.status is RunStatus.ERROR
    assert ended.error == (
        "post-run check Plausible could not be made: this model does not judge",
        "post-run check Fits could not be made: the workflow has no output_schema any more",
        "post-run check Odd could not be made: it is no check: 'other' is not a valid PostRunCheckType",
    )
    assert statuses(ended) == ["infra_error"] * 3 + ["success"]
    assert ended.usage_metadata is not None
    assert ended.usage_metadata["total_agentic_steps_billed"] == 0


async def test_what_a_run_did_is_recorded_only_when_its_checks_passed(floor: Floor) -> None:
    recorded = []
    for filename in ("missing.png", "a.png"):
        ended = await carried_out(floor, saving("a.png"), a_file_check(filename))
        async with floor.database.read() as conn:
            ids = await trajectories.ids_of_workflow(conn, floor.workflow.id)
        recorded.append((ended.status, len(ids)))

    assert recorded == [(RunStatus.ERROR, 0), (RunStatus.SUCCESS, 1)]


async def test_a_check_says_which_model_is_to_judge(floor: Floor) -> None:
    model, named = saving(verdict=yes), uuid4()

    await carried_out(floor, model, a_check(model=str(named)), a_check())

    assert [question.model for question in model.judged] == [named, None]


async def test_missing_pictures_may_be_passed_over(floor: Floor) -> None:
    picture = {"type_": "run_attachment_image_check", "file_names": ["a.png"]}
    model = saving(verdict=no)

    ended = await carried_out(
        floor, model, a_check(**picture), a_check(**picture, allow_missing_attachments=True)
    )

    assert statuses(ended) == ["failed", "success"]
    assert model.judged == []


async def test_no_checks_are_made_of_a_run_that_did_not_go_well(floor: Floor) -> None:
    failing = turns(Turn((ToolCall("declare_task_failed", {"reason": "no"}),)))

    ended = await carried_out(floor, failing, a_file_check("a.png"))

    assert (ended.status, statuses(ended)) == (RunStatus.TASK_FAILED, ["pending"])


async def test_a_run_on_its_own_leaves_its_machine_before_its_checks(floor: Floor) -> None:
    judging = Judging()
    machine = await floor.machine()

    async with floor.working(floor.worker(judging.model)):
        checked = await floor.announced_run(post_run_checks=(a_check(),))
        await judging.asked.wait()
        during = await floor.now(checked.id)
        was_free = await floor.is_free(machine)
        other = await floor.until((await floor.announced_run()).id, has_ended)
        judging.may_answer.set()
        ended = await floor.until(checked.id, has_ended)

    assert (during.status, during.ended_at, statuses(during)) == (
        RunStatus.RUNNING_CHECKS,
        None,
        ["running"],
    )
    assert was_free
    assert (other.status, other.machine_id) == (RunStatus.SUCCESS, machine.id)
    assert (ended.status, ended.machine_id) == (RunStatus.SUCCESS, machine.id)


async def test_in_a_session_the_machine_waits_for_the_checks_and_so_does_the_next_run(floor: Floor) -> None:
    judging = Judging()
    machine = await floor.machine()
    session = SessionId(uuid4())
    async with floor.database.transaction() as conn:
        await sessions.add(conn, Session(session, floor.organization_id, ANY_MACHINE, NOON))
        first = await floor.run_in(conn, session_id=session, post_run_checks=(a_check(),))
        second = await floor.run_in(
            conn, session_id=session, demand=demand_of_session(session), release_session_after=True
        )

    async with floor.working(floor.worker(judging.model)):
        await judging.asked.wait()
        during = (await floor.now(first.id)).status, (await floor.now(second.id)).status
        was_free = await floor.is_free(machine)
        judging.may_answer.set()
        await floor.until(second.id, has_ended)
        ended = await floor.now(first.id), await floor.now(second.id)

    assert during == (RunStatus.RUNNING_CHECKS, RunStatus.SCHEDULING)
    assert not was_free
    assert [run.status for run in ended] == [RunStatus.SUCCESS] * 2
    assert ended[0].ended_at <= ended[1].started_at
    assert await floor.is_free(machine)


async def after_its_worker_was_lost(
    floor: Floor, meanwhile: Callable[[Run], Awaitable[None]], *checks: JsonObject
) -> tuple[Run, FunctionModel]:
    """A run whose worker was gone in the middle of its last check, and the model another went on with."""
    lost = Judging()
    worker = asyncio.create_task(floor.worker(lost.model).run())
    run = await floor.announced_run(post_run_checks=checks)
    await lost.asked.wait()
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    await floor.expire_leases()
    await meanwhile(run)
    model = saving("never", verdict=yes)
    async with floor.working(floor.worker(model)):
        ended = await floor.until(run.id, has_ended)
    return ended, model


async def test_another_worker_goes_on_with_the_checks_and_with_nothing_else(floor: Floor) -> None:
    await floor.machine()

    async def nothing(_: Run) -> None:
        pass

    ended, model = await after_its_worker_was_lost(floor, nothing, a_file_check("a"), a_check())

    assert (ended.status, ended.attempt) == (RunStatus.ERROR, 2)
    assert statuses(ended) == ["failed", "success"]
    assert model.questions == []
    assert len(model.judged) == 1


async def test_checks_go_on_though_the_machine_is_gone(floor: Floor) -> None:
    machine = await floor.machine()

    async def delete_machine(_: Run) -> None:
        async with floor.database.transaction() as conn:
            assert await machines.delete(conn, floor.organization_id, machine.id)

    ended, _ = await after_its_worker_was_lost(floor, delete_machine, a_check())

    assert (ended.status, ended.machine_id) == (RunStatus.SUCCESS, None)


async def test_a_run_that_is_cancelled_in_its_checks_ends_once_and_lets_go(floor: Floor) -> None:
    judging = Judging()
    machine = await floor.machine()

    async with floor.working(floor.worker(judging.model)):
        run = await floor.announced_run(post_run_checks=(a_check(),))
        await judging.asked.wait()
        await floor.cancel(run.id)
        while (ended := await floor.now(run.id)).lease_expires_at is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        judging.may_answer.set()

    assert (ended.status, ended.error) == (RunStatus.CANCELLED, None)
    assert await floor.now(run.id) == ended
    assert await floor.is_free(machine)


async def test_a_stopping_worker_leaves_the_checks_to_the_next(floor: Floor) -> None:
    judging = Judging()
    await floor.machine()

    async with floor.working(floor.worker(judging.model, shutdown_seconds=0.05)):
        run = await floor.announced_run(post_run_checks=(a_check(),))
        await judging.asked.wait()
    left = await floor.now(run.id)
    async with floor.working(floor.worker(saving(verdict=yes))):
        ended = await floor.until(run.id, has_ended)

    assert (left.status, ended.status, ended.attempt) == (RunStatus.RUNNING_CHECKS, RunStatus.SUCCESS, 2)


async def test_what_a_run_did_is_recorded_though_another_worker_makes_its_checks(floor: Floor) -> None:
    judging = Judging("a.png")
    await floor.machine()

    async with floor.working(floor.worker(judging.model, shutdown_seconds=0.05)):
        run = await floor.announced_run(post_run_checks=(a_check(),))
        await judging.asked.wait()
    async with floor.working(floor.worker(saving(verdict=yes))):
        await floor.until(run.id, has_ended)

    async with floor.database.read() as conn:
        [trajectory_id] = await trajectories.ids_of_workflow(conn, floor.workflow.id)
        recorded = await trajectories.get(conn, floor.organization_id, trajectory_id)
    assert recorded is not None
    assert (recorded.run_id, recorded.is_approved) == (run.id, False)


async def test_the_time_limit_of_a_run_holds_for_its_checks(floor: Floor) -> None:
    judging = Judging()
    await floor.machine()

    async with floor.working(floor.worker(judging.model)):
        run = await floor.announced_run(
            post_run_checks=(a_check(), a_file_check("a")), run_time_limit_seconds=3600
        )
        await judging.asked.wait()
        await floor.started_earlier(run.id, seconds=3601)
    async with floor.working(floor.worker(saving(verdict=yes))):
        ended = await floor.until(run.id, has_ended)

    assert statuses(ended) == ["infra_error"] * 2
    assert "took longer than its limit of 3600 seconds" in ended.error[0]
