"""An action at most once, every failure an answer, lanes that do not wait for each other."""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cyberdesk_wire import Request
from cyberdriver.audit import AUDIT_FILE, Audit
from cyberdriver.backends.base import DisplayError, NoDisplay, Point
from cyberdriver.backends.fake import Clicked, Typed
from cyberdriver.commands.dispatcher import Dispatcher
from cyberdriver.commands.table import ROUTES, Switch
from cyberdriver.rehearsal import StagedMachine
from cyberdriver.settings import Allowed
from cyberdriver.testing import FakeBackend

CLICK = "/computer/input/mouse/click"
TYPE = "/computer/input/keyboard/type"


def action(action_id: str = "7") -> dict[str, str]:
    return {"x-action-id": action_id}


async def test_a_repeated_action_is_answered_and_not_done(
    machine: StagedMachine, backend: FakeBackend
) -> None:
    first = await machine.ask("POST", CLICK, {"x": 1, "y": 2}, headers=action())
    second = await machine.ask("POST", CLICK, {"x": 1, "y": 2}, headers=action())

    assert backend.inputs == [Clicked(Point(1, 2))]
    assert first.header("x-action-replayed") is None
    assert (second.status, second.body, second.header("x-action-replayed")) == (200, b"{}", "true")


async def test_a_restarted_driver_remembers(make_machine: Callable[..., StagedMachine]) -> None:
    before = make_machine()
    await before.ask("POST", TYPE, {"text": "once"}, headers=action())
    before.close()
    after = make_machine()

    response = await after.ask("POST", TYPE, {"text": "once"}, headers=action())

    assert (response.status, response.header("x-action-replayed")) == (200, "true")
    assert after.backend.inputs == []


async def test_an_action_that_was_begun_and_not_finished_is_unknown(
    machine: StagedMachine, backend: FakeBackend
) -> None:
    body = b'{"x":1,"y":2}'
    work = machine.journal.fingerprint_of(b"", b"POST", CLICK.encode(), b"", body)
    machine.journal.begin("7", work)

    response = await machine.ask("POST", CLICK, body, headers=action())

    assert (response.status, json.loads(response.body)["outcome"]) == (409, "unknown")
    assert backend.inputs == []


async def test_an_action_id_is_bound_to_its_request(machine: StagedMachine, backend: FakeBackend) -> None:
    await machine.ask("POST", TYPE, {"text": "a"}, headers=action())

    for path, body in ((TYPE, {"text": "b"}), (CLICK, {"text": "a"})):
        response = await machine.ask("POST", path, body, headers=action())
        assert response.status == 422
        assert json.loads(response.body)["detail"][0]["loc"] == ["header", "x-action-id"]
    assert backend.inputs == [Typed("a")]


async def test_a_refused_request_uses_no_action_id(machine: StagedMachine) -> None:
    await machine.ask("POST", TYPE, {"text": ""}, headers=action())

    assert (await machine.ask("POST", TYPE, {"text": "a"}, headers=action())).status == 200


async def test_a_failure_is_remembered_too(
    machine: StagedMachine, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: FakeBackend, text: str) -> None:
        raise DisplayError("typing", "no")

    monkeypatch.setattr(FakeBackend, "type_text", fail)
    await machine.ask("POST", TYPE, {"text": "a"}, headers=action())
    monkeypatch.undo()

    response = await machine.ask("POST", TYPE, {"text": "a"}, headers=action())

    assert (response.status, response.header("x-action-replayed")) == (500, "true")
    assert backend.inputs == []


async def test_looking_is_never_replayed(machine: StagedMachine) -> None:
    path = "/computer/input/mouse/position"
    await machine.ask("GET", path, headers=action())
    await machine.ask("POST", "/computer/input/mouse/move", {"x": 5, "y": 5})

    assert json.loads((await machine.ask("GET", path, headers=action())).body) == {"x": 5, "y": 5}


@pytest.mark.parametrize("action_id", ["x" * 129, "a b", "é"])
async def test_an_action_id_has_a_form(machine: StagedMachine, backend: FakeBackend, action_id: str) -> None:
    response = await machine.ask("POST", TYPE, {"text": "a"}, headers=action(action_id))

    assert response.status == 422
    assert backend.inputs == []


