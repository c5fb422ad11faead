"""The message history is a view of the journal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.history import message_history
from cyberdesk_server.domain.ids import RunId, StepId
from cyberdesk_server.domain.steps import Step, StepState, ToolCall
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
RUN = RunId(UUID(int=0))


def step(number: int, turn: int, **fields: Any) -> Step:
    begun = Step(StepId(UUID(int=number)), RUN, number, turn, ToolCall("click", {"x": 1}), NOON)
    return replace(begun, **fields)


def test_a_run_without_steps_has_no_messages() -> None:
    assert message_history("Do it", []) == []


def test_a_step_is_the_screen_the_call_and_the_result() -> None:
    done = step(
        1,
        1,
        call=ToolCall("click", {"x": 5, "y": 6}, Box(1, 2, 9, 10)),
        thought="There",
        screen="supabase://1.png",
        state=StepState.DONE,
        result={"text": "clicked"},
        images=("supabase://2.png",),
        finished_at=NOON + timedelta(seconds=1),
    )

    messages = message_history("Do it", [done])

    start, end = "2030-01-01T12:00:00+00:00", "2030-01-01T12:00:01+00:00"
    identity = "00000000-0000-0000-0000-000000000001"
    assert messages == [
        {
            "role": "user",
            "content": [{"type": "text", "text": "Do it"}],
            "timestamp": start,
            "step_kind": "agentic",
        },
        {
            "role": "user",
            "content": [{"type": "image", "image_url": "supabase://1.png"}],
            "timestamp": start,
            "step_kind": "agentic",
        },
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "There"},
                {
                    "type": "tool_use",
                    "tool_use_id": identity,
                    "tool_name": "click",
                    "tool_input": {"x": 5, "y": 6, "target": [1, 2, 9, 10]},
                },
            ],
            "timestamp": start,
            "step_kind": "agentic",
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": identity, "tool_result": "clicked", "error": None},
                {"type": "image", "image_url": "supabase://2.png"},
            ],
            "timestamp": end,
            "step_kind": "agentic",
        },
    ]


def test_the_screen_of_a_turn_is_shown_once() -> None:
    steps = [
        step(1, 1, screen="supabase://1", state=StepState.DONE),
        step(2, 1, screen="supabase://1", state=StepState.DONE),
        step(3, 2, screen="supabase://1"),
    ]

    messages = message_history("Do it", steps)

    shown = [block for message in messages for block in message["content"] if block["type"] == "image"]  # type: ignore[index,union-attr,call-overload]
    assert len(shown) == 2


def test_a_call_that_has_not_begun_is_not_shown() -> None:
    steps = [step(1, 1, state=StepState.DONE), step(2, 1), step(3, 1)]

    shown = [
        block["tool_use_id"]
        for message in message_history("p", steps)
        for block in message["content"]
        if block["type"] == "tool_use"
    ]  # type: ignore[index,union-attr,call-overload]

    assert shown == [str(steps[0].id), str(steps[1].id)]


def test_a_call_whose_turn_has_not_come_is_not_shown() -> None:
    begun = [step(1, 1, state=StepState.DONE), step(2, 1)]

    assert message_history("Do it", [*begun, step(3, 1)]) == message_history("Do it", begun)


def test_a_replayed_step_says_so() -> None:
    assert message_history("p", [step(1, 1, is_cached=True)])[-1]["step_kind"] == "cached"


def test_a_result_without_words_is_told_as_json() -> None:
    failed = step(1, 1, state=StepState.FAILED, error="not there")
    counted = step(2, 2, state=StepState.DONE, result={"exit_code": 0, "output": {}})

    results = [message["content"] for message in message_history("p", [failed, counted])]

    assert results[2] == [
        {"type": "tool_result", "tool_use_id": str(failed.id), "tool_result": "", "error": "not there"}
    ]
    assert results[-1] == [
        {
            "type": "tool_result",
            "tool_use_id": str(counted.id),
            "tool_result": '{"exit_code": 0}',
            "error": None,
        }
    ]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=6))
def test_messages_are_only_ever_appended(moves: list[tuple[bool, bool]]) -> None:
    """Each move begins a step, in a new turn or the same, and ends it or leaves it unfinished at the end."""
    journal: list[Step] = []
    turn, before = 0, message_history("p", [])
    for number, (is_new_turn, has_image) in enumerate(moves, start=1):
        turn += is_new_turn or turn == 0
        journal.append(step(number, turn, screen=f"supabase://{turn}"))
        begun = message_history("p", journal)
        journal[-1] = replace(journal[-1], state=StepState.DONE, images=("supabase://x",) * has_image)
        ended = message_history("p", journal)

        assert begun[: len(before)] == before
        assert ended[: len(begun)] == begun
        before = ended
