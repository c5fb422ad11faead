"""The journal of runs. Every write names the attempt it belongs to (invariant 4)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.ids import RunId, TrajectoryId, WorkflowId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import Detection, Step, StepState, ToolCall, in_order
from cyberdesk_server.store import pictures
from cyberdesk_server.store.tables import runs, steps
from cyberdesk_server.store.upsert import insert


async def begin(conn: AsyncConnection, step: Step, attempt: int) -> bool:
    """Write a step before it is carried out.

    False when the run has ended, or another worker has it: the caller must not act.
    Writing the same step again changes nothing and is answered the same way.
    """
    retries = await _lock(conn, _GOING_ON, step.run_id, attempt)
    if retries is None:
        return False
    row = {
        "id": step.id,
        "run_id": step.run_id,
        "retry": retries,
        "number": step.number,
        "turn": step.turn,
        "within": step.within,
        "attempt": attempt,
        "tool": step.call.tool,
        "arguments": step.call.arguments,
        "target": None if step.call.target is None else step.call.target.edges,
        "anchors": [anchor.edges for anchor in step.call.anchors],
        "thought": step.thought,
        "memo": step.memo,
        "screen": step.screen,
        "volatile": [box.edges for box in step.volatile],
        "detection": None if step.detection is None else _told(step.detection),
        "is_cached": step.is_cached,
        "started_at": step.started_at,
        **_outcome(step),
    }
    await conn.execute(insert(conn, steps).on_conflict_do_nothing(index_elements=["id"]), row)
    await pictures.show(conn, step.run_id, [*step.images, *([step.screen] if step.screen else [])])
    return True


async def complete(conn: AsyncConnection, step: Step, attempt: int) -> bool:
    """Write what became of a step.

    A step that ended while its run was cancelled is still written: it happened.
    False when another worker has the run, or the run is gone.
    """
    if await _lock(conn, _HELD, step.run_id, attempt) is None:
        return False
    written = await conn.execute(
        update(steps)
        .where(steps.c.id == step.id, steps.c.run_id == step.run_id)
        .values(attempt=attempt, started_at=step.started_at, **_outcome(step))
    )
    await pictures.show(conn, step.run_id, step.images)
    return written.rowcount == 1


async def history(conn: AsyncConnection, run_id: RunId) -> tuple[Step, ...]:
    """The steps of the run's last try in order."""
    return (await histories(conn, [run_id])).get(run_id, ())


async def histories(conn: AsyncConnection, run_ids: Sequence[RunId]) -> Mapping[RunId, tuple[Step, ...]]:
    """The steps of the last try of several runs, each `in_order`; runs without steps are left out."""
    rows = await conn.execute(
        select(steps)
        .join(runs, (runs.c.id == steps.c.run_id) & (runs.c.retries == steps.c.retry))
        .where(steps.c.run_id.in_(run_ids))
        .order_by(steps.c.run_id, steps.c.number)
    )
    by_run: dict[RunId, list[Step]] = defaultdict(list)
    for row in rows:
        by_run[row.run_id].append(_step(row))
    return {run_id: in_order(found) for run_id, found in by_run.items()}


async def last_screen(conn: AsyncConnection, workflow_id: WorkflowId) -> str | None:
    """Address of the last screenshot of the workflow's newest run that took one; None before there is one."""
    found = await conn.execute(
        select(steps.c.screen)
        .join(runs, runs.c.id == steps.c.run_id)
        .where(runs.c.workflow_id == workflow_id, steps.c.screen.is_not(None))
        .order_by(runs.c.created_at.desc(), steps.c.started_at.desc(), steps.c.number.desc())
        .limit(1)
    )
    return found.scalar_one_or_none()


# The row lock makes a cancellation or a takeover wait until the step is written, or be seen before it.
_OURS = (
    select(runs.c.retries)
    .where(runs.c.id == bindparam("run_id"), runs.c.attempt == bindparam("attempt"))
    .with_for_update()
)
_GOING_ON = _OURS.where(runs.c.status.in_((RunStatus.RUNNING.value, RunStatus.RUNNING_CHECKS.value)))
_HELD = _OURS.where(runs.c.lease_expires_at.is_not(None))


async def _lock(conn: AsyncConnection, ours: Select[int], run_id: RunId, attempt: int) -> int | None:
    """Which try the run is at; None when it is not, or no longer, the caller's."""
    found = await conn.execute(ours, {"run_id": run_id, "attempt": attempt})
    return found.scalar_one_or_none()


def _outcome(step: Step) -> dict[str, Any]:
    return {
        "state": step.state.value,
        "result": step.result,
        "error": step.error,
        "images": list(step.images),
        "finished_at": step.finished_at,
    }


def _told(detection: Detection) -> dict[str, Any]:
    return {**asdict(detection), "trajectory_id": str(detection.trajectory_id)}


def _detection(told: dict[str, Any]) -> Detection:
    return Detection(**{**told, "trajectory_id": TrajectoryId(UUID(told["trajectory_id"]))})


def _step(row: Row[Any]) -> Step:
    return Step(
        id=row.id,
        run_id=row.run_id,
        number=row.number,
        turn=row.turn,
        within=row.within,
        call=ToolCall(
            tool=row.tool,
            arguments=row.arguments,
            target=None if row.target is None else Box(*row.target),
            anchors=tuple(Box(*edges) for edges in row.anchors or ()),
        ),
        started_at=row.started_at,
        state=StepState(row.state),
        thought=row.thought,
        memo=row.memo,
        screen=row.screen,
        result=row.result,
        error=row.error,
        images=tuple(row.images),
        is_cached=row.is_cached,
        volatile=tuple(Box(*edges) for edges in row.volatile or ()),
        detection=None if row.detection is None else _detection(row.detection),
        finished_at=row.finished_at,
    )
