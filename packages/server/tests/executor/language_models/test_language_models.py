"""Whole runs with language models: real database and executor, scripted desktop, a provider on this machine.

No secret is in any request.
"""

import asyncio
import json
from base64 import b64decode

import pytest
from cyberdesk_server.domain.actions import Click, TypeText
from cyberdesk_server.domain.geometry import Point, Size
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import png_size
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.reading.reader import ScreenReader
from cyberdesk_server.testing.model_servers import (
    Scripted,
    completion,
    computer_call,
    computer_use,
    function_call,
    message,
    refused,
    response,
    said,
    text_block,
    tool_use,
)
from cyberdesk_server.testing.ports import a_screenshot
from cyberdesk_server.testing.scenes import ANTHROPIC, NEVER, OPENAI, SECRET, Scene
from cyberdesk_server.testing.talks import pictures_in


def script_of(provider: str) -> list[Scripted]:
    """Click and type the secret, read a value, say what it is; then the output data."""
    output = '{"age": 57}'
    if provider == "anthropic":
        return [
            message(
                computer_use("left_click", "toolu_1", coordinate=[5, 7]),
                computer_use("type", "toolu_2", text="{$pin}"),
            ),
            message(tool_use("screenshot", "toolu_3", extract_prompt="How old is {patient}?")),
            message(tool_use("report", observation="57 years")),
            message(text_block("Ann is 57.")),
            message(text_block(output)),
        ]
    if provider == "openai":
        click, typing = (
            {"type": "click", "button": "left", "x": 5, "y": 7},
            {"type": "type", "text": "{$pin}"},
        )
        return [
            response(computer_call(click, typing)),
            response(function_call("screenshot", {"extract_prompt": "How old is {patient}?"}, "call_2")),
            response(function_call("report", {"observation": "57 years"})),
            response(said("Ann is 57.")),
            response(said(output)),
        ]
    return [
        completion(None, ("click", {"x": 5, "y": 7}), ("type", {"text": "{$pin}"})),
        completion(None, ("screenshot", {"extract_prompt": "How old is {patient}?"})),
        completion(None, ("report", {"observation": "57 years"})),
        completion("Ann is 57."),
        completion(output),
    ]


@pytest.mark.parametrize("provider", ["anthropic", "openai", "vllm"])
async def test_a_run_from_its_first_look_to_its_output(scene: Scene, provider: str) -> None:
    compatible = {
        "provider": "vllm",
        "model": "qwen3-vl",
        "additional_params": {"base_url": f"{scene.server.url}/v1"},
    }
    configuration = {"anthropic": ANTHROPIC, "openai": OPENAI}.get(provider, compatible)
    await scene.run_of(
        configuration,
        main_prompt="Sign in with {$pin}. How old is {patient}?",
        inputs={"patient": "Ann"},
        hidden={"pin": SECRET},
        output_schema='{"type": "object", "properties": {"age": {"type": "integer"}}}',
    )
    scene.server.answers(*script_of(provider))

    ending = await scene.execute()

    assert (ending.status, ending.error, ending.output_data) == (RunStatus.SUCCESS, (), {"age": 57})
    assert scene.stage.desktop.performed == [Click(Point(5, 7)), TypeText(SECRET)]
    assert [step.call.tool for step in await scene.stage.history()] == [
        "click",
        "type",
        "screenshot",
        "declare_task_succeeded",
    ]
    assert not [asked for asked in scene.server.asked if SECRET in asked.text]
    assert scene.server.script == []
    costs = await scene.costs()
    assert {role: row.call_count for (role, _), row in costs.items()} == {
        "main_agent": 3,
        "extraction": 1,
        "transformation": 1,
    }
    priced = [row.cost_usd is not None for row in costs.values()]
    assert priced == [provider != "vllm"] * 3
    assert ending.usage_metadata["total_agentic_steps"] == 4


