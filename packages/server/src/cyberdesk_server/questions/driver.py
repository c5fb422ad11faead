"""The driver of one machine: asked over the bus, its pictures and the scale of its places, its refusals."""

import hashlib
import json
from urllib.parse import urlencode

from cyberdesk_server.domain.geometry import SAME, Scale, Size
from cyberdesk_server.domain.ids import MachineId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.refusals import Problem
from cyberdesk_server.domain.screens import MAX_PIXELS, Screenshot, png_size
from cyberdesk_server.ports import (
    AnswerTimeout,
    Bus,
    Clock,
    DesktopNotAsked,
    DesktopRefused,
    DesktopTooSlow,
    DesktopUnreachable,
    NobodyAnswers,
)
from cyberdesk_server.questions.messages import (
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

MAX_DETAIL_CHARACTERS = 500


class Driver:
    """Whoever holds the tunnel of the machine is asked; one object serves one run or one request.

    A driver that cannot answer pictures of the real size (the published 1.x: always 1024x768) is spoken to in
    picture pixels: `size` and `screenshot` then mean the picture, and `scale` leads from there to the screen.
    Every method raises a `DesktopError` when there is no answer; see `ports`.
    """

    def __init__(self, bus: Bus, machine_id: MachineId, features: frozenset[str], clock: Clock) -> None:
        """`features` are what the driver said about itself when it connected."""
        self._bus = bus
        self._topic = machine_topic(machine_id)
        self.keeps_journal = ACTION_JOURNAL in features
        """Whether an action id it was asked with before is answered with what was done."""

        self._answers_conditionally = CONDITIONAL_SCREENSHOT in features
        self._clock = clock
        self._scale: Scale | None = SAME if self._answers_conditionally else None
        self._last: tuple[str, Screenshot] | None = None

    async def ask(self, question: Question) -> DriverAnswer:
        """The driver's answer, whatever its status; a busy driver is asked again."""
        for pause_seconds in BUSY_RETRY_SECONDS:
            answer = await self._ask_once(question)
            if answer.status != 429:
                return answer
            await self._clock.sleep(pause_seconds)
        return await self._ask_once(question)

    async def screenshot(self) -> Screenshot:
        """The screen now; the same object as long as the driver says that nothing has changed."""
        if self._answers_conditionally:
            return await self._native_screenshot()
        return await self._stretched_screenshot()

    async def size(self) -> Size:
        """Of its pictures."""
        return await self._dimensions() if self._scale is SAME else (await self.screenshot()).size

    async def scale(self) -> Scale:
        """From the pixels of its pictures to those of its screen. The first time it may take a picture."""
        if self._scale is None:
            await self.screenshot()
        assert self._scale is not None
        return self._scale

    async def _native_screenshot(self) -> Screenshot:
        headers = {"if-none-match": self._last[0]} if self._last else {}
        answer = await self.ask(_screenshot_question({"native": "true"}, headers))
        if answer.status == 304 and self._last:
            return self._last[1]
        screenshot = _screenshot_of(expect_ok(answer))
        etag = answer.headers.get("etag")
        self._last = (etag, screenshot) if etag else None
        return screenshot

    async def _stretched_screenshot(self) -> Screenshot:
        # The published drivers stretch every picture to 1024x768 unless told the size, and some even then.
        screen = await self._dimensions()
        size = {"width": str(screen.width), "height": str(screen.height)}
        screenshot = _screenshot_of(expect_ok(await self.ask(_screenshot_question(size, {}))))
        self._scale = Scale(screenshot.size, screen)
        return screenshot

    async def _dimensions(self) -> Size:
        answer = expect_ok(await self.ask(Question("GET", "/computer/display/dimensions")))
        fields = json_of(answer)
        match fields.get("width"), fields.get("height"):
            case int(width), int(height) if width > 0 and height > 0:
                return Size(width, height)
            case _:
                raise DesktopRefused(answer.status, "display dimensions without a width and a height")

    async def _ask_once(self, question: Question) -> DriverAnswer:
        timeout_seconds = TURN_SECONDS + question.answer_seconds
        try:
            message = await self._bus.ask(self._topic, question.to_message(), timeout_seconds=timeout_seconds)
        except NobodyAnswers as error:
            raise DesktopNotAsked("the machine has no live connection") from error
        except AnswerTimeout as error:
            raise DesktopTooSlow(f"the desktop did not answer within {timeout_seconds:g} s") from error
        match read_answer(message):
            case DriverAnswer() as answer:
                return answer
            case NoAnswer(reason=reason, was_sent=False):
                raise DesktopNotAsked(reason)
            case NoAnswer(reason=reason, was_late=True):
                raise DesktopTooSlow(reason)
            case NoAnswer(reason=reason):
                raise DesktopUnreachable(reason)


def expect_ok(answer: DriverAnswer) -> DriverAnswer:
    """The answer, when it is none of a failure. Raises `DesktopRefused` with the driver's own words."""
    if 200 <= answer.status < 300:
        return answer
    raise DesktopRefused(answer.status, detail_of(answer), _problems(answer))


def outcome_is_unknown(answer: DriverAnswer) -> bool:
    """True for the two ways a driver says that it does not know: ours in a field, the published ones
    by giving up on themselves after 30 s with the name of the exception as plain text."""
    if answer.status == 409:
        return json_of(answer).get("outcome") == "unknown"
    is_plain = answer.headers.get("content-type", "").startswith("text/plain")
    return answer.status == 500 and is_plain and "Timeout" in answer.body[:40].decode(errors="replace")


def detail_of(answer: DriverAnswer) -> str:
    """The driver's own words about what went wrong, at most a few lines of them."""
    fields = json_of(answer)
    words = fields.get("detail") or fields.get("error") or fields.get("message")
    text = (
        words
        if isinstance(words, str)
        else json.dumps(words)
        if words
        else answer.body.decode(errors="replace")
    )
    return text[:MAX_DETAIL_CHARACTERS] or "no reason given"


def json_of(answer: DriverAnswer) -> JsonObject:
    """The answer's JSON object; empty when it is none."""
    try:
        value = json.loads(answer.body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _screenshot_question(query: dict[str, str], headers: dict[str, str]) -> Question:
    return Question("GET", "/computer/display/screenshot", query=urlencode(query), headers=headers)


def _screenshot_of(answer: DriverAnswer) -> Screenshot:
    png = answer.body
    size = png_size(png)
    if size is None:
        raise DesktopRefused(answer.status, "the screenshot is no PNG")
    if not 0 < size.width * size.height <= MAX_PIXELS:
        raise DesktopRefused(answer.status, f"the screenshot has {size.width} x {size.height} pixels")
    return Screenshot(png, size, hashlib.sha256(png).hexdigest())


def _problems(answer: DriverAnswer) -> tuple[Problem, ...]:
    """The fields that a 422 names; what was in them is left out, for it may be a secret."""
    named = json_of(answer).get("detail") if answer.status == 422 else None
    problems = []
    for one in named if isinstance(named, list) else ():
        match one:
            case {"loc": [*location], "msg": str(message)}:
                places = tuple(place if isinstance(place, int) else str(place) for place in location)
                problems.append(
                    Problem(places, message[:MAX_DETAIL_CHARACTERS], str(one.get("type", "value_error")))
                )
    return tuple(problems)
