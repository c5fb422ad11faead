"""The agent loop against a scripted desktop and a function as the model."""

from dataclasses import replace
from typing import Any

import pytest
from cyberdesk_server.adapters.vault.envelope import EnvelopeVault, MasterKey
from cyberdesk_server.domain.actions import Action, ActionResult, Click, PressKeys, TypeText
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import Observation, StepState, ToolCall, Turn
from cyberdesk_server.domain.tasks import Refusal
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.ports import DesktopRefused, ModelError
from cyberdesk_server.testing.ports import FunctionModel, ScriptedDesktop, a_call, a_screenshot, a_turn, turns

Stage = Any
CLICK = a_call("click", x=3, y=4)


async def test_a_turn_without_calls_ends_the_run_with_success(stage: Stage) -> None:
    ending = await stage.execute(turns())

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == []


async def test_the_calls_of_a_turn_are_carried_out_in_order(stage: Stage) -> None:
    ending = await stage.execute(turns(a_turn(CLICK, a_call("type", text="Doe"), a_call("key", keys="tab"))))

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == [Click(Point(3, 4)), TypeText("Doe"), PressKeys("tab")]


async def test_a_model_that_has_finished_needs_no_screen_any_more(stage: Stage) -> None:
    """The last click may have closed the program, and with it the desktop."""
    model = replace(turns(a_turn(CLICK), a_turn(CLICK)), is_over=lambda history: len(history) == 1)

    ending = await stage.execute(model)

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == [Click(Point(3, 4))]
    assert len(model.questions) == 1


async def test_every_step_is_written_with_the_screen_it_was_decided_on(stage: Stage) -> None:
    await stage.execute(turns(a_turn(CLICK), a_turn(CLICK)))

    first, second = await stage.history()
    assert (first.number, first.turn, second.number, second.turn) == (1, 1, 2, 2)
    assert first.state is second.state is StepState.DONE
    assert first.screen == second.screen
    assert first.screen is not None
    assert first.screen.removeprefix("supabase://") in stage.blobs.contents


async def test_a_screen_that_does_not_change_is_stored_once(stage: Stage) -> None:
    await stage.execute(turns(a_turn(CLICK), a_turn(CLICK), a_turn(CLICK)))

    assert len(stage.blobs.puts) == 1


async def test_a_refused_prompt_ends_the_run_before_anything_is_done(stage: Stage) -> None:
    model = replace(turns(a_turn(CLICK)), refusals=(Refusal("no such verb", line=2, text="Frobnicate"),))

    ending = await stage.execute(model)

    assert ending.status is RunStatus.ERROR
    assert ending.error == ("line 2 (Frobnicate): no such verb",)
    assert (stage.desktop.looks, stage.desktop.performed) == (0, [])


async def test_placeholders_are_kept_in_the_journal_and_filled_in_on_the_desktop(stage: Stage) -> None:
    model = turns(
        a_turn(a_call("upsert_runtime_values", values={"order": {"number": "77"}})),
        a_turn(a_call("type", text="{patient.name} {{order.number}} {$password}")),
    )

    await stage.execute(model, inputs={"patient": {"name": "Doe"}}, hidden={"password": "s3cret!"})

    assert stage.desktop.performed == [TypeText("Doe 77 s3cret!")]
    assert (await stage.history())[-1].call.arguments == {
        "text": "{patient.name} {{order.number}} {$password}"
    }


async def test_the_desktops_own_values_win_over_the_runs(stage: Stage) -> None:
    await stage.execute(
        turns(a_turn(a_call("type", text="{user}"))),
        inputs={"user": "from the run"},
        machine_parameters={"user": "from the machine"},
    )

    assert stage.desktop.performed == [TypeText("from the machine")]


@pytest.mark.parametrize(
    ("text", "inputs", "expected"),
    [
        ("{x}", {"x": ""}, []),
        ("{x}", {}, []),
        ("__EMPTY__", {}, []),
        ("{first} {middle}{last}", {"first": "John", "last": "Doe"}, [TypeText("John Doe")]),
        ("__CLEAR__", {}, [PressKeys("ctrl+a backspace")]),
        ("{x}", {"x": "__CLEAR__"}, [PressKeys("ctrl+a backspace")]),
        ("__CLEAR__new", {}, [PressKeys("ctrl+a backspace"), TypeText("new")]),
    ],
)
async def test_the_words_for_empty_and_clear_are_never_typed(
    stage: Stage, text: str, inputs: dict[str, Any], expected: list[Action]
) -> None:
    await stage.execute(turns(a_turn(a_call("type", text=text))), inputs=inputs)

    assert stage.desktop.performed == expected


async def test_a_value_cannot_ask_for_a_secret(stage: Stage) -> None:
    await stage.execute(
        turns(a_turn(a_call("type", text="{note}"))),
        inputs={"note": "{$password}"},
        hidden={"password": "s3cret!"},
    )

    assert stage.desktop.performed == [TypeText("{$password}")]


async def test_a_secret_is_typed_and_used_nowhere_else(stage: Stage) -> None:
    await stage.execute(
        turns(a_turn(a_call("execute_terminal_command", command="login {$password}"))),
        hidden={"password": "s3cret!"},
    )

    assert stage.desktop.performed == []
    assert "can be typed" in (await stage.history())[0].error


