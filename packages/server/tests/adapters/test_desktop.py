"""A desktop behind a tunnel, with drivers of every generation on the other end of the bus."""

import base64
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

import pytest
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.desktop import TunnelDesktop
from cyberdesk_server.adapters.desktop.calls import call_for
from cyberdesk_server.domain.actions import (
    Action,
    ActionResult,
    Button,
    Click,
    CopyToClipboard,
    Direction,
    Drag,
    Move,
    PressKeys,
    RunCommand,
    Scroll,
    TypeText,
)
from cyberdesk_server.domain.geometry import Point, Scale, Size
from cyberdesk_server.domain.ids import MachineId, StepId
from cyberdesk_server.ports import Desktop, DesktopRefused, DesktopUnreachable, Message, OutcomeUnknown
from cyberdesk_server.questions import DriverAnswer, NoAnswer, Question, machine_topic
from cyberdesk_server.testing.ports import ManualClock, ScriptedDesktop, a_screenshot

MACHINE = MachineId(UUID(int=7))
OURS = frozenset({"action-journal", "conditional-screenshot", "key-hold"})
VENDORS: frozenset[str] = frozenset()
SCREEN = Size(64, 48)
CLICK = Click(Point(10, 20))

Said = DriverAnswer | NoAnswer


def an_id() -> StepId:
    return StepId(uuid4())


@dataclass
class Driver:
    """A driver at the end of the bus: it keeps a journal of actions when it is told an action id."""

    screen: Size = SCREEN
    picture: Size | None = None
    """The size of its pictures, when it answers no other."""

    says: Callable[[Question], Said | None] = lambda _: None
    """What it answers instead of acting; None lets it act."""

    files: dict[str, bytes] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    performed: list[Question] = field(default_factory=list)
    journal: set[str] = field(default_factory=set)

    async def answer(self, message: Message) -> Message:
        question = Question.from_message(message)
        self.questions.append(question)
        return (self.says(question) or self._act(question)).to_message()

    def _act(self, question: Question) -> DriverAnswer:
        match question.path:
            case "/computer/display/dimensions":
                return DriverAnswer(200, {}, json.dumps(self.screen._asdict()).encode())
            case "/computer/display/screenshot":
                return self._screenshot(question)
            case "/computer/fs/write" | "/computer/fs/read" | "/computer/fs/list":
                return self._file(question)
            case _:
                return self._perform(question)

    def _file(self, question: Question) -> DriverAnswer:
        if question.method == "POST":
            body = json.loads(question.body)
            before = self.files.get(body["path"], b"") if body["mode"] == "append" else b""
            self.files[body["path"]] = before + base64.b64decode(body["content"], validate=True)
            return DriverAnswer(200, {}, json.dumps({"path": "/home/user" + body["path"][1:]}).encode())
        path = dict(parse_qsl(question.query))["path"]
        if question.path.endswith("list"):
            is_folder = any(file.startswith(path.rstrip("/") + "/") for file in self.files)
            return DriverAnswer(200 if is_folder else 400, {}, b"{}")
        if path not in self.files:
            return DriverAnswer(404, {}, b'{"detail": "it does not exist"}')
        content = base64.b64encode(self.files[path]).decode()
        return DriverAnswer(200, {}, json.dumps({"path": path, "content": content}).encode())

    def _screenshot(self, question: Question) -> DriverAnswer:
        if question.headers.get("if-none-match") == '"still"':
            return DriverAnswer(304, {"etag": '"still"'})
        query = dict(parse_qsl(question.query))
        asked = Size(int(query.get("width", 1024)), int(query.get("height", 768)))
        size = self.picture or (self.screen if "native" in query else asked)
        return DriverAnswer(
            200, {"content-type": "image/png", "etag": '"still"'}, a_screenshot(size=size).png
        )

    def _perform(self, question: Question) -> DriverAnswer:
        action_id = question.headers.get("x-action-id")
        if action_id in self.journal:
            return DriverAnswer(200, {"x-action-replayed": "true"}, b"{}")
        if action_id:
            self.journal.add(action_id)
        self.performed.append(question)
        return DriverAnswer(200, {}, b"{}")

    def bodies(self) -> list[Any]:
        return [json.loads(question.body) for question in self.performed]


@asynccontextmanager
async def reached(driver: Driver, features: frozenset[str] = OURS) -> AsyncIterator[TunnelDesktop]:
    bus = InProcessBus()
    async with bus.serve(machine_topic(MACHINE), driver.answer):
        yield TunnelDesktop(bus, MACHINE, features, ManualClock())


@dataclass
class Trial:
    """A desktop of either kind, and how often somebody acted on it."""

    desktop: Desktop
    count: Callable[[], int]


