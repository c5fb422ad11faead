"""What typing a secret shows is covered in everything a run keeps and sends, whoever carries it out."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from cyberdesk_server.domain.actions import Action, ActionResult, PressKeys, TypeText
from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Step, StepState, ToolCall, Turn
from cyberdesk_server.executor.covers import Covers
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.executor.replay.screens import pixels
from cyberdesk_server.executor.tools.keyboard import PAINTED_OVER
from cyberdesk_server.ports import EMPTY_MESSAGE, Message
from cyberdesk_server.testing.ports import FunctionModel
from cyberdesk_server.testing.screens import Canvas

SECRET = "Canarybird"
WRITING = Box(310, 208, 360, 216)


def a_form(*values: str) -> Screenshot:
    canvas = Canvas()
    for row, value in enumerate(values):
        canvas.text(200, 204 + 50 * row, "Field")
        canvas.field(300, 200 + 50 * row, value)
    return canvas.screenshot()


class Form:
    """A desktop with two fields; a tab leads from one to the other."""

    def __init__(self, stage: Any) -> None:
        self.values = ["", ""]
        self._row = 0
        self._stage = stage
        stage.desktop.react = self.react
        stage.desktop.screen = a_form(*self.values)

    def react(self, action: Action) -> ActionResult:
        match action:
            case TypeText("\t"):
                self._row += 1
            case TypeText(text):
                self.values[self._row] += text
            case PressKeys():
                self.values = ["", ""]
        self._stage.desktop.screen = a_form(*self.values)
        return ActionResult()


@pytest.fixture
def form(stage: Any) -> Form:
    return Form(stage)


def model_of(*calls: ToolCall, screens: list[Screenshot]) -> FunctionModel:
    def decide(_: Any, history: Sequence[Step], __: Any, screenshot: Screenshot) -> Turn:
        screens.append(screenshot)
        return Turn((calls[len(history)],)) if len(history) < len(calls) else Turn()

    return FunctionModel(decide)


def is_covered(screenshot: Screenshot, box: Box = WRITING) -> bool:
    return not pixels(screenshot.png)[box.top : box.bottom, box.left : box.right].any()


async def test_the_model_is_shown_a_covered_field_and_told_so(stage: Any, form: Form) -> None:
    screens: list[Screenshot] = []
    model = model_of(ToolCall("type", {"text": "{$user}"}), ToolCall("screenshot"), screens=screens)

    await stage.execute(model, hidden={"user": SECRET})

    assert form.values == [SECRET, ""]
    assert [is_covered(screen) for screen in screens] == [False, True, True]
    history = await stage.history()
    assert history[0].result == {"text": PAINTED_OVER}
    assert history[1].volatile == screens[1].covered


async def test_a_screen_that_stands_still_is_looked_through_once(
    stage: Any, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    over = Covers.over

    def noted(covers: Covers, screenshot: Screenshot) -> Screenshot:
        seen.append(screenshot.png)
        return over(covers, screenshot)

    monkeypatch.setattr(Covers, "over", noted)
    calls = ToolCall("type", {"text": "{$user}"}), ToolCall("screenshot")

    await stage.execute(model_of(*calls, screens=[]), hidden={"user": SECRET})

    assert stage.desktop.looks > 4
    assert seen == [a_form(SECRET, "").png]


async def test_fields_are_typed_one_by_one_and_each_is_covered(stage: Any, form: Form) -> None:
    screens: list[Screenshot] = []
    model = model_of(ToolCall("type", {"text": "{$user}\t{$user}"}), screens=screens)

    await stage.execute(model, hidden={"user": SECRET})

    assert stage.desktop.performed == [TypeText(SECRET), TypeText("\t"), TypeText(SECRET)]
    assert is_covered(screens[-1])
    assert is_covered(screens[-1], Box(310, 258, 360, 266))


async def test_an_emptied_field_is_bare_again(stage: Any, form: Form) -> None:
    screens: list[Screenshot] = []
    calls = ToolCall("type", {"text": "{$user}"}), ToolCall("key", {"keys": "ctrl+a"})

    await stage.execute(model_of(*calls, screens=screens), hidden={"user": SECRET})

    assert [is_covered(screen) for screen in screens] == [False, True, False]
    assert screens[-1].png == a_form("", "").png


async def test_where_nothing_is_echoed_nothing_is_covered(stage: Any) -> None:
    screens: list[Screenshot] = []

    await stage.execute(
        model_of(ToolCall("type", {"text": "{$user}"}), screens=screens), hidden={"user": SECRET}
    )

    assert [screen.covered for screen in screens] == [(), ()]
    assert (await stage.history())[0].result == {}


@pytest.mark.parametrize("saw_it", [False, True])
async def test_a_worker_that_takes_over_covers_what_another_has_typed(
    stage: Any, form: Form, saw_it: bool
) -> None:
    screens: list[Screenshot] = []
    calls = [ToolCall("type", {"text": "{$user}"}), ToolCall("screenshot")]
    await stage.a_waiting_run(hidden={"user": SECRET})

    class Dies(Exception):
        pass

    def decide(_: Any, history: Sequence[Step], __: Any, ___: Screenshot) -> Turn:
        if len(history) > int(saw_it):
            raise Dies
        return Turn((calls[len(history)],))

    with pytest.raises(Dies):
        await execute(await stage.claim(), stage.parts(FunctionModel(decide)))
    await stage.take_over(model_of(*calls, screens=screens))

    assert screens
    assert all(map(is_covered, screens))


async def test_a_repeat_that_fails_before_it_types_again_bares_nothing(stage: Any, form: Form) -> None:
    screens: list[Screenshot] = []
    call = ToolCall("type", {"text": "__CLEAR__{$user}"})
    stage.desktop.keeps_journal = False
    await stage.a_waiting_run(hidden={"user": SECRET})

    class Dies(Exception):
        pass

    def type_and_die(action: Action) -> ActionResult:
        form.react(action)
        if SECRET in form.values:
            raise Dies
        return ActionResult()

    stage.desktop.react = type_and_die
    with pytest.raises(Dies):
        await execute(await stage.claim(), stage.parts(model_of(call, screens=[])))
    await stage.take_over(model_of(call, screens=screens))

    assert (await stage.history())[0].state is StepState.FAILED
    assert screens
    assert all(map(is_covered, screens))


async def test_no_message_of_the_bus_has_the_secret(
    stage: Any, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    publish = stage.bus.publish

    async def noted(topic: str, message: Message = EMPTY_MESSAGE) -> None:
        sent.append(topic + json.dumps(message.head) + repr(message))
        await publish(topic, message)

    monkeypatch.setattr(stage.bus, "publish", noted)
    model = model_of(ToolCall("type", {"text": "{$user}"}), screens=[])

    await stage.execute(model, hidden={"user": SECRET})

    assert sent
    assert not [one for one in sent if SECRET in one]
