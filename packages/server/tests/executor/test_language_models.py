"""Whole runs with language models: real database and executor, scripted desktop, a provider on this machine.

What is configured decides who is asked; no secret is in any request.
"""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from cyberdesk_server.adapters.models.registry import Models, ModelUrls
from cyberdesk_server.domain.actions import Click, TypeText
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.geometry import Point, Size
from cyberdesk_server.domain.ids import ModelConfigurationId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.provider_credentials import ProviderSlot
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import png_size
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.executor.reading.reader import ScreenReader
from cyberdesk_server.ports import Comparer, Comparison, Retracer
from cyberdesk_server.store import llm_costs
from cyberdesk_server.store import runs as stored_runs
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.tables import runs, workflows
from cyberdesk_server.testing.model_servers import (
    ModelServer,
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
from cyberdesk_server.testing.talks import pictures_in
from cyberdesk_server.usecases import model_configurations, provider_credentials
from sqlalchemy import update

KEY, CREDENTIAL, SECRET = "sk-own-key-0123456789", "sk-organization-0123456789", "canary-hunter22"


class Scene:
    """A stage with a provider beside it."""

    def __init__(self, stage: Any, server: ModelServer) -> None:
        self.stage = stage
        self.server = server
        self.models = Models(
            stage.database,
            stage.vault,
            stage.blobs,
            stage.clock,
            ModelUrls(server.url, server.url, (f"{server.url}/v1",)),
            stage.limits,
        )

    async def run_of(
        self,
        *configurations: JsonObject,
        roles: tuple[str, ...] = ("main_agent_model_id", "fallback_model_1_id"),
        **run: Any,
    ) -> None:
        """A waiting run whose workflow names these models in these roles."""
        made = await self.stage.a_waiting_run(**run)
        named = {}
        async with self.stage.database.transaction() as conn:
            for role, fields in zip(roles, configurations, strict=False):
                fields = {"name": "mine", "is_computer_use_model": True, "max_retries": 0} | dict(fields)
                api_key = fields.pop("api_key", None)
                configuration = await model_configurations.create(
                    conn,
                    fields,
                    api_key=api_key,
                    organization_id=made.organization_id,
                    vault=self.stage.vault,
                    now=self.stage.clock.now(),
                )
                named[role] = str(configuration.id)
            await conn.execute(
                update(workflows).where(workflows.c.id == made.workflow_id).values(model_metadata=named)
            )
        self.run, self.named = made, named

    async def execute(self, claim: Claim | None = None) -> Ending:
        claim = claim or await self.stage.claim()
        model, limits = await self.models.of(claim, ScreenReader())
        return await execute(claim, self.stage.parts(model, limits=limits))

    async def costs(self) -> dict[tuple[str, str], Any]:
        """By role and model."""
        async with self.stage.database.read() as conn:
            rows = await llm_costs.of_run(conn, self.run.id)
        return {(row.role, row.model): row for row in rows}


@pytest.fixture
async def scene(stage: Any) -> AsyncIterator[Scene]:
    async with ModelServer().running() as server:
        scene = Scene(stage, server)
        yield scene
        await scene.models.close()


ANTHROPIC = {"provider": "anthropic", "model": "claude-opus-5", "api_key": KEY}
OPENAI = {"provider": "openai", "model": "gpt-5.4", "api_key": KEY}


NEVER = Scripted({}, hangs=True)


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


async def test_the_runs_own_model_goes_before_its_workflows(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC, OPENAI)
    own = {"main_agent_model_id": scene.named["fallback_model_1_id"], "fallback_model_1_id": None}
    async with scene.stage.database.transaction() as conn:
        await conn.execute(update(runs).where(runs.c.id == scene.run.id).values(model_metadata=own))
    scene.server.answers(response(said("done")))

    ending = await scene.execute()

    assert ending.status is RunStatus.SUCCESS
    assert [asked.path for asked in scene.server.asked] == ["/v1/responses"]


async def test_a_fallback_takes_over_and_each_is_paid_for(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC | {"name": "claude"}, OPENAI | {"name": "gpt"})
    scene.server.answers(
        message(computer_use("left_click", "toolu_1", coordinate=[5, 7])),
        refused(529),
        response(computer_call({"type": "click", "button": "left", "x": 6, "y": 8})),
        response(said("done")),
    )

    ending = await scene.execute()

    assert ending.status is RunStatus.SUCCESS
    assert scene.stage.desktop.performed == [Click(Point(5, 7)), Click(Point(6, 8))]
    thoughts = [step.thought for step in await scene.stage.history()]
    assert thoughts[1] == "(claude-opus-5 is overloaded (529). gpt takes over.)"
    assert "Done before:" in scene.server.asked[2].text
    assert {key: row.call_count for key, row in (await scene.costs()).items()} == {
        ("main_agent", "claude-opus-5"): 1,
        ("main_agent", "gpt-5.4"): 2,
    }


async def test_the_organizations_credential_is_used_without_a_key_of_its_own(scene: Scene) -> None:
    await scene.run_of({"provider": "anthropic", "model": "claude-opus-5"})
    async with scene.stage.database.transaction() as conn:
        await provider_credentials.put(
            conn,
            scene.run.organization_id,
            ProviderSlot.ANTHROPIC,
            {"api_key": CREDENTIAL},
            vault=scene.stage.vault,
            now=scene.stage.clock.now(),
        )
    scene.server.answers(message(text_block("done")))

    ending = await scene.execute()

    assert ending.status is RunStatus.SUCCESS
    assert scene.server.asked[0].headers["x-api-key"] == CREDENTIAL


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        ({"provider": "anthropic", "model": "claude-opus-5"}, "there is no API key: give it one, or set"),
        ({"provider": "mistral", "model": "m", "api_key": KEY}, "the provider mistral is not built in"),
        (
            ANTHROPIC | {"additional_params": {"base_url": "http://169.254.169.254/v1"}},
            "its base_url is none of the server's model_urls: http://169.254.169.254/v1",
        ),
        (ANTHROPIC | {"additional_params": {"messages": []}}, "its additional_params must not hold messages"),
    ],
)
async def test_a_model_that_cannot_be_used_ends_the_run_before_its_first_action(
    scene: Scene, configuration: JsonObject, says: str
) -> None:
    await scene.run_of(configuration)

    ending = await scene.execute()

    assert ending.status is RunStatus.ERROR
    assert says in ending.error[0]
    assert 'the model "mine" of main_agent_model_id cannot be used' in ending.error[0]
    assert scene.stage.desktop.looks == 0
    assert scene.server.asked == []


