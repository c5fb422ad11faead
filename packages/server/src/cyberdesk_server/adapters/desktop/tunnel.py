"""A desktop behind a tunnel: questions on the machine's bus topic, answered by its driver."""

import hashlib
import json
import struct
from urllib.parse import urlencode

from cyberdesk_server.adapters.desktop.calls import Scale, call_for, needs_scale, result_of
from cyberdesk_server.domain.actions import Action, ActionResult
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.ids import MachineId, StepId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.ports import (
    AnswerTimeout,
    Bus,
    Clock,
    DesktopRefused,
    DesktopUnreachable,
    NobodyAnswers,
    OutcomeUnknown,
)
from cyberdesk_server.questions import (
    ACTION_JOURNAL,
    CONDITIONAL_SCREENSHOT,
    DriverAnswer,
    NoAnswer,
    Question,
    machine_topic,
    read_answer,
)

TURN_SECONDS = 60.0
"""How long a question may wait in front of the tunnel for its turn."""

BUSY_RETRY_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Pauses after each 429, by which drivers from 1.0 on say that they do four things already."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class TunnelDesktop:
    """A `ports.Desktop`; one object serves one run.

    A driver that cannot answer pictures of the real size (the published 1.x: always 1024x768) is spoken to in
    picture pixels: `size`, `screenshot` and every point of an action then mean the picture, and points are
    scaled on their way out.
    """

    def __init__(self, bus: Bus, machine_id: MachineId, features: frozenset[str], clock: Clock) -> None:
        """`features` are what the driver said about itself when it connected."""
        self._bus = bus
        self._topic = machine_topic(machine_id)
        self._keeps_journal = ACTION_JOURNAL in features
        self._answers_conditionally = CONDITIONAL_SCREENSHOT in features
        self._clock = clock
        self._scale: Scale | None = None
        self._last: tuple[str, Screenshot] | None = None
        self._asked: set[StepId] = set()

    async def size(self) -> Size:
        return (await self._known_scale()).picture

    async def screenshot(self) -> Screenshot:
        if self._answers_conditionally:
            return await self._native_screenshot()
        return await self._stretched_screenshot()

    async def perform(self, action: Action, action_id: StepId, *, is_repeat: bool = False) -> ActionResult:
        scale = await self._known_scale() if needs_scale(action) else None
        call = call_for(action, scale)
        if call is None:
            return ActionResult()
        if not self._keeps_journal and (is_repeat or action_id in self._asked):
            raise OutcomeUnknown("the action may have happened before, and this driver keeps no journal")
        headers = {"content-type": "application/json", "x-idempotency-key": str(action_id)}
        if self._keeps_journal:
            headers["x-action-id"] = str(action_id)
        self._asked.add(action_id)
        question = Question(
            "POST", call.path, headers=headers, body=call.body(), answer_seconds=call.answer_seconds
        )
        answer = await self._ask_for_action(question, action_id)
        was_replayed = answer.headers.get("x-action-replayed") == "true"
        return result_of(action, _json_of(answer), was_replayed=was_replayed)

    async def _known_scale(self) -> Scale:
        if self._scale is None:
            await self.screenshot()
        assert self._scale is not None
        return self._scale

    async def _native_screenshot(self) -> Screenshot:
        headers = {"if-none-match": self._last[0]} if self._last else {}
        answer = await self._ask(_screenshot_question({"native": "true"}, headers))
        if answer.status == 304 and self._last:
            return self._last[1]
        screenshot = _screenshot_of(_expect_ok(answer))
        self._scale = Scale(screenshot.size, screenshot.size)
        etag = answer.headers.get("etag")
        self._last = (etag, screenshot) if etag else None
        return screenshot

    async def _stretched_screenshot(self) -> Screenshot:
        # The published drivers stretch every picture to 1024x768 unless told the size, and some even then.
        screen = await self._dimensions()
        size = {"width": str(screen.width), "height": str(screen.height)}
        screenshot = _screenshot_of(_expect_ok(await self._ask(_screenshot_question(size, {}))))
        self._scale = Scale(screenshot.size, screen)
        return screenshot

    async def _dimensions(self) -> Size:
        answer = _expect_ok(await self._ask(Question("GET", "/computer/display/dimensions")))
        fields = _json_of(answer)
        match fields.get("width"), fields.get("height"):
            case int(width), int(height) if width > 0 and height > 0:
                return Size(width, height)
            case _:
                raise DesktopRefused(answer.status, "display dimensions without a width and a height")

    async def _ask_for_action(self, question: Question, action_id: StepId) -> DriverAnswer:
        try:
            answer = await self._ask(question)
        except _NotSent:
            self._asked.discard(action_id)
            raise
        except DesktopUnreachable as error:
            if self._keeps_journal:
                raise
            raise OutcomeUnknown(f"{error}; the action may have happened") from error
        if _is_outcome_unknown(answer):
            raise OutcomeUnknown(_detail(answer))
        return _expect_ok(answer)

    async def _ask(self, question: Question) -> DriverAnswer:
        """The driver's answer, whatever its status; a busy driver is asked again."""
        for pause_seconds in BUSY_RETRY_SECONDS:
            answer = await self._ask_once(question)
            if answer.status != 429:
                return answer
            await self._clock.sleep(pause_seconds)
        return await self._ask_once(question)

    async def _ask_once(self, question: Question) -> DriverAnswer:
        timeout_seconds = TURN_SECONDS + question.answer_seconds
        try:
            message = await self._bus.ask(self._topic, question.to_message(), timeout_seconds=timeout_seconds)
        except NobodyAnswers as error:
            raise _NotSent("the machine has no live connection") from error
        except AnswerTimeout as error:
            raise DesktopUnreachable(f"the desktop did not answer within {timeout_seconds:g} s") from error
        match read_answer(message):
            case NoAnswer(reason=reason, was_sent=was_sent):
                raise DesktopUnreachable(reason) if was_sent else _NotSent(reason)
            case DriverAnswer() as answer:
                return answer


