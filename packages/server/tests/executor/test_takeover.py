"""Invariants 4, 5 and 6: a worker may die between any two of its writes.

Whatever it was doing, the next worker goes on from the journal: every action of the run happens exactly
once on a desktop that keeps a journal, and no secret is ever in anything that is kept.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import pytest
from cyberdesk_server.domain.actions import (
    Action,
    ActionResult,
    Click,
    CopyToClipboard,
    PressKeys,
    TypeText,
)
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.ids import StepId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Observation, StepState, ToolCall, Turn
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.ports import (
    EMPTY_MESSAGE,
    Blobs,
    DesktopRefused,
    DesktopUnreachable,
    Message,
)
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import metadata
from cyberdesk_server.testing.ports import ScriptedDesktop, turns
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

SECRET = "hunter2 & Söhne"
FORBIDDEN = Point(666, 666)
"""Where the desktop refuses to be clicked."""

SAVE = "save_screenshot_as_run_attachment"


class WorkerKilled(BaseException):
    """`kill -9`: nothing of the worker runs after this."""


@dataclass
class Fate:
    """Kills the worker the n-th time it touches the outside, before or after the touch took effect."""

    touches_left: int

    def touch(self) -> None:
        if self.touches_left == 0:
            raise WorkerKilled
        self.touches_left -= 1


@dataclass
class MortalDatabase:
    database: Database
    fate: Fate

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.fate.touch()
        async with self.database.transaction() as conn:
            yield conn
        self.fate.touch()

    def read(self) -> Any:
        return self.database.read()


@dataclass
class MortalDesktop:
    desktop: ScriptedDesktop
    fate: Fate
    losses: Iterator[bool]
    """For each action, whether its first answer gets lost on the way back."""

    async def size(self) -> Any:
        return await self.desktop.size()

    async def screenshot(self) -> Screenshot:
        self.fate.touch()
        return await self.desktop.screenshot()

    async def perform(self, action: Action, action_id: StepId, *, is_repeat: bool = False) -> ActionResult:
        self.fate.touch()
        result = await self.desktop.perform(action, action_id, is_repeat=is_repeat)
        self.fate.touch()
        if next(self.losses, False):
            raise DesktopUnreachable("the tunnel broke")
        return result

    async def write_file(self, path: str, content: bytes, *, is_more: bool = False) -> str:
        self.fate.touch()
        written = await self.desktop.write_file(path, content, is_more=is_more)
        self.fate.touch()
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self.desktop, name)


@dataclass
class MortalBlobs:
    blobs: Blobs
    fate: Fate

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        self.fate.touch()
        await self.blobs.put(key, content, content_type=content_type)
        self.fate.touch()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.blobs, name)


@dataclass
class MortalBus:
    bus: Any
    fate: Fate

    async def publish(self, topic: str, message: Message = EMPTY_MESSAGE) -> None:
        self.fate.touch()
        await self.bus.publish(topic, message)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bus, name)


@dataclass(frozen=True)
class Scripted:
    """A tool call, the actions it stands for, and whether it works."""

    call: ToolCall
    actions: tuple[Action, ...] = ()
    works: bool = field(default=True)


def a_click(x: int, y: int) -> Scripted:
    return Scripted(ToolCall("click", {"x": x, "y": y}), (Click(Point(x, y)),))


CALLS: st.SearchStrategy[Scripted] = st.one_of(
    st.builds(a_click, st.integers(0, 50), st.integers(0, 50)),
    st.sampled_from(
        [
            Scripted(ToolCall("type", {"text": "{name}"}), (TypeText("Doe"),)),
            Scripted(ToolCall("type", {"text": "pw: {$password}"}), (TypeText(f"pw: {SECRET}"),)),
            Scripted(
                ToolCall("type", {"text": "__CLEAR__{$password}"}),
                (PressKeys("ctrl+a backspace"), TypeText(SECRET)),
            ),
            Scripted(ToolCall("type", {"text": "{missing}"})),
            Scripted(ToolCall("copy_to_clipboard", {"key_name": "copied"}), (CopyToClipboard(),)),
            Scripted(ToolCall("wait", {"seconds": 2})),
            Scripted(ToolCall("screenshot", {"extract_prompt": "all"})),
            Scripted(ToolCall(SAVE, {"filename": "shot"})),
            Scripted(ToolCall("upsert_runtime_values", {"values": {"n": 1}})),
            Scripted(ToolCall("teleport"), works=False),
            Scripted(ToolCall("click", {"x": FORBIDDEN.x, "y": FORBIDDEN.y}), works=False),
        ]
    ),
)
SCRIPTS = st.lists(st.lists(CALLS, min_size=1, max_size=4), min_size=1, max_size=4)


def worked(script: list[list[Scripted]]) -> list[Scripted]:
    """The calls of a run of this script that are carried out when nothing ever goes wrong."""
    return [one for turn in script for one in takewhile(lambda one: one.works, turn)]


def leaky(action: Action) -> ActionResult:
    """A desktop that shows the secret wherever it can."""
    match action:
        case Click(at=at) if at == FORBIDDEN:
            raise DesktopRefused(400, f"not here, {SECRET}")
        case CopyToClipboard():
            return ActionResult(text=f"copied {SECRET}")
        case _:
            return ActionResult()


@pytest.mark.slow
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    script=SCRIPTS,
    deaths=st.lists(st.integers(0, 25), max_size=4),
    losses=st.lists(st.booleans(), max_size=8),
)
async def test_invariants_4_5_6_hold_wherever_a_worker_dies(
    stage: Any, script: list[list[Scripted]], deaths: list[int], losses: list[bool], caplog: Any
) -> None:
    stage.desktop = ScriptedDesktop(react=leaky)
    lost = iter(losses)
    model = turns(*(Turn(tuple(one.call for one in turn), f"thinking of {SECRET}") for turn in script))
    model.read = lambda *_: Observation(f"read {SECRET}", {"a": SECRET}, {"seen": [SECRET]})
    await stage.a_waiting_run(inputs={"name": "Doe"}, hidden={"password": SECRET})

    for death in deaths:
        fate = Fate(death)
        mortal = stage.parts(
            model,
            database=MortalDatabase(stage.database, fate),
            desktop=MortalDesktop(stage.desktop, fate, lost),
            blobs=MortalBlobs(stage.blobs, fate),
            bus=MortalBus(stage.bus, fate),
        )
        with suppress(WorkerKilled):
            await execute(await stage.claim(), mortal)
        stage.clock.advance(61)
    claim = await stage.claim()
    ending = await execute(claim, stage.parts(model))
    kept = [*await _rows(stage.database), repr(ending), repr(model.questions), caplog.text]
    await stage.finish(claim, ending)

    history = await stage.history()
    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == [action for one in worked(script) for action in one.actions]
    assert len(history) == sum(len(turn) for turn in script)
    assert all(step.state is not StepState.STARTED for step in history)
    assert await stage.number_of_files() == sum(one.call.tool == SAVE for one in worked(script))
    assert not [text for text in kept if "hunter2" in text]
    assert "hunter2" not in repr(stage.desktop.performed)


async def _rows(database: Database) -> list[str]:
    """Every stored row."""
    async with database.read() as conn:
        return [str(row) for table in metadata.sorted_tables for row in await conn.execute(select(table))]


async def test_a_worker_that_lost_the_run_does_nothing_more(stage: Any) -> None:
    """Invariant 4."""
    call = ToolCall("click", {"x": 1, "y": 2})
    await stage.a_waiting_run()
    overtaken = await stage.claim()
    stage.clock.advance(61)
    await stage.claim()

    ending = await execute(overtaken, stage.parts(turns(Turn((call,)))))

    assert ending.status is RunStatus.CANCELLED
    assert stage.desktop.performed == []
    assert await stage.history() == ()


class DyingDesktop(ScriptedDesktop):
    """The worker dies right after the action happened."""

    async def perform(self, action: Action, action_id: StepId, *, is_repeat: bool = False) -> ActionResult:
        await super().perform(action, action_id, is_repeat=is_repeat)
        raise WorkerKilled


@pytest.mark.parametrize("keeps_journal", [True, False])
async def test_an_unfinished_action_is_never_blindly_repeated(stage: Any, keeps_journal: bool) -> None:
    """Invariant 5. Neither by the next worker, nor by the one after it when that one is lost as well."""
    model = turns(Turn((ToolCall("click", {"x": 1, "y": 2}), ToolCall("key", {"keys": "tab"}))))
    dying = DyingDesktop(keeps_journal=keeps_journal)
    await stage.a_waiting_run()
    with suppress(WorkerKilled):
        await execute(await stage.claim(), stage.parts(model, desktop=dying))
    stage.desktop = ScriptedDesktop(keeps_journal=keeps_journal, journal=dying.journal)

    endings = [await stage.take_over(model), await stage.take_over(model)]

    assert [ending.status for ending in endings] == [RunStatus.SUCCESS] * 2, "the model saw that it happened"
    assert stage.desktop.performed == ([PressKeys("tab")] if keeps_journal else [])
    assert [step.state for step in await stage.history()] == (
        [StepState.DONE, StepState.DONE] if keeps_journal else [StepState.FAILED, StepState.FAILED]
    )