async def test_a_model_that_is_gone_ends_the_run(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC)
    async with scene.stage.database.transaction() as conn:
        await model_configurations.store.delete(
            conn, ModelConfigurationId(UUID(scene.named["main_agent_model_id"]))
        )

    ending = await scene.execute()

    assert ending.error == (
        "the model of main_agent_model_id cannot be used: there is no such model configuration",
    )


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (refused(401), "claude-opus-5: the provider refused the API key (401)"),
        (refused(503), "claude-opus-5 is overloaded (503)"),
        (refused(404), "claude-opus-5: the provider does not know this model (404)"),
        (
            refused(400, "prompt is too long"),
            "claude-opus-5: the provider refused the request (400): prompt is too long",
        ),
    ],
)
async def test_a_provider_that_is_down_ends_the_run_and_says_so(
    scene: Scene, reply: Scripted, says: str
) -> None:
    await scene.run_of(ANTHROPIC)
    scene.server.answers(reply)

    ending = await scene.execute()

    assert (ending.status, ending.error) == (RunStatus.ERROR, (says,))
    assert scene.stage.desktop.performed == []


async def test_a_provider_nobody_reaches_ends_the_run_and_says_so(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC)
    scene.models = Scene(scene.stage, ModelServer(url="http://127.0.0.1:9")).models

    ending = await scene.execute()
    await scene.models.close()

    assert (ending.status, ending.error) == (
        RunStatus.ERROR,
        ("claude-opus-5 cannot be reached: ConnectError",),
    )


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


