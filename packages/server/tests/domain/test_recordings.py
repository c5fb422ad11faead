"""Recorded turns, and how far a run has followed them."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from cyberdesk_server.domain.geometry import Box, Point
from cyberdesk_server.domain.ids import OrganizationId, RunId, TrajectoryId, WorkflowId
from cyberdesk_server.domain.recordings import RecordedTurn, next_turn, prompt_digest, turns_of
from cyberdesk_server.domain.steps import Detection, Step, StepState, ToolCall
from cyberdesk_server.domain.trajectories import Trajectory, recorded
from cyberdesk_server.testing.rows import NOON, a_step
from hypothesis import given
from hypothesis import strategies as st

TYPE = ToolCall("type", {"text": "{a}"})
RUN = RunId(UUID(int=1))
SCREEN = f"supabase://run-images/message-history/org_own/{'a' * 64}.png"


def a_trajectory(*steps: Any) -> Trajectory:
    return Trajectory(
        id=TrajectoryId(uuid4()),
        organization_id=OrganizationId("org_own"),
        workflow_id=WorkflowId(uuid4()),
        trajectory_data=steps,
        dimensions={"width": 1280, "height": 800},
        created_at=NOON,
        updated_at=NOON,
    )


def done(number: int, call: ToolCall, *, turn: int | None = None, **fields: Any) -> Step:
    return a_step(RUN, number, turn=turn or number, call=call, state=StepState.DONE, **fields)


calls = st.one_of(
    st.builds(
        lambda x, y: ToolCall("click", {"x": x, "y": y}, Box(x - 5, y - 5, x + 5, y + 5)),
        st.integers(10, 90),
        st.integers(10, 90),
    ),
    st.sampled_from(
        [ToolCall("type", {"text": "{a}"}), ToolCall("wait", {"seconds": 1}), ToolCall("key", {"keys": "F3"})]
    ),
)
journals = st.lists(st.lists(calls, min_size=1, max_size=3), max_size=5).map(
    lambda turns: [
        done(sum(map(len, turns[:turn])) + position + 1, call, turn=turn + 1, screen=SCREEN, memo=f"m{turn}")
        for turn, calls_ in enumerate(turns)
        for position, call in enumerate(calls_)
    ]
)


@given(journals)
def test_a_recorded_run_comes_back_turn_by_turn(journal: list[Step]) -> None:
    turns = turns_of(a_trajectory(*recorded(journal)))

    assert [call for turn in turns for call in turn.calls] == [step.call for step in journal]
    assert [turn.memo for turn in turns] == list(dict.fromkeys(step.memo for step in journal))
    assert all(turn.screen == SCREEN and not turn.skips_detection for turn in turns)


@given(journals, st.data())
def test_the_same_run_stands_where_it_stands(journal: list[Step], data: st.DataObject) -> None:
    """Waits at its end may count or not: they come again at no cost."""
    turns = turns_of(a_trajectory(*recorded(journal)))
    number = data.draw(st.integers(0, len(turns)))
    so_far = [step for step in journal if step.turn <= number]

    found = next_turn(turns, so_far)

    rest = [] if found is None else turns[min(found, number) : max(found, number)]
    assert found is not None
    assert all(call.tool == "wait" for turn in rest for call in turn.calls)


def test_waits_that_were_not_recorded_change_nothing() -> None:
    click = ToolCall("click", {"x": 5, "y": 5})
    turns = turns_of(a_trajectory(*recorded([done(1, click, screen=SCREEN), done(2, click, screen=SCREEN)])))

    assert next_turn(turns, [done(1, ToolCall("wait", {"seconds": 3})), done(2, click)]) == 1


def test_a_run_that_went_another_way_follows_no_longer() -> None:
    click = ToolCall("click", {"x": 5, "y": 5})
    turns = turns_of(a_trajectory(*recorded([done(1, click, screen=SCREEN)])))

    assert next_turn(turns, [done(1, ToolCall("key", {"keys": "F1"}))]) is None
    assert next_turn(turns, [done(1, ToolCall("click", {"x": 400, "y": 5}))]) is None
    assert next_turn(turns, [done(1, click), done(2, click)]) is None


def test_a_click_at_another_spot_of_the_same_thing_is_the_same() -> None:
    click = ToolCall("click", {"x": 50, "y": 50}, Box(20, 40, 80, 60))
    turns = turns_of(a_trajectory(*recorded([done(1, click, screen=SCREEN)])))

    assert next_turn(turns, [done(1, ToolCall("click", {"x": 24, "y": 58}))]) == 1


def test_in_the_middle_of_a_turn_nothing_comes_next() -> None:
    first, second = ToolCall("click", {"x": 5, "y": 5}), ToolCall("type", {"text": "a"})
    journal = [done(1, first, turn=1, screen=SCREEN), done(2, second, turn=1, screen=SCREEN)]
    turns = turns_of(a_trajectory(*recorded(journal)))

    assert next_turn(turns, journal[:1]) is None
    assert next_turn(turns, journal) == 1


def test_a_click_that_moved_along_with_its_window_is_the_recorded_one() -> None:
    trajectory = a_trajectory(*recorded([done(1, ToolCall("click", {"x": 5, "y": 5}), screen=SCREEN)]))
    detection = Detection(True, "moved", 1.0, trajectory.id, 0)
    moved = replace(done(1, ToolCall("click", {"x": 305, "y": 205})), is_cached=True, detection=detection)

    assert next_turn(turns_of(trajectory), [moved]) == 1


@pytest.mark.parametrize(
    ("step", "call"),
    [
        ({"func_name": "click", "args": [850, 450]}, ToolCall("click", {"x": 850, "y": 450})),
        ({"action": "click", "x": 100, "y": 200}, ToolCall("click", {"x": 100, "y": 200})),
        ({"func_name": "type", "args": ["{x}"], "kwargs": None}, ToolCall("type", {"text": "{x}"})),
        ({"func_name": "key", "kwargs": {"keys": "F3"}}, ToolCall("key", {"keys": "F3"})),
    ],
)
def test_steps_are_understood_in_every_documented_way(step: dict[str, Any], call: ToolCall) -> None:
    [turn] = turns_of(a_trajectory(step))

    assert turn.calls == (call,)


def test_what_callers_wrote_wrongly_is_passed_over() -> None:
    step = {
        "func_name": "click",
        "pre_check_snapshot": {"target": "here", "anchors": [[1, 2], None], "volatile": 7, "memo": 3},
    }

    [turn] = turns_of(a_trajectory(step))

    assert turn == RecordedTurn(turn.trajectory_id, 0, (ToolCall("click"),), None)


def test_all_of_a_turn_moves() -> None:
    drag = ToolCall(
        "drag", {"start_x": 1, "start_y": 2, "to_x": 3, "to_y": 4}, Box(0, 0, 2, 4), (Box(9, 9, 10, 10),)
    )
    turn = RecordedTurn(TrajectoryId(uuid4()), 0, (drag, ToolCall("type", {"text": "x"})), SCREEN)

    moved, typed = turn.moved(Point(10, 20))

    assert moved.arguments == {"start_x": 11, "start_y": 22, "to_x": 13, "to_y": 24}
    assert (moved.target, moved.anchors) == (Box(10, 20, 12, 24), (Box(19, 29, 20, 30),))
    assert typed == turn.calls[1]


def test_the_digest_of_a_prompt_is_that_of_what_it_says() -> None:
    assert prompt_digest("Click X\nPress F3") == prompt_digest("<p>Click X</p><p>Press F3</p>")
    assert prompt_digest("If A:\n  - B\n  - C") != prompt_digest("If A:\n  - B\n- C")
