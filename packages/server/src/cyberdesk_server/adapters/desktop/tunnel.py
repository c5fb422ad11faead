"""A desktop behind a tunnel: actions in the words of its driver, each done at most once; and its files."""

import base64
import json
from urllib.parse import urlencode

from cyberdesk_server.adapters.desktop.calls import call_for, needs_scale, result_of
from cyberdesk_server.domain.actions import Action, ActionResult
from cyberdesk_server.domain.base64_text import Base64Text, cut_out
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.ids import MachineId, StepId
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.ports import (
    Bus,
    Clock,
    DesktopNotAsked,
    DesktopRefused,
    DesktopUnreachable,
    OutcomeUnknown,
)
from cyberdesk_server.questions import (
    Driver,
    DriverAnswer,
    Question,
    detail_of,
    expect_ok,
    json_of,
    outcome_is_unknown,
)

WRITE_SECONDS = 60.0
"""For a driver to take and write a piece of a file."""

READ_SECONDS = 300.0
"""For a file of 100 MB to come through the tunnel over a slow line."""


class TunnelDesktop:
    """A `ports.Desktop`; one object serves one run.

    `size`, `screenshot` and every point of an action mean the pictures of its driver (see `Driver`); points
    are scaled on their way out.
    """

    def __init__(self, bus: Bus, machine_id: MachineId, features: frozenset[str], clock: Clock) -> None:
        """`features` are what the driver said about itself when it connected."""
        self._driver = Driver(bus, machine_id, features, clock)
        self._asked: set[StepId] = set()

    async def size(self) -> Size:
        return await self._driver.size()

    async def screenshot(self) -> Screenshot:
        return await self._driver.screenshot()

    async def perform(self, action: Action, action_id: StepId, *, is_repeat: bool = False) -> ActionResult:
        scale = await self._driver.scale() if needs_scale(action) else None
        call = call_for(action, scale)
        if call is None:
            return ActionResult()
        keeps_journal = self._driver.keeps_journal
        if not keeps_journal and (is_repeat or action_id in self._asked):
            raise OutcomeUnknown("the action may have happened before, and this driver keeps no journal")
        self._asked.add(action_id)
        question = call.question(action_id=str(action_id), keeps_journal=keeps_journal)
        answer = await self._ask_for_action(question, action_id)
        was_replayed = answer.headers.get("x-action-replayed") == "true"
        return result_of(action, json_of(answer), was_replayed=was_replayed)

    async def write_file(self, path: str, content: bytes, *, is_more: bool = False) -> str:
        fields = {
            "path": path,
            "content": base64.b64encode(content).decode(),
            "mode": "append" if is_more else "write",
        }
        # No id goes with it: a driver that remembers answers by id would keep the file in memory.
        question = Question(
            "POST",
            "/computer/fs/write",
            headers={"content-type": "application/json"},
            body=json.dumps(fields).encode(),
            answer_seconds=WRITE_SECONDS,
        )
        written = json_of(expect_ok(await self._driver.ask(question))).get("path")
        return written if isinstance(written, str) and written else path

    async def read_file(self, path: str) -> Base64Text:
        query = urlencode({"path": path})
        question = Question("GET", "/computer/fs/read", query=query, answer_seconds=READ_SECONDS)
        answer = expect_ok(await self._driver.ask(question))
        document, texts = cut_out(answer.body)
        try:
            content = json.loads(document)["content"]
            return texts.get(content) or Base64Text(content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DesktopRefused(answer.status, f"no content of {path} in the answer: {error}") from error

    async def is_folder(self, path: str) -> bool:
        question = Question("GET", "/computer/fs/list", query=urlencode({"path": path}))
        return 200 <= (await self._driver.ask(question)).status < 300

    async def _ask_for_action(self, question: Question, action_id: StepId) -> DriverAnswer:
        try:
            answer = await self._driver.ask(question)
        except DesktopNotAsked:
            self._asked.discard(action_id)
            raise
        except DesktopUnreachable as error:
            if self._driver.keeps_journal:
                raise
            raise OutcomeUnknown(f"{error}; the action may have happened") from error
        if outcome_is_unknown(answer):
            raise OutcomeUnknown(detail_of(answer))
        return expect_ok(answer)
