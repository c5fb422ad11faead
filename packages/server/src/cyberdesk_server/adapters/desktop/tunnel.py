"""A desktop behind a tunnel: actions in the words of its driver, each done at most once."""

from cyberdesk_server.adapters.desktop.calls import call_for, needs_scale, result_of
from cyberdesk_server.domain.actions import Action, ActionResult
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.ids import MachineId, StepId
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.ports import Bus, Clock, DesktopNotAsked, DesktopUnreachable, OutcomeUnknown
from cyberdesk_server.questions import (
    Driver,
    DriverAnswer,
    Question,
    detail_of,
    expect_ok,
    json_of,
    outcome_is_unknown,
)


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