@asynccontextmanager
async def a_trial(kind: str, *, keeps_journal: bool) -> AsyncIterator[Trial]:
    if kind == "scripted":
        scripted = ScriptedDesktop(keeps_journal=keeps_journal)
        yield Trial(scripted, lambda: len(scripted.performed))
        return
    driver = Driver()
    async with reached(driver, OURS if keeps_journal else VENDORS) as desktop:
        yield Trial(desktop, lambda: len(driver.performed))


@pytest.mark.parametrize("kind", ["scripted", "tunnel"])
class TestDesktop:
    """What every desktop promises, the real one and the one for tests."""

    @pytest.mark.parametrize("size", [0, 5, 300_000])
    async def test_a_file_is_written_in_pieces_and_read_whole(self, kind: str, size: int) -> None:
        async with a_trial(kind, keeps_journal=True) as trial:
            await trial.desktop.write_file("~/in/a", b"what was there before")
            written = await trial.desktop.write_file("~/in/a", b"x" * size)
            await trial.desktop.write_file("~/in/a", b"y" * size, is_more=True)

            content = await trial.desktop.read_file("~/in/a")

            assert written == "/home/user/in/a"
            assert b"".join(content.decoded()) == b"x" * size + b"y" * size
            assert content.size_bytes == 2 * size

    async def test_a_folder_is_told_from_a_file(self, kind: str) -> None:
        async with a_trial(kind, keeps_journal=True) as trial:
            await trial.desktop.write_file("~/in/a", b"x")

            assert await trial.desktop.is_folder("~/in")
            assert await trial.desktop.is_folder("~/in/")
            assert not await trial.desktop.is_folder("~/in/a")
            assert not await trial.desktop.is_folder("~/i")

    async def test_a_file_that_is_not_there_cannot_be_read(self, kind: str) -> None:
        async with a_trial(kind, keeps_journal=True) as trial:
            with pytest.raises(DesktopRefused) as refusal:
                await trial.desktop.read_file("~/nothing")

            assert refusal.value.status == 404

    async def test_a_picture_has_the_size_of_the_desktop(self, kind: str) -> None:
        async with a_trial(kind, keeps_journal=True) as trial:
            screenshot = await trial.desktop.screenshot()

            assert screenshot.size == await trial.desktop.size() == SCREEN

    async def test_an_unchanged_screen_has_the_same_digest(self, kind: str) -> None:
        async with a_trial(kind, keeps_journal=True) as trial:
            first, second = await trial.desktop.screenshot(), await trial.desktop.screenshot()

            assert first == second

    async def test_every_id_acts_once_with_a_journal(self, kind: str) -> None:
        async with a_trial(kind, keeps_journal=True) as trial:
            action_id = an_id()
            await trial.desktop.perform(CLICK, action_id)
            await trial.desktop.perform(CLICK, action_id)
            await trial.desktop.perform(CLICK, action_id, is_repeat=True)

            assert trial.count() == 1

    async def test_a_repeat_without_a_journal_is_refused(self, kind: str) -> None:
        async with a_trial(kind, keeps_journal=False) as trial:
            action_id = an_id()
            await trial.desktop.perform(CLICK, action_id)
            with pytest.raises(OutcomeUnknown):
                await trial.desktop.perform(CLICK, action_id)
            with pytest.raises(OutcomeUnknown):
                await trial.desktop.perform(CLICK, an_id(), is_repeat=True)

            assert trial.count() == 1


@pytest.mark.parametrize(
    ("action", "path", "body"),
    [
        (
            Click(Point(3, 4), Button.RIGHT, 2),
            "/computer/input/mouse/click",
            {"x": 3, "y": 4, "button": "right", "clicks": 2},
        ),
        (Move(Point(3, 4)), "/computer/input/mouse/move", {"x": 3, "y": 4}),
        (
            Drag(Point(1, 2), Point(3, 4), duration_seconds=0.5),
            "/computer/input/mouse/drag",
            {"start_x": 1, "start_y": 2, "to_x": 3, "to_y": 4, "duration": 0.5, "button": "left"},
        ),
        (
            Scroll(Point(3, 4), Direction.DOWN, 5),
            "/computer/input/mouse/scroll",
            {"direction": "down", "amount": 5, "x": 3, "y": 4},
        ),
        (TypeText("a<ł€漢"), "/computer/input/keyboard/type", {"text": "a<ł€漢"}),
        (PressKeys("ctrl+a"), "/computer/input/keyboard/key", {"text": "ctrl+a"}),
        (CopyToClipboard(), "/computer/copy_to_clipboard", {"text": "text"}),
        (
            RunCommand("dir"),
            "/computer/shell/powershell/exec",
            {"command": "dir", "timeout": 30, "same_session": False},
        ),
    ],
)
async def test_every_action_has_its_call(action: Action, path: str, body: dict[str, Any]) -> None:
    driver, action_id = Driver(), an_id()

    async with reached(driver) as desktop:
        await desktop.perform(action, action_id)

    [question] = driver.performed
    assert (question.method, question.path, json.loads(question.body)) == ("POST", path, body)
    assert question.headers == {
        "content-type": "application/json",
        "x-idempotency-key": str(action_id),
        "x-action-id": str(action_id),
    }