async def test_a_mistake_goes_back_to_the_model(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC)
    scene.server.answers(
        message(computer_use("left_click", "toolu_1", coordinate=[5, 7], text="ctrl")),
        message(computer_use("left_click", "toolu_2", coordinate=[5, 7])),
        message(text_block("done")),
    )

    ending = await scene.execute()

    assert ending.status is RunStatus.SUCCESS
    assert scene.stage.desktop.performed == [Click(Point(5, 7))]
    result = scene.server.asked[1].body["messages"][2]["content"][0]
    assert (result["is_error"], "there is no argument `text`" in str(result)) == (True, True)


async def test_any_worker_can_go_on(scene: Scene) -> None:
    """The next worker asks what this one would have asked: the journal is all there is."""
    await scene.run_of(ANTHROPIC)
    scene.server.answers(
        message(computer_use("left_click", "toolu_1", coordinate=[5, 7])), refused(500), refused(500)
    )
    await scene.execute()
    cut_off = scene.server.asked[1].body
    scene.stage.clock.advance(61)
    await scene.models.close()
    scene.models = Scene(scene.stage, scene.server).models
    scene.server.script.clear()
    scene.server.answers(message(text_block("done")))

    claim = await scene.stage.claim()
    model, limits = await scene.models.of(claim, ScreenReader())
    steps = [step for step in await scene.stage.history() if step.state == "done"]
    await model.next_turn(
        Task(claim.run.id, claim.run.organization_id, claim.workflow.main_prompt),
        steps,
        {},
        scene.stage.desktop.screen,
    )

    asked_again = scene.server.asked[-1].body
    assert asked_again["messages"] == cut_off["messages"]
    assert limits.max_model_attempts == 1


async def test_a_forbidden_command_is_told_to_the_model(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC, main_prompt="Run format c:", terminal_command_allowlist=("dir *",))
    scene.server.answers(
        message(tool_use("execute_terminal_command", "toolu_1", command="format c:")),
        message(tool_use("declare_task_failed", "toolu_2", reason="format c: is not allowed")),
    )

    ending = await scene.execute()

    told = scene.server.asked[1].body["messages"][2]["content"][0]
    assert told["is_error"]
    assert "terminal_command_allowlist does not allow: format c:" in str(told)
    assert (ending.status, ending.error) == (RunStatus.TASK_FAILED, ("format c: is not allowed",))
    assert scene.stage.desktop.performed == []


async def test_where_no_command_is_allowed_there_is_no_tool_for_it(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC, terminal_command_allowlist=())
    scene.server.answers(message(text_block("done")))

    await scene.execute()

    names = [tool.get("name") for tool in scene.server.asked[0].body["tools"]]
    assert "screenshot" in names
    assert "execute_terminal_command" not in names


@pytest.mark.parametrize("repaired", ['{"age": 57}', '{"age": "unknown"}'])
async def test_an_output_that_does_not_fit_is_sent_back_once_and_then_kept(
    scene: Scene, repaired: str
) -> None:
    schema = '{"type": "object", "properties": {"age": {"type": "integer"}}}'
    await scene.run_of(ANTHROPIC, output_schema=schema)
    scene.server.answers(
        message(text_block("She is 57.")),
        message(text_block('{"age": "old"}')),
        message(text_block(repaired)),
    )

    ending = await scene.execute()

    assert "It cannot be used: the output does not fit the output schema: $.age" in scene.server.asked[2].text
    assert ending.output_data == json.loads(repaired)
    if repaired == '{"age": 57}':
        assert (ending.status, ending.error) == (RunStatus.SUCCESS, ())
    else:
        assert ending.status is RunStatus.ERROR
        assert ending.error == (
            "the output does not fit the output schema: $.age: 'unknown' is not of type 'integer'",
        )


async def test_a_zoomed_part_is_shown_in_the_pixels_of_the_screen(scene: Scene) -> None:
    """The screen is made smaller on its way to the model, the part that it asks for is not."""
    scene.stage.desktop.screen = a_screenshot("small print", size=Size(3000, 2000))
    await scene.run_of(ANTHROPIC)
    scene.server.answers(
        message(computer_use("zoom", "toolu_1", region=[0, 0, 210, 70])), message(text_block("done"))
    )

    await scene.execute()

    whole, part, *_ = (png_size(b64decode(picture)) for picture in pictures_in(scene.server.asked[1].body))
    assert whole == (1313, 875)
    assert part == (479, 160)


