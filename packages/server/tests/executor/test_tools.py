"""Tools a language model calls, against a scripted desktop."""

from typing import Any

from cyberdesk_server.domain.actions import ActionResult, CopyToClipboard, RunCommand, TypeText
from cyberdesk_server.testing.ports import ScriptedDesktop, a_call, a_screenshot, a_turn, turns

Stage = Any
CLICK = a_call("click", x=3, y=4)


async def test_copied_text_is_kept_under_its_name(stage: Stage) -> None:
    stage.desktop.react = lambda action: ActionResult(
        text="MRN-1" if isinstance(action, CopyToClipboard) else None
    )
    model = turns(
        a_turn(a_call("copy_to_clipboard", key_name="mrn", output="demographics.mrn")),
        a_turn(a_call("type", text="{{mrn}}")),
    )

    ending = await stage.execute(model)

    assert stage.desktop.performed == [CopyToClipboard(), TypeText("MRN-1")]
    assert ending.output_data == {"demographics.mrn": "MRN-1"}


async def test_a_command_answers_what_it_printed(stage: Stage) -> None:
    stage.desktop.react = lambda _: ActionResult(text="out", error_text="warn", exit_code=3)

    await stage.execute(
        turns(a_turn(a_call("execute_terminal_command", command="ls {folder}"))), inputs={"folder": "/srv"}
    )

    assert stage.desktop.performed == [RunCommand("ls /srv")]
    assert (await stage.history())[0].result == {"text": "out", "error_text": "warn", "exit_code": 3}


async def test_a_command_outside_the_allowlist_is_not_run(stage: Stage) -> None:
    model = turns(a_turn(a_call("execute_terminal_command", command="ls /; rm -rf /")))

    await stage.execute(model, terminal_command_allowlist=("ls *",))

    assert stage.desktop.performed == []
    assert "does not allow" in (await stage.history())[0].error


async def test_no_commands_are_offered_when_none_are_allowed(stage: Stage) -> None:
    model = turns()

    await stage.execute(model, terminal_command_allowlist=())

    task = model.questions[0][0]
    assert "execute_terminal_command" not in {tool.name for tool in task.tools}


async def test_a_saved_screenshot_becomes_an_output_file(stage: Stage) -> None:
    await stage.execute(
        turns(a_turn(a_call("save_screenshot_as_run_attachment", filename="../{id} chart"))),
        inputs={"id": "12345"},
    )

    assert [key.rsplit("/", 1)[-1] for key in stage.blobs.puts if key.startswith("run-attachments/")] == [
        "12345 chart.png"
    ]


async def test_a_wait_ends_when_its_text_appears(stage: Stage) -> None:
    class Opening(ScriptedDesktop):
        async def screenshot(self) -> Any:
            shown = await super().screenshot()
            return a_screenshot("Chart") if self.looks > 5 else shown

    stage.desktop = Opening(a_screenshot("Please wait"))

    await stage.execute(
        turns(
            a_turn(a_call("wait", until_text=["Error", "Chart"], until_gone="Please wait", timeout_seconds=9))
        )
    )

    assert (await stage.history())[0].result == {"text": '"Chart" is visible', "seen": "Chart"}


async def test_a_wait_fails_when_its_text_does_not_appear_in_time(stage: Stage) -> None:
    await stage.execute(turns(a_turn(a_call("wait", until_text="Chart", timeout_seconds=9), CLICK)))

    assert (await stage.history())[0].error == '"Chart" did not appear within 9 seconds'
    assert stage.desktop.performed == []