async def test_typing_nothing_asks_nobody() -> None:
    driver = Driver()

    async with reached(driver) as desktop:
        assert await desktop.perform(TypeText(""), an_id()) == ActionResult()

    assert driver.questions == []


def test_slow_actions_get_their_time() -> None:
    command = call_for(RunCommand("x", timeout_seconds=100), None)
    typing = call_for(TypeText("x" * 1000), None)
    dragging = call_for(Drag(Point(0, 0), Point(1, 1), duration_seconds=20), Scale(SCREEN, SCREEN))

    seconds = [call.answer_seconds for call in (command, typing, dragging) if call]
    assert seconds == [110, 85, 55]


async def test_our_driver_is_asked_for_real_pixels_once_per_change() -> None:
    driver = Driver(screen=Size(200, 100))

    async with reached(driver) as desktop:
        first, second = await desktop.screenshot(), await desktop.screenshot()

    assert first is second
    assert first.size == (200, 100)
    assert [question.query for question in driver.questions] == ["native=true"] * 2
    assert driver.questions[1].headers == {"if-none-match": '"still"'}


async def test_a_published_driver_is_asked_for_its_real_size() -> None:
    driver = Driver(screen=Size(200, 100))

    async with reached(driver, VENDORS) as desktop:
        screenshot = await desktop.screenshot()

    assert screenshot.size == (200, 100)
    assert driver.questions[-1].query == "width=200&height=100"


async def test_points_are_scaled_when_pictures_are_not_in_real_pixels() -> None:
    driver = Driver(screen=Size(1920, 1080), picture=Size(1024, 768))

    async with reached(driver, VENDORS) as desktop:
        assert await desktop.size() == (1024, 768)
        await desktop.perform(Click(Point(512, 384)), an_id())
        await desktop.perform(Drag(Point(0, 0), Point(1023, 767)), an_id())

    click, drag = driver.bodies()
    assert (click["x"], click["y"]) == (960, 540)
    assert (drag["start_x"], drag["start_y"], drag["to_x"], drag["to_y"]) == (0, 0, 1919, 1079)


async def test_an_answer_from_the_journal_says_so() -> None:
    async with reached(Driver()) as desktop:
        action_id = an_id()
        first = await desktop.perform(CLICK, action_id)
        second = await desktop.perform(CLICK, action_id)

    assert (first.was_replayed, second.was_replayed) == (False, True)


async def test_what_was_copied_and_printed_comes_back() -> None:
    def says(question: Question) -> Said | None:
        match question.path:
            case "/computer/copy_to_clipboard":
                return DriverAnswer(200, {}, b'{"text":"copied"}')
            case "/computer/shell/powershell/exec":
                return DriverAnswer(200, {}, b'{"stdout":"out","stderr":"err","exit_code":3}')
        return None

    async with reached(Driver(says=says)) as desktop:
        assert await desktop.perform(CopyToClipboard(), an_id()) == ActionResult(text="copied")
        assert await desktop.perform(RunCommand("x"), an_id()) == ActionResult("out", "err", 3)


async def test_a_command_whose_time_was_up_never_succeeds() -> None:
    body = b'{"stdout":"","stderr":"","exit_code":0,"timeout_reached":true}'

    async with reached(Driver(says=lambda _: DriverAnswer(200, {}, body)), VENDORS) as desktop:
        assert (await desktop.perform(RunCommand("x"), an_id())).exit_code == 124


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (DriverAnswer(422, {}, b'{"detail":"unknown key: foo"}'), "unknown key: foo"),
        (DriverAnswer(400, {}, b'{"error":"bad button"}'), "bad button"),
        (DriverAnswer(422, {}, b'{"detail":[{"loc":["body","x"]}]}'), '[{"loc": ["body", "x"]}]'),
        (DriverAnswer(500, {"content-type": "text/plain"}, b"ValueError: broken"), "ValueError: broken"),
        (DriverAnswer(503, {}, b""), "no reason given"),
    ],
)
async def test_a_refusal_carries_the_drivers_words(answer: DriverAnswer, detail: str) -> None:
    async with reached(Driver(says=lambda _: answer)) as desktop:
        with pytest.raises(DesktopRefused) as refusal:
            await desktop.perform(PressKeys("foo"), an_id())

    assert (refusal.value.status, refusal.value.detail) == (answer.status, detail)