FOCUS = "Open the newest order of Ann and keep its number as {{order}}."


async def test_a_focused_action_is_asked_anew_and_told_in_one_result(scene: Scene) -> None:
    await scene.run_of(
        ANTHROPIC,
        main_prompt="Use focused_action to open the newest order of {patient}.",
        inputs={"patient": "Ann"},
    )
    scene.server.answers(
        message(computer_use("left_click", "toolu_1", coordinate=[1, 1])),
        message(tool_use("focused_action", "toolu_2", instruction=FOCUS)),
        message(computer_use("left_click", "toolu_3", coordinate=[5, 7])),
        message(tool_use("upsert_runtime_values", "toolu_4", values={"order": "A-17"})),
        message(text_block("Order A-17 is open.")),
        message(text_block("done")),
        message(text_block('{"order": "A-17"}')),
    )

    ending = await scene.execute()

    assert (ending.status, ending.output_data) == (RunStatus.SUCCESS, {"order": "A-17"})
    asked = [asked.body for asked in scene.server.asked]
    focused, main, concluding = asked[2], asked[5], asked[6]
    assert len(focused["messages"]) == 1, "it knows nothing of the steps before"
    assert FOCUS in str(focused["messages"])
    assert "This is one part of a larger task" in str(focused["system"])
    names = {tool.get("name") for tool in focused["tools"]}
    assert {"focused_action", "start_loop"} & names == set()
    assert len(main["messages"]) == 5, "the task, and two turns with their results"
    assert '"text": "Order A-17 is open.", "runtime_values": {"order": "A-17"}' in json.loads(
        json.dumps(main["messages"][-1]["content"][0]["content"][0]["text"])
    )
    assert "focused_action (Open the newest order" in str(concluding)
    assert ending.usage_metadata["total_agentic_steps"] == 4


async def test_readings_until_the_end_are_not_waited_for_and_change_no_conversation(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC | {"max_retries": 0})
    look = {"extract_prompt": "Read the balance.", "process_async": "run"}
    scene.server.answers(message(tool_use("screenshot", "toolu_1", **look)))
    scene.server.answers_to("report", message(tool_use("report", observation="120.50")))
    scene.server.answers(
        message(computer_use("left_click", "toolu_2", coordinate=[5, 7])),
        message(text_block("done")),
        message(text_block('{"balance": "120.50"}')),
    )

    ending = await scene.execute()

    assert (ending.status, ending.output_data) == (RunStatus.SUCCESS, {"balance": "120.50"})
    driving = [asked.body["messages"] for asked in scene.server.asked if len(asked.body.get("tools", ())) > 2]
    results = [str(messages[2]["content"][0]["content"][0]) for messages in driving[1:]]
    assert results == [str({"type": "text", "text": "it is being read in the background"})] * 2
    assert "120.50" in scene.server.asked[-1].text


async def test_a_loop_is_replayed_without_asking(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC, inputs={"names": ["Ann", "Bob", "Cy"]}, main_prompt="Type each of {names}.")
    scene.server.answers(
        message(tool_use("start_loop", "toolu_1", text="{names}")),
        message(computer_use("type", "toolu_2", text="{{loop_item}}")),
        message(tool_use("end_loop_iteration", "toolu_3", text="{{loop_item}} is typed")),
        message(text_block("done")),
        message(text_block('{"typed": 3}')),
    )

    ending = await scene.execute()

    assert ending.status is RunStatus.SUCCESS
    assert scene.stage.desktop.performed == [TypeText(name) for name in ("Ann", "Bob", "Cy")]
    assert len(scene.server.asked) == 5
    assert '`{names}` is ["Ann", "Bob", "Cy"]' in scene.server.asked[0].body["system"][0]["text"]
    assert "Cy is typed" in scene.server.asked[4].text


async def test_a_cancelled_run_waits_for_no_answer(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC)
    scene.server.answers(NEVER)
    execution = asyncio.create_task(scene.execute())
    await scene.server.is_asked.wait()

    await scene.stage.cancel()

    assert (await execution).status is RunStatus.CANCELLED
