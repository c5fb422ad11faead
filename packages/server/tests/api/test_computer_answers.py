"""What callers get when a machine's driver fails, falls silent, or is of another generation."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from cyberdesk_server.api.errors import DESKTOP_STATUS
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.ids import MachineId, OrganizationId
from cyberdesk_server.ports import DesktopError, DesktopRefused, Message
from cyberdesk_server.questions import DriverAnswer, NoAnswer, Question, machine_topic
from cyberdesk_server.testing.ports import a_screenshot
from cyberdesk_server.testing.rows import HERE, NOON, a_machine, a_run, a_workflow, claim_next

KEY = {"Idempotency-Key": "k-1"}
JSON = {"content-type": "application/json"}
PLAIN = {"content-type": "text/plain"}
SCREEN = Size(1920, 1080)
PICTURE = Size(1024, 768)

Said = DriverAnswer | NoAnswer
Make = Callable[..., Awaitable[dict[str, Any]]]


@dataclass
class PublishedDriver:
    """A driver of the published 1.x: it answers pictures of one size only, and keeps no journal."""

    says: Callable[[Question], Said | None] = lambda _: None
    """What it answers instead of acting."""

    acted: list[Question] = field(default_factory=list)

    async def answer(self, message: Message) -> Message:
        question = Question.from_message(message)
        return (self.says(question) or self._act(question)).to_message()

    def _act(self, question: Question) -> DriverAnswer:
        match question.path:
            case "/computer/display/dimensions":
                return DriverAnswer(200, JSON, json.dumps(SCREEN._asdict()).encode())
            case "/computer/display/screenshot":
                return DriverAnswer(200, {"content-type": "image/png"}, a_screenshot(size=PICTURE).png)
            case "/computer/input/mouse/position":
                return DriverAnswer(200, JSON, b'{"x":960,"y":540}')
            case _:
                self.acted.append(question)
                return DriverAnswer(200, JSON, b"{}")


@dataclass
class Site:
    driver: PublishedDriver
    client: httpx.AsyncClient
    address: str

    async def click(self, body: Any = None, headers: dict[str, str] | None = None) -> httpx.Response:
        address = f"{self.address}/input/mouse/click"
        return await self.client.post(address, json=body or {}, headers=headers)


@pytest.fixture
async def site(parts: Parts, client: httpx.AsyncClient, make: Make) -> AsyncIterator[Site]:
    machine, driver = await make("machines"), PublishedDriver()
    async with parts.bus.serve(machine_topic(MachineId(UUID(machine["id"]))), driver.answer):
        yield Site(driver, client, f"/v1/computer/{machine['id']}")


async def test_places_are_those_of_the_picture(site: Site) -> None:
    dimensions = await site.client.get(f"{site.address}/display/dimensions")
    position = await site.client.get(f"{site.address}/input/mouse/position")
    await site.click({"x": 512, "y": 384})
    drag = {"start_x": 0, "start_y": 0, "to_x": 1023, "to_y": 767}
    await site.client.post(f"{site.address}/input/mouse/drag", json=drag)

    clicked, dragged = (json.loads(question.body) for question in site.driver.acted)
    assert dimensions.json() == {"width": 1024, "height": 768}
    assert position.json() == {"x": 512, "y": 384}
    assert clicked == {"x": 960, "y": 540, "button": "left", "clicks": 1}
    assert dragged == {"start_x": 0, "start_y": 0, "to_x": 1919, "to_y": 1079, "button": "left"}


async def test_a_click_without_a_place_takes_no_picture(site: Site) -> None:
    asked: list[str] = []
    site.driver.says = lambda question: asked.append(question.path)

    await site.click()

    assert asked == ["/computer/input/mouse/click"]


async def test_the_idempotency_key_reaches_the_driver_under_another_name(site: Site) -> None:
    """A driver keeps answers by key alone: those of two organizations must not meet."""
    await site.click(headers=KEY)
    await site.click(headers={"Idempotency-Key": "k-2"})
    await site.click()

    first, second, third = (question.headers.get("x-idempotency-key") for question in site.driver.acted)
    assert len({first, second}) == 2
    assert first not in (None, "k-1")
    assert third is None
    assert all("x-action-id" not in question.headers for question in site.driver.acted)


async def test_after_a_day_a_key_names_another_action(site: Site, clock: Any) -> None:
    await site.click(headers=KEY)
    await clock.sleep(24 * 3600)
    await site.click(headers=KEY)

    first, second = (question.headers["x-idempotency-key"] for question in site.driver.acted)
    assert first != second


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        (NoAnswer("the connection broke", was_sent=True), 502, "the connection broke"),
        (NoAnswer("it cannot be sent", was_sent=False), 503, "cannot be sent"),
        (NoAnswer("not within 35 s", was_sent=True, was_late=True), 504, "not within 35 s"),
        (DriverAnswer(400, JSON, b'{"error":"bad"}'), 400, "bad"),
        (DriverAnswer(403, JSON, b'{"detail":"switched off"}'), 403, "switched off"),
        (DriverAnswer(401, JSON, b'{"detail":"who?"}'), 502, "401: who?"),
        (DriverAnswer(404, JSON, b'{"detail":"Not Found"}'), 501, "this driver has no POST"),
        (DriverAnswer(409, JSON, b'{"detail":"it died","outcome":"unknown"}'), 409, "it died"),
        (DriverAnswer(429, JSON, b"{}"), 503, "429"),
        (DriverAnswer(500, PLAIN, b"ValueError: broken"), 502, "500: ValueError: broken"),
        (DriverAnswer(500, PLAIN, b"ReadTimeout: "), 409, "ReadTimeout"),
        (DriverAnswer(501, JSON, b'{"detail":"cannot"}'), 501, "cannot"),
        (DriverAnswer(503, JSON, b'{"detail":"no screen"}'), 503, "no screen"),
        (DriverAnswer(507, JSON, b'{"detail":"disk full"}'), 507, "disk full"),
    ],
)
async def test_why_it_was_not_done_is_told(site: Site, said: Said, status: int, words: str) -> None:
    site.driver.says = lambda _: said

    answer = await site.click()

    assert answer.status_code == status
    assert words in answer.json()["detail"]


async def test_a_named_field_stays_named_and_what_was_in_it_goes(site: Site) -> None:
    problem = {"loc": ["body", "x"], "msg": "too far", "type": "far", "input": "s3cr3t", "url": "http://x"}
    site.driver.says = lambda _: DriverAnswer(422, JSON, json.dumps({"detail": [problem]}).encode())

    answer = await site.click()

    assert answer.status_code == 422
    assert answer.json() == {"detail": [{"loc": ["body", "x"], "msg": "too far", "type": "far"}]}


async def test_a_refused_field_without_a_name_is_still_a_list(site: Site) -> None:
    site.driver.says = lambda _: DriverAnswer(422, JSON, b'{"detail":"unknown key: foo"}')

    answer = await site.click()

    assert answer.json()["detail"] == [
        {"loc": ["body"], "msg": "unknown key: foo", "type": "desktop_refused"}
    ]


async def test_a_file_that_is_not_there_is_not_found(site: Site) -> None:
    site.driver.says = lambda _: DriverAnswer(404, JSON, b'{"detail":"no such file"}')

    answer = await site.client.get(f"{site.address}/fs/read", params={"path": "x"})

    assert answer.status_code == 404
    assert answer.json() == {"detail": "the desktop answered 404: no such file"}


async def test_what_is_no_json_is_the_drivers_fault(site: Site) -> None:
    site.driver.says = lambda _: DriverAnswer(200, PLAIN, b"<html>")

    answer = await site.client.post(f"{site.address}/shell/powershell/test")

    assert answer.status_code == 502


async def test_folders_are_listed_alike_whatever_the_driver_calls_it(site: Site) -> None:
    site.driver.says = lambda _: DriverAnswer(200, JSON, b'{"path":"/","items":[{"name":"a"}]}')

    answer = (await site.client.get(f"{site.address}/fs/list", params={"path": "/"})).json()

    assert answer == {"path": "/", "items": [{"name": "a"}], "entries": [{"name": "a"}]}


@pytest.mark.parametrize(
    "said",
    [
        NoAnswer("the connection broke", was_sent=True),
        NoAnswer("not within 35 s", was_sent=True, was_late=True),
        DriverAnswer(500, PLAIN, b"ValueError: broken"),
    ],
)
async def test_what_may_have_happened_is_not_done_again_without_a_journal(site: Site, said: Said) -> None:
    """Invariant 5 for callers."""
    answers: list[Said] = [said]
    site.driver.says = lambda _: answers.pop() if answers else None

    failed = await site.click(headers=KEY)
    again = [await site.click(headers=KEY) for _ in range(2)]

    assert failed.status_code >= 500
    assert [answer.status_code for answer in again] == [409, 409]
    assert "may have happened" in again[0].json()["detail"]
    assert site.driver.acted == []


async def test_what_never_left_may_be_asked_for_again(site: Site) -> None:
    answers: list[Said] = [NoAnswer("it cannot be sent", was_sent=False)]
    site.driver.says = lambda _: answers.pop() if answers else None

    answered = [(await site.click(headers=KEY)).status_code for _ in range(2)]

    assert answered == [503, 204]
    assert len(site.driver.acted) == 1


async def test_a_machine_that_a_run_has_can_be_operated(client: httpx.AsyncClient, parts: Parts) -> None:
    organization, driver = OrganizationId("org_own"), PublishedDriver()
    async with parts.database.transaction() as conn:
        machine = await a_machine(conn, organization)
        await a_run(conn, await a_workflow(conn, organization), machine_id=machine.id)
        claim = await claim_next(conn, server_id=HERE, now=NOON, lease_seconds=60)

    async with parts.bus.serve(machine_topic(machine.id), driver.answer):
        answer = await client.post(f"/v1/computer/{machine.id}/input/mouse/click", json={})

    assert claim is not None
    assert (answer.status_code, len(driver.acted)) == (204, 1)


def test_every_failure_of_a_desktop_has_its_status() -> None:
    def kinds(kind: type[DesktopError]) -> set[type[DesktopError]]:
        return {kind, *(found for sub in kind.__subclasses__() for found in kinds(sub))}

    assert kinds(DesktopError) - {DesktopError, DesktopRefused} == set(DESKTOP_STATUS)
