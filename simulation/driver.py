"""The desktops: drivers that dial in, act, die and come back, and a record of what was really done."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from cyberdesk_wire import Request, Response
from cyberdesk_wire.protocol import DriverSide
from cyberdriver.answers import DONE, Answer, json_answer, problem
from cyberdriver.journal import AnswerNotKept, Begin, Journal, OtherWork, OutcomeUnknown, Replay

from simulation.loop import Host
from simulation.network import Line
from simulation.screen import SIZE, Screen

ACTING_SECONDS = 0.05
LONG_ACTING_SECONDS = 8.0
PATIENCE_SECONDS = 60.0
"""How long a driver believes in a server that says nothing, at most."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was really done to a desktop."""

    action_id: str | None
    """None from a driver that knows no ids."""

    what: str
    at: float
    """When, in simulated seconds."""


@dataclass
class Desktop:
    """What outlives the driver's process: the screen, and the folder with the journal."""

    name: str
    key: str
    folder: Path
    keeps_journal: bool
    screen: Screen
    deeds: list[Deed] = field(default_factory=list)
    """In the order in which they happened."""

    @property
    def headers(self) -> dict[str, str]:
        told = {"authorization": f"Bearer {self.key}", "x-piglet-fingerprint": self.name}
        if self.keeps_journal:
            features = "action-journal,conditional-screenshot,key-hold"
            return {**told, "x-piglet-version": "2.0.0", "x-cyberdriver-features": features}
        return {**told, "x-piglet-version": "0.0.39"}


class Driver:
    """One process of a driver, from its start to its death."""

    def __init__(self, desktop: Desktop, chance: Random, host: Host) -> None:
        self._desktop = desktop
        self._chance = chance
        self._journal = Journal(desktop.folder) if desktop.keeps_journal else None
        self._inputs = asyncio.Lock()
        if self._journal is not None:
            host.at_death.append(self._journal.close)

    async def serve(self, line: Line) -> None:
        """Answer what comes over this line until it is closed or silent for too long."""
        wire = DriverSide()
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    async with asyncio.timeout(PATIENCE_SECONDS * self._chance.uniform(0.1, 1.0)):
                        event = await line.to_driver.get()
                except TimeoutError:
                    if line.is_answered:
                        continue
                    line.cut()
                    return
                if event["type"] in ("websocket.disconnect", "websocket.close"):
                    return
                if event["type"] != "websocket.send":
                    continue  # it says that the line is open
                frame = event.get("text")
                for request in wire.receive(event["bytes"] if frame is None else frame):
                    if isinstance(request, Request):
                        group.create_task(self._answer(request, wire, line))

    async def _answer(self, request: Request, wire: DriverSide, line: Line) -> None:
        if request.method == "GET":
            answer = self._show(request)
        else:
            async with self._inputs:
                answer = await self._act(request)
        frames = wire.send(Response(request.request_id, answer.status, answer.headers, answer.body))
        if isinstance(frames, list):
            for frame in frames:
                line.say(frame)

    def _show(self, request: Request) -> Answer:
        if request.path == "/computer/display/dimensions":
            return json_answer({"width": SIZE.width, "height": SIZE.height})
        screen = self._desktop.screen
        if request.header("if-none-match") == screen.tag:
            return Answer(304)
        return Answer(200, screen.png, {"content-type": "image/png", "etag": screen.tag})

    async def _act(self, request: Request) -> Answer:
        """As the real driver does it: see `cyberdriver.commands.dispatcher`."""
        action_id = request.header("x-action-id")
        if self._journal is None or action_id is None:
            await self._do(request, None)
            return DONE
        match self._journal.begin(
            action_id, self._journal.fingerprint_of(request.path.encode(), request.body)
        ):
            case Begin():
                await self._do(request, action_id)
                self._journal.finish(action_id, DONE)
                return DONE
            case Replay(answer):
                return Answer(answer.status, answer.body, {**answer.headers, "x-action-replayed": "true"})
            case OutcomeUnknown():
                return problem(409, "begun and not finished", outcome="unknown")
            case AnswerNotKept():
                return problem(409, "the answer was too large to keep", outcome="done")
            case OtherWork():
                return problem(422, "the id belongs to another request")

    async def _do(self, request: Request, action_id: str | None) -> None:
        """The driver may die before the deed is done, and after it."""
        longest = LONG_ACTING_SECONDS if self._chance.random() < 1 / 50 else ACTING_SECONDS
        await asyncio.sleep(self._chance.random() * longest)
        what = _what(request)
        self._desktop.deeds.append(Deed(action_id, what, asyncio.get_running_loop().time()))
        self._desktop.screen.write(what.removeprefix("type ") if what.startswith("type ") else "")
        await asyncio.sleep(self._chance.random() * ACTING_SECONDS)


def _what(request: Request) -> str:
    fields: dict[str, Any] = json.loads(request.body or b"{}")
    place = request.path.rpartition("/")[2]
    return f"{place} {fields.get('text') or (fields.get('x'), fields.get('y'))}"