async def test_a_path_into_a_text_ends_the_run(stage: Stage) -> None:
    ending = await stage.execute(turns(a_turn(a_call("type", text="{name.first}"))), inputs={"name": "Doe"})

    assert ending.status is RunStatus.ERROR
    assert "{name.first}" in ending.error[0]


async def test_a_failed_call_ends_its_turn_and_the_model_reads_why(stage: Stage) -> None:
    model = turns(a_turn(a_call("click", x=3), CLICK), a_turn())

    ending = await stage.execute(model)

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == []
    assert [step.error for step in await stage.history()] == [
        "the argument `y` is missing",
        "not done, because step 1 failed",
    ]


async def test_an_unknown_tool_is_told_to_the_model(stage: Stage) -> None:
    await stage.execute(turns(a_turn(a_call("teleport"))))

    assert "there is no tool teleport" in (await stage.history())[0].error


async def test_a_desktop_that_refuses_fails_the_call_and_not_the_run(stage: Stage) -> None:
    def refuse(action: Action) -> ActionResult:
        raise DesktopRefused(422, "no such key")

    stage.desktop.react = refuse

    ending = await stage.execute(turns(a_turn(a_call("key", keys="hyper"))))

    assert ending.status is RunStatus.SUCCESS
    assert (await stage.history())[0].error == "the desktop answered 422: no such key"


async def test_a_declared_failure_ends_the_run_with_its_reason(stage: Stage) -> None:
    model = turns(a_turn(a_call("declare_task_failed", reason="No patient {id}"), CLICK))

    ending = await stage.execute(model, inputs={"id": "12"})

    assert ending.status is RunStatus.TASK_FAILED
    assert ending.error == ("No patient 12",)
    assert ending.usage_metadata["billing_outcome"] == "user_task_failed"
    assert stage.desktop.performed == []


async def test_a_declared_success_ends_the_run(stage: Stage) -> None:
    ending = await stage.execute(turns(a_turn(a_call("declare_task_succeeded"), CLICK), a_turn(CLICK)))

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == []


async def test_what_was_read_becomes_the_output(stage: Stage) -> None:
    model = turns(a_turn(a_call("screenshot", extract_prompt="Read {x} as {{y}}")))
    model.read = lambda instruction, task, screenshot: Observation(instruction, {"a.b": "1"}, {"y": "2"})

    ending = await stage.execute(model)

    assert ending.output_data == {"a.b": "1"}
    assert (await stage.history())[0].result == {
        "text": "Read {x} as {{y}}",
        "output": {"a.b": "1"},
        "runtime_values": {"y": "2"},
    }
    assert ending.usage_metadata == {
        "total_agentic_steps": 2,
        "total_cached_steps": 0,
        "total_agentic_steps_billed": 2,
        "total_cached_steps_billed": 0,
        "billing_outcome": "success",
    }


async def test_a_moving_screen_is_watched_until_it_is_still(stage: Stage) -> None:
    class Moving(ScriptedDesktop):
        async def screenshot(self) -> Any:
            await super().screenshot()
            return a_screenshot(str(min(self.looks, 6)))

    stage.desktop = Moving()
    seen: list[Any] = []

    def decide(task: Any, history: Any, values: Any, screenshot: Any) -> Turn:
        seen.append(screenshot)
        return Turn()

    await stage.execute(FunctionModel(decide))

    assert seen == [a_screenshot("6")]


async def test_a_screen_that_never_rests_is_taken_as_it_is(stage: Stage) -> None:
    class Video(ScriptedDesktop):
        async def screenshot(self) -> Any:
            await super().screenshot()
            return a_screenshot(str(self.looks))

    stage.desktop = Video()

    assert (await stage.execute(turns(a_turn(CLICK)))).status is RunStatus.SUCCESS


@pytest.mark.parametrize(
    ("last", "status", "reasons"),
    [
        (CLICK, RunStatus.ERROR, ("it does not fit",)),
        (
            a_call("declare_task_failed", reason="no patient"),
            RunStatus.TASK_FAILED,
            ("no patient", "it does not fit"),
        ),
    ],
)
async def test_an_output_that_cannot_be_built_is_kept_as_far_as_it_goes(
    stage: Stage, last: ToolCall, status: RunStatus, reasons: tuple[str, ...]
) -> None:
    class Clumsy(FunctionModel):
        async def conclude(self, *_: Any) -> Any:
            misfit = ModelError("it does not fit")
            misfit.output = {"a": 1}
            raise misfit

    ending = await stage.execute(Clumsy(turns(a_turn(last)).decide))

    assert (ending.status, ending.error, ending.output_data) == (status, reasons, {"a": 1})


async def test_secrets_that_cannot_be_opened_end_the_run_with_that_reason(stage: Stage) -> None:
    await stage.a_waiting_run(hidden={"password": "hunter2"})
    stage.vault = EnvelopeVault(MasterKey(b"x" * 32))

    ending = await execute(
        await stage.claim(), stage.parts(turns(a_turn(a_call("type", text="{$password}"))))
    )

    assert ending.status is RunStatus.ERROR
    assert ending.error == (
        "the secret {$password} cannot be opened: the secret was sealed with another master key",
    )
    assert stage.desktop.performed == []
