"""A message history becomes steps, whatever it leaves out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from story import Mark, Step, steps_of

MORNING = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
BEFORE, AFTER = "supabase://run-images/before.png", "supabase://run-images/after.png"


def at(seconds: float) -> str:
    return (MORNING + timedelta(seconds=seconds)).isoformat()


def looked(address: str, *, seconds: float = 0) -> dict[str, Any]:
    return {"role": "user", "timestamp": at(seconds), "content": [{"type": "image", "image_url": address}]}


def called(
    call_id: str, name: str, *, words: str = "", seconds: float = 0, **arguments: Any
) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": words}] if words else []
    blocks.append({"type": "tool_use", "tool_use_id": call_id, "tool_name": name, "tool_input": arguments})
    return {"role": "assistant", "timestamp": at(seconds), "content": blocks}


def answered(
    call_id: str, text: str = "", *, seconds: float = 0, error: str | None = None, image: str | None = None
) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": call_id, "tool_result": text, "error": error}
    images = [{"type": "image", "image_url": image}] if image else []
    return {"role": "user", "timestamp": at(seconds), "content": [block, *images]}


def test_a_call_and_its_answer_are_one_step() -> None:
    history = [
        looked(BEFORE),
        called("a", "click", words='Click "Search"', seconds=1, x=200, y=234),
        answered("a", "clicked", seconds=1.5),
    ]

    assert steps_of(history) == (
        Step(
            words='Click "Search"',
            tool="click",
            arguments={"x": 200, "y": 234},
            answers=("clicked",),
            screen=BEFORE,
            marks=(Mark(200, 234),),
            started_at=MORNING + timedelta(seconds=1),
            ended_at=MORNING + timedelta(seconds=1.5),
        ),
    )


def test_a_step_shows_the_screen_before_it_and_the_next_one_the_screen_after() -> None:
    history = [
        looked(BEFORE),
        called("a", "click", x=1, y=2),
        answered("a", image=AFTER),
        called("b", "click", x=3, y=4),
    ]

    assert [step.screen for step in steps_of(history)] == [BEFORE, AFTER]


def test_answers_find_their_calls_in_any_order() -> None:
    history = [called("a", "one"), called("b", "two"), answered("b", "2"), answered("a", "1")]

    assert [step.answers for step in steps_of(history)] == [("1",), ("2",)]


def test_a_failed_answer_marks_its_step() -> None:
    history = [called("a", "click"), answered("a", error="no such label")]

    (step,) = steps_of(history)
    assert (step.has_failed, step.answers) == (True, ("no such label",))


def test_a_call_without_an_answer_has_no_end() -> None:
    (step,) = steps_of([called("a", "click")])

    assert (step.ended_at, step.seconds) == (None, None)


def test_last_words_without_a_call_are_a_step_of_their_own() -> None:
    (step,) = steps_of([{"role": "assistant", "content": "All done"}])

    assert (step.title, step.tool) == ("All done", "")


def test_what_the_user_was_told_is_no_step() -> None:
    assert steps_of([{"role": "user", "content": "Look up the patient"}]) == ()


@pytest.mark.parametrize(
    ("arguments", "marks"),
    [
        ({"x": 5, "y": 6}, (Mark(5, 6),)),
        ({"target": [10, 20, 40, 60], "x": 5, "y": 6}, (Mark(10, 20, 30, 40),)),
        ({"start_x": 1, "start_y": 2, "to_x": 3, "to_y": 4}, (Mark(1, 2), Mark(3, 4))),
        ({"x": "five", "y": None, "target": "all"}, ()),
    ],
)
def test_a_mark_is_where_the_call_aims(arguments: dict[str, Any], marks: tuple[Mark, ...]) -> None:
    (step,) = steps_of([called("a", "click", **arguments)])

    assert step.marks == marks


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
BLOCKS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "tool_use", "tool_result", "other"])},
    optional=dict.fromkeys(
        ("text", "image_url", "tool_use_id", "tool_name", "tool_input", "tool_result", "error"), JSON
    ),
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"])},
    optional={"content": st.lists(BLOCKS, max_size=4) | JSON, "timestamp": JSON, "step_kind": JSON},
)


@given(st.lists(MESSAGES, max_size=6))
def test_no_history_is_refused_and_every_call_is_a_step(history: list[dict[str, Any]]) -> None:
    calls = [
        block
        for message in history
        if isinstance(message.get("content"), list)
        for block in message["content"]
        if isinstance(block, dict) and block.get("type") == "tool_use"
    ]

    assert len(calls) <= len(steps_of(history)) <= len(calls) + 1
