"""A run as its language model sees it, played without a desktop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cyberdesk_server.adapters.models.agent import LanguageModel
from cyberdesk_server.adapters.models.conversation import Provider, Role, Tokens
from cyberdesk_server.domain.addresses import address_of, history_image_key
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Step, StepState, Turn
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.moves import runtime_values
from cyberdesk_server.testing.model_servers import ModelServer, Scripted
from cyberdesk_server.testing.ports import MemoryBlobs, a_screenshot
from cyberdesk_server.testing.prompts import a_task
from cyberdesk_server.testing.rows import a_step

KEY = "sk-canary-0123456789"


@dataclass
class Talk:
    """Asks a provider turn by turn; each call has the result it is given."""

    provider: Provider
    server: ModelServer
    task: Task = field(default_factory=lambda: a_task("Find patient {patient}", {"patient": "Ann"}))
    screen: Screenshot = field(default_factory=lambda: a_screenshot("start"))
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    history: tuple[Step, ...] = ()
    costs: list[tuple[Role, Tokens]] = field(default_factory=list)

    @property
    def model(self) -> LanguageModel:
        """A new one each time, as a worker has that takes the run over."""

        async def open_key() -> str:
            return KEY

        async def record(role: Role, provider: Provider, tokens: Tokens) -> None:
            self.costs.append((role, tokens))

        return LanguageModel(self.provider, open_key, record, self.blobs)

    async def turn(self, *replies: Scripted) -> Turn:
        """What the model decides when it is answered so."""
        self.server.answers(*replies)
        return await self.model.next_turn(self.task, self.history, runtime_values(self.history), self.screen)

    async def play(
        self,
        reply: Scripted,
        *results: Mapping[str, Any] | str,
        images: Sequence[str] = (),
        shows: str | None = None,
    ) -> Turn:
        """Let the model decide, and write down what came of each call: a result, or why it failed.

        `shows` is what the screen shows afterwards; it stays as it was without.
        """
        turn = await self.turn(reply)
        number = self.history[-1].turn + 1 if self.history else 1
        address = await self.keep(self.screen)
        for position, call in enumerate(turn.calls):
            came = results[position] if position < len(results) else {}
            step = replace(
                a_step(self.task.run_id, len(self.history) + 1),
                turn=number,
                call=call,
                thought=turn.thought if position == 0 else None,
                memo=turn.memo,
                screen=address,
                state=StepState.FAILED if isinstance(came, str) else StepState.DONE,
                error=came if isinstance(came, str) else None,
                result=None if isinstance(came, str) else came,
                images=tuple(images) if position == 0 else (),
            )
            self.history = (*self.history, step)
        if shows is not None:
            self.screen = a_screenshot(shows, size=self.screen.size)
        return turn

    async def keep(self, screenshot: Screenshot) -> str:
        key = history_image_key(self.task.organization_id, f"{screenshot.digest}.png")
        await self.blobs.put(key, screenshot.png, content_type="image/png")
        return address_of(key)

    @property
    def sent(self) -> dict[str, Any]:
        """The last request."""
        return self.server.asked[-1].body


def pictures_in(value: Any) -> list[str]:
    """The contents of all pictures of a request, in base64 and in order."""
    match value:
        case {"type": "base64", "data": data}:
            return [data]
        case dict():
            return [one for item in value.values() for one in pictures_in(item)]
        case list():
            return [one for item in value for one in pictures_in(item)]
        case str() if value.startswith("data:image/"):
            return [value.partition(",")[2]]
        case _:
            return []