async def test_a_provider_that_never_answers_is_given_up(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC | {"timeout_seconds": 1, "max_retries": 1})
    scene.server.answers(NEVER, NEVER)

    ending = await scene.execute()

    assert ending.error == ("mine did not answer within 1 seconds",)
    assert len(scene.server.asked) == 2


CLICK = message(computer_use("left_click", "toolu_1", coordinate=[5, 7]), usage={"input_tokens": 100_000})
"""At the prices of its model it costs some tenths of a dollar."""


async def limited_to(scene: Scene, usd: float) -> None:
    async with scene.stage.database.transaction() as conn:
        await conn.execute(update(runs).where(runs.c.id == scene.run.id).values(cost_limit_usd=usd))


async def test_a_run_that_has_cost_more_than_it_may_asks_nobody_any_more(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC)
    await limited_to(scene, 0.75)
    scene.server.answers(CLICK, CLICK, CLICK)

    ending = await scene.execute()

    spent = sum(row.cost_usd for row in (await scene.costs()).values())
    assert 0.75 < spent < 1.6
    assert (ending.status, ending.error) == (
        RunStatus.ERROR,
        (f"language models have cost ${spent:.4f}, more than the run's cost_limit_usd of $0.75",),
    )
    assert len(scene.server.asked) == 2


async def test_calls_whose_price_nobody_knows_do_not_count(scene: Scene) -> None:
    additional_params = {"base_url": f"{scene.server.url}/v1"}
    await scene.run_of({"provider": "vllm", "model": "qwen", "additional_params": additional_params})
    await limited_to(scene, 0.000001)
    scene.server.answers(completion(None, ("click", {"x": 5, "y": 7})), completion("done"))

    ending = await scene.execute()

    assert ending.status is RunStatus.SUCCESS
    assert [row.cost_usd for row in (await scene.costs()).values()] == [None]


async def test_what_earlier_tries_have_cost_does_not_count(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC)
    await limited_to(scene, 0.75)
    scene.server.answers(CLICK, CLICK)
    claim = await scene.stage.claim()
    await scene.stage.finish(claim, await scene.execute(claim))
    async with scene.stage.database.transaction() as conn:
        run = await stored_runs.get(conn, claim.run.organization_id, claim.run.id)
        await stored_runs.start_over(
            conn, replace(run, status=RunStatus.SCHEDULING), now=scene.stage.clock.now()
        )
    scene.server.answers(CLICK, message(text_block("done")))

    ending = await scene.execute()

    assert ending.status is RunStatus.SUCCESS


async def test_a_cancelled_run_waits_for_no_answer(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC)
    scene.server.answers(NEVER)
    execution = asyncio.create_task(scene.execute())
    await scene.server.is_asked.wait()

    await scene.stage.cancel()

    assert (await execution).status is RunStatus.CANCELLED


async def test_steps_can_have_screens_compared_by_a_language_model(scene: Scene) -> None:
    await scene.run_of(ANTHROPIC, roles=("cache_detection_model_id",))
    scene.server.answers(message(tool_use("verdict", is_fulfilled=True, reason="it is there")))

    model, _ = await scene.models.of(await scene.stage.claim(), ScreenReader())

    assert isinstance(model, Retracer)
    assert isinstance(model, Comparer)
    said = await model.compare("?", ToolCall("click"), a_screenshot("then"), a_screenshot("now"))
    assert said == Comparison(True, "it is there")
    assert ("cache_detection", "claude-opus-5") in await scene.costs()


async def test_who_cannot_compare_is_told_before_the_first_action(scene: Scene) -> None:
    await scene.run_of({"provider": "mistral", "model": "m"}, roles=("cache_detection_model_id",))

    ending = await scene.execute()

    assert "of cache_detection_model_id cannot be used" in ending.error[0]


async def test_who_names_no_model_gets_steps(scene: Scene) -> None:
    await scene.run_of(main_prompt="Wait 1 second")

    ending = await scene.execute()

    assert ending.status is RunStatus.SUCCESS
    assert scene.server.asked == []
