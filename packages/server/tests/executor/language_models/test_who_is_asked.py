"""Which model a run asks, how long, for how much money, and what happens when it cannot."""

from dataclasses import replace
from uuid import UUID

import pytest
from cyberdesk_server.domain.actions import Click
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.ids import ModelConfigurationId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.provider_credentials import ProviderSlot
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.executor.reading.reader import ScreenReader
from cyberdesk_server.ports import Comparer, Comparison, Retracer
from cyberdesk_server.store import runs as stored_runs
from cyberdesk_server.store.tables import runs
from cyberdesk_server.testing.model_servers import (
    ModelServer,
    Scripted,
    completion,
    computer_call,
    computer_use,
    message,
    refused,
    response,
    said,
    text_block,
    tool_use,
)
from cyberdesk_server.testing.ports import a_screenshot
from cyberdesk_server.testing.scenes import ANTHROPIC, CREDENTIAL, KEY, NEVER, OPENAI, Scene
from cyberdesk_server.usecases import model_configurations, provider_credentials
from sqlalchemy import update


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
