"""Workers: what waits is carried out once, by whoever holds the lease, and every machine comes back free."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cyberdesk_server.domain.actions import Action, ActionResult, Click
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.ids import ServerId
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.recordings import prompt_digest
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Step, ToolCall, Turn
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.store import openings, trajectories
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.ports import FunctionModel, turns
from cyberdesk_server.testing.rows import a_run, a_trajectory
from cyberdesk_server.topics import MACHINES_FREE
from cyberdesk_server.worker.job import RunJob
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection


def a_click(x: int) -> Turn:
    return Turn((ToolCall("click", {"x": x, "y": 1}),))


def clicks_at(actions: Sequence[Action]) -> list[int]:
    return [action.at.x for action in actions if isinstance(action, Click)]


def has_ended(run: Any) -> bool:
    return bool(run.status.is_terminal)


class Halt:
    """A model that asks for two clicks and waits, before its second answer, until it is let go."""

    def __init__(self, model: FunctionModel | None = None) -> None:
        self.is_reached = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.model = model or turns(a_click(1), a_click(2))
        self.model.before_answer = self._wait
        self._answers = 0

    async def _wait(self) -> None:
        self._answers += 1
        if self._answers == 2:
            self.is_reached.set()
            await self.may_go_on.wait()


class Outage:
    """A database that takes no writes for a while."""

    def __init__(self, database: Database) -> None:
        self.is_on = False
        self.is_noticed = asyncio.Event()
        self.read = database.read
        self._transaction = database.transaction

    def transaction(self) -> Any:
        if self.is_on:
            self.is_noticed.set()
            raise OperationalError("BEGIN", None, ConnectionRefusedError())
        return self._transaction()


async def test_a_waiting_run_is_carried_out(floor: Any) -> None:
    machine = await floor.machine()

    async with floor.working(floor.worker(turns(a_click(1), a_click(2)))):
        run = await floor.announced_run()
        ended = await floor.until(run.id, has_ended)

    assert (ended.status, ended.error, ended.machine_id) == (RunStatus.SUCCESS, None, machine.id)
    assert clicks_at(floor.desktop.performed) == [1, 2]
    assert await floor.is_free(machine)


async def test_a_run_from_before_the_start_is_found(floor: Any) -> None:
    await floor.machine()
    run = await floor.run()

    async with floor.working(floor.worker(turns())):
        ended = await floor.until(run.id, has_ended)

    assert ended.status is RunStatus.SUCCESS


async def test_the_sweep_finds_a_run_nobody_announced(floor: Any) -> None:
    await floor.machine()

    async with floor.working(floor.worker(turns(), sweep_seconds=0.01)):
        await asyncio.sleep(0)
        run = await floor.run()
        ended = await floor.until(run.id, has_ended)

    assert ended.status is RunStatus.SUCCESS


async def test_a_machine_that_becomes_free_gets_the_next_run(floor: Any) -> None:
    await floor.machine()

    async with floor.working(floor.worker(turns(a_click(1)))):
        first = await floor.announced_run()
        second = await floor.announced_run()
        ended = [await floor.until(run.id, has_ended) for run in (first, second)]

    assert [run.status for run in ended] == [RunStatus.SUCCESS] * 2


async def test_runs_on_several_machines_go_at_the_same_time(floor: Any) -> None:
    await floor.machine()
    await floor.machine()
    together = asyncio.Barrier(2)
    model = turns(a_click(1))

    async def meet() -> None:
        if together.n_waiting < 2 and not together.broken:
            await together.wait()

    model.before_answer = meet
    async with floor.working(floor.worker(model)):
        runs = [await floor.announced_run() for _ in range(2)]
        ended = [await floor.until(run.id, has_ended) for run in runs]

    assert [run.status for run in ended] == [RunStatus.SUCCESS] * 2


async def test_a_worker_takes_no_more_runs_than_it_may(floor: Any) -> None:
    for _ in range(2):
        await floor.machine()
    halt = Halt()
    worker = floor.worker(halt.model, concurrency=1)

    async with floor.working(worker):
        both = [await floor.announced_run() for _ in range(2)]
        await halt.is_reached.wait()
        statuses = [(await floor.now(run.id)).status for run in both]
        assert sorted(statuses) == [RunStatus.RUNNING, RunStatus.SCHEDULING]
        halt.may_go_on.set()
        ended = [await floor.until(run.id, has_ended) for run in both]

    assert [run.status for run in ended] == [RunStatus.SUCCESS] * 2


async def test_a_cancelled_run_stops_before_its_next_action_and_frees_its_machine(floor: Any) -> None:
    machine = await floor.machine()
    halt = Halt()

    async with floor.working(floor.worker(halt.model)):
        run = await floor.announced_run()
        await halt.is_reached.wait()
        async with floor.bus.listen("machines.free") as freed:
            await floor.cancel(run.id)
            await anext(freed)
            assert await floor.is_free(machine)

    assert (await floor.now(run.id)).status is RunStatus.CANCELLED
    assert clicks_at(floor.desktop.performed) == [1]


async def test_a_bug_of_ours_fails_its_run_and_nothing_else(floor: Any) -> None:
    machine = await floor.machine()

    def decide(
        task: Task, history: Sequence[Step], values: Mapping[str, JsonValue], screenshot: Screenshot
    ) -> Turn:
        if task.run_id == broken.id:
            raise ZeroDivisionError("hunter2")
        return Turn()

    async with floor.working(floor.worker(FunctionModel(decide))):
        broken = await floor.run()
        whole = await floor.announced_run()
        ended = [await floor.until(run.id, has_ended) for run in (broken, whole)]

    assert [run.status for run in ended] == [RunStatus.ERROR, RunStatus.SUCCESS]
    assert "hunter2" not in str(ended[0].error)
    assert await floor.is_free(machine)


async def test_a_stopping_worker_leaves_its_run_to_the_next(floor: Any) -> None:
    machine = await floor.machine()
    halt = Halt()

    async with floor.working(floor.worker(halt.model, shutdown_seconds=0.05)):
        run = await floor.announced_run()
        await halt.is_reached.wait()
    left = await floor.now(run.id)
    halt.may_go_on.set()
    async with floor.working(floor.worker(halt.model)):
        ended = await floor.until(run.id, has_ended)

    assert (left.status, ended.status, ended.attempt) == (RunStatus.RUNNING, RunStatus.SUCCESS, 2)
    assert clicks_at(floor.desktop.performed) == [1, 2]
    assert await floor.is_free(machine)


async def test_a_stopping_worker_lets_the_action_under_way_end(floor: Any) -> None:
    """Even a desktop that keeps no journal takes no harm from a restart."""
    await floor.machine()
    floor.desktop.keeps_journal = False
    is_acting, may_end = asyncio.Event(), asyncio.Event()
    perform = floor.desktop.perform

    async def slowly(action: Action, action_id: Any, *, is_repeat: bool = False) -> ActionResult:
        is_acting.set()
        await may_end.wait()
        result: ActionResult = await perform(action, action_id, is_repeat=is_repeat)
        return result

    floor.desktop.perform = slowly
    model = turns(a_click(1), a_click(2))
    worker = floor.worker(model, shutdown_seconds=60.0)
    running = asyncio.create_task(worker.run())
    run = await floor.announced_run()
    await is_acting.wait()
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0)
    may_end.set()
    await asyncio.gather(stopping, running)
    performed_before_restart = clicks_at(floor.desktop.performed)
    async with floor.working(floor.worker(model)):
        ended = await floor.until(run.id, has_ended)

    assert performed_before_restart == [1]
    assert (ended.status, ended.error) == (RunStatus.SUCCESS, None)
    assert clicks_at(floor.desktop.performed) == [1, 2]


async def test_a_stopped_worker_claims_nothing(floor: Any) -> None:
    await floor.machine()
    worker = floor.worker(turns())

    async with floor.working(worker):
        pass
    run = await floor.announced_run()

    assert (await floor.now(run.id)).status is RunStatus.SCHEDULING


async def test_a_lease_is_kept_while_the_run_goes_on(floor: Any) -> None:
    await floor.machine()
    halt = Halt()

    async with floor.working(floor.worker(halt.model, lease_seconds=0.3)):
        run = await floor.announced_run()
        await halt.is_reached.wait()
        claimed = (await floor.now(run.id)).lease_expires_at
        while (await floor.now(run.id)).lease_expires_at == claimed:  # noqa: ASYNC110 - renewals are no news
            await asyncio.sleep(0.01)
        halt.may_go_on.set()
        ended = await floor.until(run.id, has_ended)

    assert (ended.status, ended.attempt) == (RunStatus.SUCCESS, 1)


async def test_a_run_that_was_ended_may_be_cleaned_up_after_as_long_as_its_lease_is_renewed(
    floor: Any,
) -> None:
    await floor.machine()
    await floor.run()
    claim = await floor.claim(lease_seconds=0)
    worker = floor.worker(turns())
    parts = await worker._parts_for(claim)
    job = RunJob(claim, parts, worker._endings, lease_until=claim.run.lease_expires_at)
    look = asyncio.create_task(job._parts.desktop.screenshot())
    await asyncio.sleep(0)

    await job.renewed(RunStatus.CANCELLED, lease_until=datetime.now(UTC) + timedelta(seconds=60))
    await look

    assert floor.desktop.looks == 1


async def test_invariant_4_a_worker_that_lost_its_lease_changes_nothing(floor: Any) -> None:
    machine = await floor.machine()
    halt = Halt()
    finishing = turns(a_click(1), a_click(2))

    async with floor.working(floor.worker(halt.model)):
        run = await floor.announced_run()
        await halt.is_reached.wait()
        await floor.expire_leases()
        async with floor.working(floor.worker(finishing)):
            ended = await floor.until(run.id, has_ended)
        halt.may_go_on.set()

    assert (ended.status, ended.attempt) == (RunStatus.SUCCESS, 2)
    assert await floor.now(run.id) == ended
    assert clicks_at(floor.desktop.performed) == [1, 2]
    assert await floor.is_free(machine)


async def test_invariant_5_an_action_survives_a_takeover_once(floor: Any) -> None:
    await floor.machine()
    is_acting = asyncio.Event()
    perform = floor.desktop.perform

    async def and_then_nothing(action: Action, action_id: Any, *, is_repeat: bool = False) -> ActionResult:
        result: ActionResult = await perform(action, action_id, is_repeat=is_repeat)
        if is_acting.is_set():
            return result
        is_acting.set()
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    floor.desktop.perform = and_then_nothing
    model = turns(a_click(1), a_click(2))
    lost = asyncio.create_task(floor.worker(model).run())
    run = await floor.announced_run()
    await is_acting.wait()
    lost.cancel()
    await asyncio.gather(lost, return_exceptions=True)
    await floor.expire_leases()
    async with floor.working(floor.worker(model)):
        ended = await floor.until(run.id, has_ended)

    assert (ended.status, ended.attempt) == (RunStatus.SUCCESS, 2)
    assert floor.desktop.performed == [Click(Point(1, 1)), Click(Point(2, 1))]


async def test_a_run_that_a_decision_does_not_look_for_is_found_soon_after(floor: Any) -> None:
    await floor.machine()
    run = await floor.run()
    await floor.claim(lease_seconds=600)  # by a worker that is gone
    async with floor.working(worker := floor.worker(turns(a_click(1)))):
        while worker._has_looked:
            await floor.bus.publish(MACHINES_FREE)
            await asyncio.sleep(0)
        await floor.expire_leases()
        ended = await floor.until(run.id, has_ended)

    assert (ended.status, ended.attempt) == (RunStatus.SUCCESS, 2)


async def test_a_run_that_cannot_be_begun_ends_and_the_worker_goes_on(floor: Any) -> None:
    await floor.machine()
    worker = floor.worker(turns())
    parts_for, begun = worker._parts_for, []

    async def failing_once(claim: Any) -> Any:
        begun.append(claim.run.id)
        if len(begun) == 1:
            raise ImportError("the first run finds no model")
        return await parts_for(claim)

    worker._parts_for = failing_once
    async with floor.working(worker):
        first = await floor.until((await floor.announced_run()).id, has_ended)
        second = await floor.until((await floor.announced_run()).id, has_ended)

    assert (first.status, second.status) == (RunStatus.ERROR, RunStatus.SUCCESS)
    assert "its log tells more" in first.error[0]


async def test_a_run_goes_on_after_the_database_was_away(floor: Any) -> None:
    await floor.machine()
    halt, floor.database = Halt(), Outage(floor.database)

    async with floor.working(floor.worker(halt.model)):
        run = await floor.announced_run()
        await halt.is_reached.wait()
        floor.database.is_on = True
        halt.may_go_on.set()
        await floor.database.is_noticed.wait()
        floor.database.is_on = False
        ended = await floor.until(run.id, has_ended)

    assert (ended.status, ended.error, ended.attempt) == (RunStatus.SUCCESS, None, 2)
    assert clicks_at(floor.desktop.performed) == [1, 2]


async def test_an_ending_waits_for_the_database(floor: Any) -> None:
    machine = await floor.machine()
    halt, floor.database = Halt(turns(a_click(1))), Outage(floor.database)

    async with floor.working(floor.worker(halt.model)):
        run = await floor.announced_run()
        await halt.is_reached.wait()
        floor.database.is_on = True
        halt.may_go_on.set()
        await floor.database.is_noticed.wait()
        floor.database.is_on = False
        ended = await floor.until(run.id, has_ended)

    assert (ended.status, ended.error, ended.attempt) == (RunStatus.SUCCESS, None, 1)
    assert await floor.is_free(machine)


async def test_a_run_that_comes_while_a_worker_looks_is_not_overlooked(
    floor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = openings.is_any_machine_free
    has_looked, has_come, is_carried_out = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def look_and_let_a_run_come(conn: AsyncConnection, server_id: ServerId) -> bool:
        is_free = await look(conn, server_id)
        has_looked.set()
        if is_free and not has_come.is_set():
            has_come.set()
            await a_run(conn, floor.workflow)  # seen by the next look, not by this one
            await floor.bus.publish("runs.waiting")
            await asyncio.sleep(0.01)  # the worker hears of it now
        return is_free

    async def begin() -> None:
        is_carried_out.set()

    monkeypatch.setattr(openings, "is_any_machine_free", look_and_let_a_run_come)
    model = turns(Turn())
    model.before_answer = begin
    async with floor.working(floor.worker(model)):
        await has_looked.wait()
        await floor.machine()
        await floor.bus.publish("machines.free")

        await is_carried_out.wait()


async def test_what_came_of_a_trial_is_written_with_the_ending(floor: Any) -> None:
    call = {"func_name": "click", "kwargs": {"x": 1, "y": 1}}
    step = {**call, "pre_check_snapshot": {"screenshot": "supabase://run-images/message-history/gone.png"}}
    async with floor.database.transaction() as conn:
        on_trial = await a_trajectory(
            conn,
            floor.workflow,
            trajectory_data=(step,),
            prompt_digest=prompt_digest(floor.workflow.main_prompt),
            is_on_trial=True,
        )
    await floor.machine()

    async with floor.working(floor.worker(turns(a_click(1)))):
        run = await floor.announced_run()
        await floor.until(run.id, has_ended)

    async with floor.database.read() as conn:
        after = await trajectories.get(conn, floor.organization_id, on_trial.id)
    assert (after.is_on_trial, after.is_approved) == (False, False)
    assert after.trial["run_id"] == str(run.id)
    assert after.trial["run_status"] == "success"
    assert after.trial["misfits"] == [{"step": 0, "reason": "the recorded screen is gone"}]
    assert after.trial["has_ended_as_recorded"]
