"""From the journal of a run to the steps of a trajectory, and what callers may write as steps."""

from typing import Any
from uuid import UUID

import pytest
from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.ids import OrganizationId, RunId
from cyberdesk_server.domain.steps import Step, StepState, ToolCall
from cyberdesk_server.domain.trajectories import images, readdressed, recorded, step_problems
from cyberdesk_server.testing.rows import a_step

OWN = OrganizationId("org_own")
RUN = RunId(UUID(int=1))
PICTURE = f"supabase://run-images/message-history/org_own/{'a' * 64}.png"
OTHER = f"supabase://run-images/message-history/org_own/{'b' * 32}.png"
FOREIGN = f"supabase://run-images/message-history/org_foreign/{'a' * 64}.png"


def done(number: int, tool: str = "click", *, turn: int | None = None, **fields: Any) -> Step:
    arguments = fields.pop("arguments", {"x": 1, "y": 2})
    return a_step(
        RUN,
        number,
        turn=turn or number,
        call=ToolCall(tool, arguments, fields.pop("target", None), fields.pop("anchors", ())),
        state=StepState.DONE,
        **fields,
    )


def test_a_step_keeps_its_call_its_screen_its_thought_and_its_result() -> None:
    step = done(
        1,
        "type",
        arguments={"text": "{patient} {$password}"},
        target=Box(1, 2, 3, 4),
        anchors=(Box(5, 6, 7, 8),),
        volatile=(Box(0, 0, 32, 32),),
        memo="[1]",
        screen=PICTURE,
        thought="The field has the focus",
        result={"text": "typed"},
    )

    assert recorded([step]) == (
        {
            "func_name": "type",
            "args": [],
            "kwargs": {"text": "{patient} {$password}"},
            "pre_check_snapshot": {
                "screenshot": PICTURE,
                "last_agent_thought": "The field has the focus",
                "target": [1, 2, 3, 4],
                "anchors": [[5, 6, 7, 8]],
                "volatile": [[0, 0, 32, 32]],
                "memo": "[1]",
                "custom_cache_detection_instructions": None,
            },
            "skip_cache_detection": False,
            "result": {"text": "typed"},
        },
    )


def test_only_the_first_call_of_a_turn_was_decided_on_its_screen() -> None:
    journal = [
        done(1, turn=1, screen=PICTURE, thought="Both"),
        done(2, turn=1, screen=PICTURE),
        done(3, turn=2, screen=OTHER),
    ]

    shown = [
        (step["pre_check_snapshot"]["screenshot"], step["skip_cache_detection"])  # type: ignore[index, call-overload]  # JSON
        for step in recorded(journal)
    ]

    assert shown == [(PICTURE, False), (None, True), (OTHER, False)]


def test_a_thought_stays_with_its_turn_when_the_call_it_came_with_is_left_out() -> None:
    journal = [
        done(1, "screenshot", turn=1, arguments={}, thought="I look and click", screen=PICTURE),
        done(2, turn=1, screen=PICTURE),
    ]

    [step] = recorded(journal)

    assert step["func_name"] == "click"
    assert step["pre_check_snapshot"] == {
        "screenshot": PICTURE,
        "last_agent_thought": "I look and click",
        "target": None,
        "anchors": [],
        "volatile": [],
        "memo": None,
        "custom_cache_detection_instructions": None,
    }


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("declare_task_succeeded", {"text": "done"}), ("declare_task_failed", {}), ("screenshot", {})],
)
def test_declarations_and_looks_that_read_nothing_are_left_out(tool: str, arguments: dict[str, Any]) -> None:
    assert recorded([done(1, tool, arguments=arguments)]) == ()


def test_a_look_that_reads_is_kept_for_it_reads_anew_in_each_run() -> None:
    journal = [done(1, "screenshot", arguments={"extract_prompt": "the balance"})]

    assert [step["kwargs"] for step in recorded(journal)] == [{"extract_prompt": "the balance"}]


@pytest.mark.parametrize("state", [StepState.FAILED, StepState.STARTED])
def test_a_call_that_did_not_end_well_is_left_out(state: StepState) -> None:
    assert recorded([a_step(RUN, state=state)]) == ()


def test_what_was_recorded_is_what_may_be_written() -> None:
    journal = [done(1, screen=PICTURE, target=Box(1, 2, 3, 4)), done(2, "wait", arguments={"seconds": 1})]

    assert list(step_problems(recorded(journal), OWN)) == []


@pytest.mark.parametrize(
    "step",
    [
        {"func_name": "click", "args": [850, 450]},
        {"action": "click", "x": 100, "y": 200},
        {"func_name": "click", "ours": {"is": ["kept"]}, "pre_check_snapshot": None},
        {"func_name": "type", "kwargs": {"text": f"<img src='{PICTURE}'>"}},
        {"func_name": "x", "pre_check_snapshot": {"screenshot": "data:image/png;base64,AAAA"}},
        {"func_name": "x", "kwargs": {"image": "supabase://workflow-prompt-images/org_own/a.png"}},
    ],
)
def test_a_step_in_the_words_of_the_documents_is_one(step: dict[str, Any]) -> None:
    assert list(step_problems([step], OWN)) == []


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ({}, ("func_name",)),
        ({"func_name": ""}, ("func_name",)),
        ({"func_name": 7}, ("func_name",)),
        ({"action": ["click"]}, ("action",)),
        ({"func_name": "click", "args": "850"}, ("args",)),
        ({"func_name": "click", "kwargs": []}, ("kwargs",)),
        ({"func_name": "click", "skip_cache_detection": 1}, ("skip_cache_detection",)),
        ({"func_name": "click", "pre_check_snapshot": "x"}, ("pre_check_snapshot",)),
        ({"func_name": "c", "pre_check_snapshot": {"screenshot": 7}}, ("pre_check_snapshot", "screenshot")),
        (
            {"func_name": "c", "pre_check_snapshot": {"screenshot": FOREIGN}},
            ("pre_check_snapshot", "screenshot"),
        ),
        ({"func_name": "c", "args": [{"deep": FOREIGN}]}, ("args", 0, "deep")),
        ({"func_name": "c", "result": "supabase://run-attachments/org_own/x.pdf"}, ("result",)),
        ({"func_name": "c", "result": f"{PICTURE}/../x.png"}, ("result",)),
        ({"func_name": "c", "result": "supabase://workflow-prompt-images/org_foreign/a.png"}, ("result",)),
    ],
)
def test_a_malformed_step_is_named(step: dict[str, Any], place: tuple[str | int, ...]) -> None:
    good = {"func_name": "click"}

    assert [place for place, _ in step_problems([good, step], OWN)] == [(1, *place)]


def test_images_are_found_wherever_they_stand_each_once() -> None:
    data = [
        {"pre_check_snapshot": {"screenshot": PICTURE}, "result": {"images": [OTHER, PICTURE]}},
        {"kwargs": {"text": f"see {OTHER}", "foreign": FOREIGN}},
    ]

    assert images(data, OWN) == (PICTURE, OTHER)


def test_addresses_are_replaced_in_whole_and_inside_texts() -> None:
    old = "supabase://workflow-prompt-images/org_own/a.png"
    data = [{"kwargs": {"html": f'<img src="{old}"> {old}2'}, "args": [old, 7, None, True]}]

    [step] = readdressed(data, {old: "supabase://new"})

    assert step == {
        "kwargs": {"html": f'<img src="supabase://new"> {old}2'},
        "args": ["supabase://new", 7, None, True],
    }
