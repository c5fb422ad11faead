"""Who is asked: the main agent until its provider gives no answer, then its fallbacks."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.adapters.models.roles import Candidate, ModelsInOrder
from cyberdesk_server.domain.check_verdicts import Judgement, Question
from cyberdesk_server.domain.steps import ToolCall, Turn
from cyberdesk_server.domain.tasks import Refusal
from cyberdesk_server.executor.asking import LONGEST_PAUSE_SECONDS
from cyberdesk_server.ports import Comparison, ModelError, ModelUnavailable
from cyberdesk_server.testing.ports import FunctionModel, ManualClock, a_screenshot
from cyberdesk_server.testing.prompts import a_task

CLICK = Turn((ToolCall("click", {"x": 1, "y": 2}),), thought="I see it.")
OVERLOADED = ModelUnavailable("first is overloaded (529)", is_retryable=True)


class Scripted:
    """A model that answers or fails as it is told, and then as it did last."""

    def __init__(self, *outcomes: Turn | ModelError) -> None:
        self.outcomes = list(outcomes)
        self.asked = 0

    def decide(self, *_: Any) -> Turn:
        self.asked += 1
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, ModelError):
            raise outcome
        return outcome


def in_order(*models: Scripted, clock: ManualClock | None = None, attempts: int = 2) -> ModelsInOrder:
    names = ("first", "second", "third")
    candidates = [
        Candidate(name, FunctionModel(model.decide), attempts, timeout_seconds=5.0)
        for name, model in zip(names, models, strict=False)
    ]
    return ModelsInOrder(candidates, clock or ManualClock())


async def ask(model: ModelsInOrder) -> Turn:
    return await model.next_turn(a_task("Find Ann"), (), {}, a_screenshot())


async def test_the_first_is_asked_and_nobody_else() -> None:
    first, second = Scripted(CLICK), Scripted(CLICK)

    assert await ask(in_order(first, second)) == CLICK
    assert (first.asked, second.asked) == (1, 0)


async def test_a_failure_that_passes_is_no_reason_to_ask_another() -> None:
    first, second = Scripted(OVERLOADED, CLICK), Scripted(CLICK)

    assert await ask(in_order(first, second)) == CLICK
    assert (first.asked, second.asked) == (2, 0)


async def test_the_next_takes_over_for_good_and_the_history_says_so() -> None:
    first, second = Scripted(OVERLOADED), Scripted(CLICK)
    model = in_order(first, second)

    turn = await ask(model)
    again = await ask(model)

    assert turn.thought == "(first is overloaded (529). second takes over.)\nI see it."
    assert again == CLICK
    assert (first.asked, second.asked) == (2, 2)


async def test_a_refused_key_is_not_tried_again() -> None:
    first, second = Scripted(ModelUnavailable("no key")), Scripted(CLICK)

    await ask(in_order(first, second))

    assert first.asked == 1


async def test_what_a_model_says_is_its_answer_and_nobody_takes_over() -> None:
    first, second = Scripted(ModelError("first refused to go on")), Scripted(CLICK)

    with pytest.raises(ModelError, match="refused to go on"):
        await ask(in_order(first, second))

    assert (first.asked, second.asked) == (1, 0)


async def test_when_nobody_answers_all_reasons_are_told_and_nobody_begins_anew() -> None:
    models = [Scripted(ModelUnavailable(f"{name} is down", is_retryable=True)) for name in "abc"]

    with pytest.raises(ModelUnavailable) as error:
        await ask(in_order(*models))

    assert str(error.value) == "a is down; b is down; c is down"
    assert not error.value.is_retryable


async def test_a_model_that_is_too_slow_is_given_up() -> None:
    async def for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    slow = FunctionModel(lambda *_: CLICK, before_answer=for_ever)
    candidates = [
        Candidate("slow", slow, attempts=1, timeout_seconds=0.001),
        Candidate("second", FunctionModel(Scripted(CLICK).decide), attempts=1, timeout_seconds=5.0),
    ]

    turn = await ask(ModelsInOrder(candidates, ManualClock()))

    assert str(turn.thought).startswith("(slow did not answer within 0.001 seconds. second takes over.)")


@pytest.mark.parametrize(("asked_for", "waited"), [(None, 1.0), (7.0, 7.0), (9999.0, LONGEST_PAUSE_SECONDS)])
async def test_the_provider_says_how_long_to_wait_within_reason(
    asked_for: float | None, waited: float
) -> None:
    clock = ManualClock()
    busy = ModelUnavailable("busy", is_retryable=True, retry_after_seconds=asked_for)
    begun = clock.now()

    await ask(in_order(Scripted(busy, CLICK), clock=clock))

    assert (clock.now() - begun).total_seconds() == waited


async def test_what_cannot_be_used_refuses_every_task() -> None:
    refusal = Refusal("there is no API key")

    models = ModelsInOrder([], ManualClock(), [refusal])

    assert models.check(a_task("Find Ann")) == [refusal]
    with pytest.raises(ModelError, match="there is no API key"):
        await models.judge(Question("Is it saved?"))


def test_the_longest_time_is_that_of_all_together() -> None:
    assert in_order(Scripted(CLICK), Scripted(CLICK), attempts=3).longest_seconds == 2 * 3 * (
        5.0 + LONGEST_PAUSE_SECONDS
    )


class Helper(FunctionModel):
    """Judges and compares, and drives nothing."""

    async def judge(self, question: Question) -> Judgement:
        return Judgement(True, "it is so")

    async def compare(self, *_: Any) -> Comparison:
        return Comparison(True, "it is there")


def never(*_: Any) -> Turn:
    raise AssertionError("it was asked to drive")


async def test_who_is_named_for_it_compares_and_judges() -> None:
    helper, judge_id = Candidate("helper", Helper(never), 1, timeout_seconds=5.0), uuid4()
    main = Candidate("main", FunctionModel(Scripted(CLICK).decide), 1, timeout_seconds=5.0)
    model = ModelsInOrder([main], ManualClock(), comparer=helper, judges={judge_id: helper})

    screens = a_screenshot("then"), a_screenshot("now")
    assert await model.compare("?", CLICK.calls[0], *screens) == Comparison(True, "it is there")
    assert await model.judge(Question("?", judge_id)) == Judgement(True, "it is so")
    with pytest.raises(ModelError, match="does not judge"):
        await model.judge(Question("?"))
    assert await ask(model) == CLICK


async def test_who_is_named_for_nothing_leaves_it_to_the_main_agent() -> None:
    main = Candidate("main", Helper(Scripted(CLICK).decide), 1, timeout_seconds=5.0)
    model = ModelsInOrder([main], ManualClock())

    assert (await model.judge(Question("?", uuid4()))).is_fulfilled
    assert (await model.compare("?", CLICK.calls[0], a_screenshot("then"), a_screenshot("now"))).is_hit


async def test_what_a_first_question_has_to_load_is_no_fault_of_its_provider() -> None:
    """It takes longer than an answer may, and happens once it is needed: not for a fallback nobody asks."""
    loaded: list[str] = []

    def loading(name: str) -> Candidate:
        async def prepare() -> None:
            await asyncio.sleep(0.02)
            loaded.append(name)

        model = FunctionModel(Scripted(CLICK).decide)
        return Candidate(name, model, attempts=1, timeout_seconds=0.01, prepare=prepare)

    model = ModelsInOrder([loading("first"), loading("second")], ManualClock())

    assert await ask(model) == CLICK
    assert loaded == ["first"]
