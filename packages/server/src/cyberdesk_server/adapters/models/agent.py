"""A language model as a `ports.Model`: one provider, one run.

next_turn     the journal as a conversation, the answer's places moved to real pixels
extract       one picture, one instruction, one call of `report`
judge         what must be so, output data or pictures, one call of `verdict`
compare       a recorded screen and the one that is there, by an author's words, one call of `verdict`
conclude      what was observed, turned into the output data; repaired once when it does not fit
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from cyberdesk_server.adapters.models.conversation import (
    Answer,
    Part,
    Picture,
    Provider,
    Question,
    Role,
    Tokens,
)
from cyberdesk_server.adapters.models.history import memo_text, told
from cyberdesk_server.adapters.models.output import NoOutput, read_output
from cyberdesk_server.adapters.models.pictures import Pictures
from cyberdesk_server.adapters.models.scaling import in_picture_pixels, on_screen
from cyberdesk_server.adapters.models.words import (
    COMPARING,
    JUDGING,
    LEFT_OUT,
    READING,
    REPORT,
    TRANSFORMING,
    VERDICT,
    driving_rules,
    observed,
    only_inputs,
    prompt_parts,
    with_inputs,
)
from cyberdesk_server.domain.addresses import address_of, history_image_key
from cyberdesk_server.domain.check_verdicts import Judgement
from cyberdesk_server.domain.check_verdicts import Question as CheckQuestion
from cyberdesk_server.domain.geometry import Scale
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompts import escape
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Observation, Step, ToolCall, Turn
from cyberdesk_server.domain.tasks import Refusal, Task
from cyberdesk_server.executor.moves import TASK_SUCCEEDED
from cyberdesk_server.executor.steps.outputs import OutputDoesNotFit
from cyberdesk_server.ports import Blobs, Comparison, ModelError

OpenKey = Callable[[], Awaitable[str | None]]
"""Opens the API key for one call; None when the provider wants none."""

Record = Callable[[Role, Provider, Tokens], Awaitable[None]]
"""Writes down what a call has used."""


class LanguageModel:
    """Asks a provider, and knows nothing of how it is spoken to."""

    def __init__(self, provider: Provider, open_key: OpenKey, record: Record, blobs: Blobs) -> None:
        self._provider = provider
        self._open_key = open_key
        self._record = record
        self._pictures = Pictures(blobs, provider.bounds)
        self._author = f"{provider.endpoint} {provider.model}"

    def check(self, task: Task) -> Sequence[Refusal]:
        """A prompt must be there; whether it makes sense only the model knows."""
        return () if task.prompt.strip() else (Refusal("the workflow has no prompt"),)

    def has_finished(self, task: Task, history: Sequence[Step]) -> bool:
        return False

    async def next_turn(
        self,
        task: Task,
        history: Sequence[Step],
        runtime_values: Mapping[str, JsonValue],
        screenshot: Screenshot,
    ) -> Turn:
        """What to do now. A final message becomes the call that ends the run, so that the history has it; the
        last words in a focused action are its answer."""
        now = address_of(history_image_key(task.organization_id, f"{screenshot.digest}.png"))
        seen = await self._pictures.of(screenshot.png, now)
        scale = Scale(seen.size, screenshot.size)
        first, past = await told(history, now, author=self._author, pictures=self._pictures, scale=scale)
        question = Question(
            role=Role.MAIN_AGENT,
            system=driving_rules(task, seen.size),
            opening=(*prompt_parts(task, await self._prompt_pictures(task)), first or LEFT_OUT),
            past=past,
            tools=tuple(in_picture_pixels(tool) for tool in task.tools),
            screen_size=seen.size,
            conversation=str(task.run_id),
        )
        answer = await self._ask(question)
        if not (answer.calls or answer.text.strip()):
            raise ModelError(f"{self._provider.model} answered nothing", is_retryable=True)
        if not answer.calls and task.is_focused:
            return Turn(thought=answer.text)
        if not answer.calls:
            return Turn((ToolCall(TASK_SUCCEEDED, {"text": escape(answer.text)}),))
        calls = tuple(_written(on_screen(call, scale), task) for call in answer.calls)
        return Turn(calls, answer.text or None, memo_text(self._author, answer.memo))

    async def extract(self, instruction: str, task: Task, screenshot: Screenshot) -> Observation:
        """What the instruction asks for. A model that answers in words has observed these words."""
        picture = await self._pictures.of(screenshot.png)
        question = Question(
            role=Role.EXTRACTION,
            system=READING,
            opening=(with_inputs(instruction, task), picture),
            tools=(REPORT,),
        )
        answer = await self._ask(question)
        if not answer.calls:
            return Observation(answer.text)
        reported = answer.calls[0].arguments
        observation, values = reported.get("observation"), reported.get("runtime_values") or {}
        if not isinstance(observation, str) or not isinstance(values, Mapping):
            raise ModelError(
                f"{self._provider.model} reported what it read in a wrong form", is_retryable=True
            )
        return Observation(observation, runtime_values=values)

    async def judge(self, question: CheckQuestion) -> Judgement:
        """Whether the output data, or the pictures, are as a post-run check wants them."""
        pictures = [await self._pictures.of(picture.content) for picture in question.pictures]
        data = () if question.pictures else (f"The output data:\n{json.dumps(question.output_data)}",)
        opening = (f"This must be so:\n{question.prompt}", *data, *pictures)
        return Judgement(*await self._verdict(Role.POST_RUN_CHECK, JUDGING, opening))

    async def compare(
        self, instructions: str, call: ToolCall, recorded: Screenshot, current: Screenshot
    ) -> Comparison:
        """Whether the recorded step still fits, by its author's words."""
        opening = (
            f"The step: {call.tool} {json.dumps(dict(call.arguments), ensure_ascii=False)}",
            f"It still fits when this is so:\n{instructions}",
            "Desktop #1:",
            await self._pictures.of(recorded.png),
            "Desktop #2:",
            await self._pictures.of(current.png),
        )
        return Comparison(*await self._verdict(Role.CACHE_DETECTION, COMPARING, opening))

    async def _verdict(self, role: Role, system: str, opening: tuple[Part, ...]) -> tuple[bool, str]:
        answer = await self._ask(Question(role=role, system=system, opening=opening, tools=(VERDICT,)))
        told = answer.calls[0].arguments if answer.calls else {}
        is_fulfilled, reason = told.get("is_fulfilled"), told.get("reason")
        if not isinstance(is_fulfilled, bool) or not isinstance(reason, str):
            raise ModelError(f"{self._provider.model} gave no verdict", is_retryable=True)
        return is_fulfilled, reason

    async def conclude(
        self, task: Task, history: Sequence[Step], runtime_values: Mapping[str, JsonValue]
    ) -> JsonObject | None:
        """The output data; None when nothing was observed.

        What does not fit the output schema is sent back once. Raises `OutputDoesNotFit`, which keeps it, when
        it does not fit even then.
        """
        found = observed(history, runtime_values, with_ending=task.output_schema is not None)
        if found is None:
            return None
        wanted = task.output_schema or "any JSON object; name its members after what was read"
        asked = f"The caller expects: {wanted}\n\nObserved:\n{found}"
        question = Question(role=Role.TRANSFORMATION, system=TRANSFORMING, opening=(asked,))
        answer = await self._ask(question)
        try:
            return read_output(answer.text, task.output_schema)
        except (NoOutput, OutputDoesNotFit) as error:
            again = f"Your answer was:\n{answer.text}\n\nIt cannot be used: {error}. Answer anew."
            answer = await self._ask(replace(question, opening=(asked, again)))
            return read_output(answer.text, task.output_schema)

    async def _ask(self, question: Question) -> Answer:
        reply = await self._provider.send(question, await self._open_key())
        await self._record(question.role, self._provider, reply.tokens)
        return self._provider.read(question, reply)

    async def _prompt_pictures(self, task: Task) -> dict[str, Picture]:
        return {source: await self._pictures.of(content, source) for source, content in task.pictures.items()}


def _written(call: ToolCall, task: Task) -> ToolCall:
    arguments = {
        name: only_inputs(value, task) if isinstance(value, str) else value
        for name, value in call.arguments.items()
    }
    return replace(call, arguments=arguments)