class _NotSent(DesktopUnreachable):
    """The request never left whole: nothing has happened on the desktop."""


def _screenshot_question(query: dict[str, str], headers: dict[str, str]) -> Question:
    return Question("GET", "/computer/display/screenshot", query=urlencode(query), headers=headers)


def _screenshot_of(answer: DriverAnswer) -> Screenshot:
    png = answer.body
    if len(png) < 24 or not png.startswith(_PNG_SIGNATURE):
        raise DesktopRefused(answer.status, "the screenshot is no PNG")
    width, height = struct.unpack_from(">II", png, 16)
    return Screenshot(png, Size(width, height), hashlib.sha256(png).hexdigest())


def _expect_ok(answer: DriverAnswer) -> DriverAnswer:
    if 200 <= answer.status < 300:
        return answer
    raise DesktopRefused(answer.status, _detail(answer))


def _is_outcome_unknown(answer: DriverAnswer) -> bool:
    """True for the two ways a driver says that it does not know: ours in a field, the published ones
    by giving up on themselves after 30 s with the name of the exception as plain text."""
    if answer.status == 409:
        return _json_of(answer).get("outcome") == "unknown"
    is_plain = answer.headers.get("content-type", "").startswith("text/plain")
    return answer.status == 500 and is_plain and "Timeout" in answer.body[:40].decode(errors="replace")


def _json_of(answer: DriverAnswer) -> JsonObject:
    """The answer's JSON object; empty when it is none."""
    try:
        value = json.loads(answer.body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _detail(answer: DriverAnswer) -> str:
    """The driver's own words about what went wrong, at most a few lines of them."""
    fields = _json_of(answer)
    words = fields.get("detail") or fields.get("error") or fields.get("message")
    text = (
        words
        if isinstance(words, str)
        else json.dumps(words)
        if words
        else answer.body.decode(errors="replace")
    )
    return text[:500] or "no reason given"