async def test_a_journal_that_cannot_be_written_stops_the_action(
    machine: StagedMachine, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(action_id: str, work: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(machine.journal, "begin", full)

    response = await machine.ask("POST", TYPE, {"text": "a"}, headers=action())

    assert response.status == 507
    assert backend.inputs == []


@pytest.mark.parametrize("header", ["x-idempotency-key", "Idempotency-Key"])
async def test_an_idempotency_key_is_honoured(
    machine: StagedMachine, backend: FakeBackend, header: str
) -> None:
    for _ in range(2):
        assert (await machine.ask("POST", TYPE, {"text": "a"}, headers={header: "k"})).status == 200
    await machine.ask("POST", TYPE, {"text": "b"}, headers={header: "k"})

    assert backend.inputs == [Typed("a"), Typed("b")]


class Gate(FakeBackend):
    """Types when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = threading.Event()
        self.may_end = threading.Event()

    def type_text(self, text: str) -> None:
        self.has_begun.set()
        self.may_end.wait(20)
        super().type_text(text)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def gated(make_machine: Callable[..., StagedMachine], gate: Gate) -> StagedMachine:
    return make_machine(backend=gate)


@pytest.mark.parametrize("header", ["x-action-id", "x-idempotency-key"])
async def test_a_duplicate_waits_for_the_first(gated: StagedMachine, gate: Gate, header: str) -> None:
    first = asyncio.create_task(gated.ask("POST", TYPE, {"text": "a"}, headers={header: "7"}))
    await asyncio.to_thread(gate.has_begun.wait, 20)
    second = asyncio.create_task(gated.ask("POST", TYPE, {"text": "a"}, headers={header: "7"}))
    await asyncio.sleep(0)

    gate.may_end.set()

    assert [answer.status for answer in await asyncio.gather(first, second)] == [200, 200]
    assert gate.inputs == [Typed("a")]


async def test_another_request_under_a_running_id_is_refused(gated: StagedMachine, gate: Gate) -> None:
    first = asyncio.create_task(gated.ask("POST", TYPE, {"text": "a"}, headers=action()))
    await asyncio.to_thread(gate.has_begun.wait, 20)

    assert (await gated.ask("POST", TYPE, {"text": "b"}, headers=action())).status == 422

    gate.may_end.set()
    assert (await first).status == 200


async def test_what_has_not_begun_can_be_taken_back_and_what_has_runs_on(
    gated: StagedMachine, gate: Gate
) -> None:
    begun = asyncio.create_task(gated.ask("POST", TYPE, {"text": "a"}, headers=action("1")))
    waiting = asyncio.create_task(gated.ask("POST", TYPE, {"text": "b"}, headers=action("2")))
    await asyncio.to_thread(gate.has_begun.wait, 20)

    for task in (begun, waiting):
        task.cancel()
    await asyncio.gather(begun, waiting, return_exceptions=True)
    again = asyncio.create_task(gated.ask("POST", TYPE, {"text": "a"}, headers=action("1")))
    await asyncio.sleep(0)
    gate.may_end.set()

    assert (await again).status == 200
    assert gate.inputs == [Typed("a")]


async def test_a_screenshot_does_not_wait_for_an_input(gated: StagedMachine, gate: Gate) -> None:
    typing = asyncio.create_task(gated.ask("POST", TYPE, {"text": "a"}))
    await asyncio.to_thread(gate.has_begun.wait, 20)

    assert (await gated.ask("GET", "/computer/display/screenshot")).status == 200

    assert not typing.done()
    gate.may_end.set()
    await typing


async def test_a_click_that_nothing_is_before_is_done_at_once(
    machine: StagedMachine, backend: FakeBackend
) -> None:
    click = Request("1", "POST", CLICK, body=b'{"x":1,"y":2}')

    opening = machine.dispatcher.begin(click)
    await asyncio.wrap_future(opening)
    at_once = machine.dispatcher.begin(replace(click, request_id="2"))

    assert at_once.done()
    assert at_once.result().status == 200
    assert backend.inputs == [Clicked(Point(1, 2))] * 2


async def test_a_click_waits_for_the_inputs_before_it(gated: StagedMachine, gate: Gate) -> None:
    typing = asyncio.create_task(gated.ask("POST", TYPE, {"text": "a"}))
    await asyncio.to_thread(gate.has_begun.wait, 20)

    click = gated.dispatcher.begin(Request("1", "POST", CLICK, body=b'{"x":1,"y":2}'))
    has_overtaken = click.done()
    gate.may_end.set()
    await typing
    await asyncio.wrap_future(click)

    assert not has_overtaken
    assert gate.inputs == [Typed("a"), Clicked(Point(1, 2))]


async def test_ending_waits_for_the_current_input(gated: StagedMachine, gate: Gate) -> None:
    typing = asyncio.create_task(gated.ask("POST", TYPE, {"text": "a"}))
    await asyncio.to_thread(gate.has_begun.wait, 20)

    assert not await asyncio.to_thread(gated.dispatcher.close, 0.05)
    gate.may_end.set()

    assert await asyncio.to_thread(gated.dispatcher.close, 20)
    assert gate.is_closed
    await typing


async def test_a_driver_that_ends_begins_nothing(machine: StagedMachine, backend: FakeBackend) -> None:
    machine.dispatcher.take_back_waiting()

    response = await machine.ask("POST", TYPE, {"text": "a"}, headers=action())

    assert response.status == 503
    assert backend.inputs == []


async def test_a_lost_screen_is_503_and_opened_again(machine: StagedMachine, backend: FakeBackend) -> None:
    await machine.ask("GET", "/computer/display/dimensions")
    backend.lose()

    lost = await machine.ask("POST", TYPE, {"text": "a"})
    machine.backend = FakeBackend()
    found = await machine.ask("POST", TYPE, {"text": "a"})

    assert (lost.status, found.status, machine.opened) == (503, 200, 2)


async def test_a_missing_screen_is_503(
    make_machine: Callable[..., StagedMachine], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = make_machine()

    def missing() -> FakeBackend:
        raise NoDisplay(":9", "refused")

    monkeypatch.setattr(machine.desktop, "_open_backend", missing)

    response = await machine.ask("GET", "/computer/display/screenshot")

    assert response.status == 503
    assert b"DISPLAY=:9" in response.body


async def test_a_bug_is_500_and_logged(
    machine: StagedMachine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: FakeBackend, text: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(FakeBackend, "type_text", broken)

    response = await machine.ask("POST", TYPE, {"text": "secret"})

    assert response.status == 500
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text


async def test_an_unknown_path_is_404_and_a_wrong_method_405(machine: StagedMachine) -> None:
    assert (await machine.ask("GET", "/computer/nothing")).status == 404
    assert (await machine.ask("GET", CLICK)).status == 405


async def test_every_command_answers_an_empty_request_without_failing(machine: StagedMachine) -> None:
    for method, path in ROUTES:
        response = await machine.ask(method, path)
        assert response.status in (200, 204, 422, 501), (path, response)


async def test_every_command_leaves_an_audit_line_without_its_text(
    machine: StagedMachine, tmp_path: Path
) -> None:
    dispatcher = Dispatcher(machine.desk, machine.journal, audit=Audit(tmp_path))

    await dispatcher.answer(Request("1", "POST", TYPE, body=b'{"text":"secret"}'))
    await dispatcher.answer(Request("2", "POST", TYPE, body=b"{}"))

    lines = [json.loads(line) for line in (tmp_path / AUDIT_FILE).read_text().splitlines()]
    assert [(line["status"], line["about"]) for line in lines] == [(200, {"characters": 6}), (422, {})]
    assert "secret" not in str(lines)
    dispatcher.close(10)


SWITCHED = [(method, path, route.switch) for (method, path), route in ROUTES.items() if route.switch]


@pytest.mark.parametrize(("method", "path", "switch"), SWITCHED)
async def test_what_is_switched_off_is_refused_before_it_is_read(
    make_machine: Callable[..., StagedMachine], method: str, path: str, switch: Switch
) -> None:
    machine = make_machine(allowed=replace(Allowed(), **{switch.value: False}))

    answer = await machine.ask(method, path, b"{")

    assert answer.status == 403
    assert f"{switch.value} is switched off on this machine".encode() in answer.body
    assert machine.opened == 0


def test_only_looking_and_the_drivers_own_have_no_switch() -> None:
    free = {path for (_, path), route in ROUTES.items() if route.switch is None}

    assert free == {
        *("/computer/display/dimensions", "/computer/display/screenshot", "/computer/input/mouse/position"),
        "/internal/diagnostics",
        *(f"/internal/keepalive/remote/{verb}" for verb in ("activity", "enable", "disable")),
    }
