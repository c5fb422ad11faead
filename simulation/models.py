"""A model that knows by heart what each run is to do, and sometimes fails or takes long."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from random import Random
from uuid import UUID

from cyberdesk_server.domain.check_verdicts import Judgement, Question
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Observation, Step, StepState, ToolCall, Turn
from cyberdesk_server.domain.tasks import Refusal, Task
from cyberdesk_server.executor.moves import TASK_FAILED, TASK_SUCCEEDED
from cyberdesk_server.ports import ModelError
from cyberdesk_server.store.claims import CheckClaim

from simulation.network import Network

THINKING_SECONDS = 0.5
LONG_THINKING_SECONDS = 50.0
FULFILLED = 0.9
"""How often what a post-run check asks for is found to be so."""

SECRET = "password"

ENDINGS = ("nothing more",) * 5 + (TASK_SUCCEEDED, TASK_FAILED, "breaks down")


@lru_cache(maxsize=256)
class Script:
    """What one try of a run does: the same for whoever asks."""

    def __init__(self, run_id: UUID, retries: int) -> None:
        chance = Random(f"{run_id} {retries}")
        sizes = [chance.choice((1, 1, 2)) for _ in range(chance.choice((0, 1, 2, 2, 3)))]
        self.ending = chance.choice(ENDINGS)
        self.labels = [f"{run_id}/{retries}/{number}" for number in range(sum(sizes))]
        """What its actions type, in order; no other action ever types it."""

        self._clears = [chance.random() < 1 / 4 for _ in self.labels]
        self._sizes = sizes

    def turn(self, number: int, *, secret: str) -> Turn:
        """What comes after so many turns; `secret` is typed besides."""
        if number < len(self._sizes):
            first = sum(self._sizes[:number])
            wanted = range(first, first + self._sizes[number])
            return Turn(tuple(self._call(which, secret) for which in wanted), "thinking")
        match self.ending:
            case "breaks down":
                raise ModelError("it broke down (simulated)")
            case "nothing more":
                return Turn()
            case declaration:
                arguments: JsonObject = {"reason": "no"} if declaration == TASK_FAILED else {}
                return Turn((ToolCall(declaration, arguments),))

    def _call(self, which: int, secret: str) -> ToolCall:
        return ToolCall("type", {"text": "__CLEAR__" * self._clears[which] + self.labels[which] + secret})


class SimulatedModel:
    """A `ports.Model` for one claim."""

    def __init__(self, claim: CheckClaim, network: Network, chance: Random) -> None:
        self._script = Script(claim.run.id, claim.run.retries)
        self._network = network
        self._chance = chance

    def check(self, task: Task) -> Sequence[Refusal]:
        return ()

    def has_finished(self, task: Task, history: Sequence[Step]) -> bool:
        return False

    async def next_turn(
        self,
        task: Task,
        history: Sequence[Step],
        runtime_values: Mapping[str, JsonValue],
        screenshot: Screenshot,
    ) -> Turn:
        await self._think()
        if any(step.state is StepState.FAILED for step in history):
            raise ModelError("it cannot tell from the screen what became of an action (simulated)")
        secret = f" {{${SECRET}}}" if SECRET in task.secret_names else ""
        return self._script.turn(history[-1].turn if history else 0, secret=secret)

    async def extract(self, instruction: str, task: Task, screenshot: Screenshot) -> Observation:
        raise ModelError("this model does not read")

    async def judge(self, question: Question) -> Judgement:
        await self._think()
        return Judgement(self._chance.random() < FULFILLED, "it seems so (simulated)")

    async def conclude(
        self, task: Task, history: Sequence[Step], runtime_values: Mapping[str, JsonValue]
    ) -> JsonObject | None:
        await self._think()
        return {"steps": len(history)}

    async def _think(self) -> None:
        network = self._network
        is_slow = network.happens(network.weather.slow_model)
        await asyncio.sleep(self._chance.random() * (LONG_THINKING_SECONDS if is_slow else THINKING_SECONDS))
        if network.happens(network.weather.model_fails):
            raise ModelError("overloaded (simulated)", is_retryable=True)