@pytest.mark.parametrize(
    "answer",
    [
        DriverAnswer(409, {}, b'{"detail":"it died in the middle","outcome":"unknown"}'),
        DriverAnswer(500, {"content-type": "text/plain; charset=utf-8"}, b"ReadTimeout: "),
    ],
)
async def test_a_driver_may_not_know_what_happened(answer: DriverAnswer) -> None:
    async with reached(Driver(says=lambda _: answer)) as desktop:
        with pytest.raises(OutcomeUnknown):
            await desktop.perform(PressKeys("a"), an_id())


async def test_a_machine_without_a_tunnel_is_unreachable() -> None:
    desktop = TunnelDesktop(InProcessBus(), MACHINE, OURS, ManualClock())

    with pytest.raises(DesktopUnreachable, match="no live connection"):
        await desktop.screenshot()


@pytest.mark.parametrize(
    ("features", "was_sent", "error"),
    [
        (OURS, True, DesktopUnreachable),
        (OURS, False, DesktopUnreachable),
        (VENDORS, True, OutcomeUnknown),
        (VENDORS, False, DesktopUnreachable),
    ],
)
async def test_only_a_sent_action_without_a_journal_is_in_doubt(
    features: frozenset[str], was_sent: bool, error: type[Exception]
) -> None:
    broken = NoAnswer("the connection broke", was_sent=was_sent)

    async with reached(Driver(says=lambda _: broken), features) as desktop:
        with pytest.raises(error, match="the connection broke"):
            await desktop.perform(PressKeys("a"), an_id())


async def test_an_action_that_never_left_may_be_asked_for_again() -> None:
    answers: list[Said] = [NoAnswer("the connection broke", was_sent=False)]
    driver = Driver(says=lambda _: answers.pop() if answers else None)

    async with reached(driver, VENDORS) as desktop:
        action_id = an_id()
        with pytest.raises(DesktopUnreachable):
            await desktop.perform(PressKeys("a"), action_id)
        await desktop.perform(PressKeys("a"), action_id)

    assert len(driver.performed) == 1


async def test_a_busy_driver_is_asked_again() -> None:
    answers: list[Said] = [DriverAnswer(429), DriverAnswer(429)]
    driver = Driver(says=lambda _: answers.pop() if answers else None)

    async with reached(driver, VENDORS) as desktop:
        await desktop.perform(PressKeys("a"), an_id())

    assert (len(driver.questions), len(driver.performed)) == (3, 1)


async def test_a_driver_that_stays_busy_refuses() -> None:
    async with reached(Driver(says=lambda _: DriverAnswer(429)), VENDORS) as desktop:
        with pytest.raises(DesktopRefused, match="429"):
            await desktop.perform(PressKeys("a"), an_id())


@pytest.mark.parametrize(("width", "height"), [(100_000, 100_000), (0, 768)])
async def test_a_picture_of_an_impossible_size_is_refused(width: int, height: int) -> None:
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    async with reached(Driver(says=lambda _: DriverAnswer(200, {}, png))) as desktop:
        with pytest.raises(DesktopRefused, match=f"{width} x {height} pixels"):
            await desktop.screenshot()


async def test_what_is_no_picture_is_refused() -> None:
    async with reached(Driver(says=lambda _: DriverAnswer(200, {}, b"<html>"))) as desktop:
        with pytest.raises(DesktopRefused, match="no PNG"):
            await desktop.screenshot()


def test_a_text_that_is_typed_is_in_no_repr() -> None:
    call = call_for(TypeText("hunter2"), None)

    assert call is not None
    assert "hunter2" not in repr(Question("POST", call.path, body=call.body()))
    assert "hunter2" not in repr(call)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"content": 7}', b'{"content": "QQ"}', b"no json"])
async def test_an_answer_without_a_file_is_refused(body: bytes) -> None:
    driver = Driver(says=lambda _: DriverAnswer(200, {}, body))

    async with reached(driver) as desktop:
        with pytest.raises(DesktopRefused, match=r"no content of a\.txt"):
            await desktop.read_file("a.txt")


async def test_a_driver_that_does_not_say_where_it_wrote_wrote_where_it_was_told() -> None:
    driver = Driver(says=lambda _: DriverAnswer(200, {}, b"{}"))

    async with reached(driver) as desktop:
        assert await desktop.write_file("C:\\in\\a.txt", b"x") == "C:\\in\\a.txt"
