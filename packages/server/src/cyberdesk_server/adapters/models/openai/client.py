"""OpenAI's models, and those of servers that speak like it, as `Provider`s."""

from typing import TYPE_CHECKING, cast

from cyberdesk_server.adapters.models.conversation import Answer, Bounds, Question, Reply
from cyberdesk_server.adapters.models.failures import unavailable, unreadable
from cyberdesk_server.adapters.models.libraries import NO_KEY, Libraries
from cyberdesk_server.adapters.models.openai import chat, responses
from cyberdesk_server.domain.json import JsonObject

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion
    from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
    from openai.types.responses import Response
    from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming


class ResponsesProvider:
    """Asks `POST /v1/responses`."""

    platform = "openai"
    endpoint = "responses"
    bounds = Bounds(edge=1600, pixels=1_440_000)
    """The sizes the computer tool was made for."""

    def __init__(
        self, libraries: Libraries, *, base_url: str, model: str, max_tokens: int | None, extra: JsonObject
    ) -> None:
        """`extra` goes into the body of every request as it is."""
        self.base_url = base_url
        self.model = model
        self._libraries = libraries
        self._max_tokens = max_tokens
        self._extra = extra

    async def prepare(self) -> None:
        await self._libraries.openai(self.base_url)

    async def send(self, question: Question, key: str | None) -> Reply:
        client = await self._libraries.openai(self.base_url)
        from openai import OpenAIError
        from openai.types.responses import Response

        request: ResponseCreateParamsNonStreaming = {
            "model": self.model,
            "instructions": question.system,
            "input": responses.items(question),
            "store": False,
            "include": ["reasoning.encrypted_content"],
        }
        if question.tools:
            request["tools"] = responses.tools(question)
        if self._max_tokens is not None:
            request["max_output_tokens"] = self._max_tokens
        if question.conversation:
            request["prompt_cache_key"] = question.conversation
        try:
            response = await client.responses.create(
                **request, extra_headers=_authorization(key), extra_body=dict(self._extra)
            )
        except OpenAIError as error:
            raise unavailable(error, self.model, key) from error
        if not isinstance(response, Response) or response.output is None or not response.usage:
            raise unreadable(self.model)
        return Reply(responses.tokens_of(response.usage), response)

    def read(self, question: Question, reply: Reply) -> Answer:
        return responses.answer_of(cast("Response", reply.content))


class ChatProvider:
    """Asks `POST /chat/completions` of any server."""

    endpoint = "chat_completions"
    bounds = Bounds(edge=1568, pixels=1_150_000)
    """What most open models look at whole."""

    def __init__(
        self,
        libraries: Libraries,
        *,
        platform: str,
        base_url: str,
        model: str,
        max_tokens: int | None,
        extra: JsonObject,
    ) -> None:
        """`extra` goes into the body of every request as it is."""
        self.platform = platform
        self.base_url = base_url
        self.model = model
        self._libraries = libraries
        self._max_tokens = max_tokens
        self._extra = extra

    async def prepare(self) -> None:
        await self._libraries.openai(self.base_url)

    async def send(self, question: Question, key: str | None) -> Reply:
        client = await self._libraries.openai(self.base_url)
        from openai import OpenAIError
        from openai.types.chat import ChatCompletion

        request: CompletionCreateParamsNonStreaming = {
            "model": self.model,
            "messages": chat.messages(question),
        }
        if question.tools:
            request["tools"] = chat.tools(question)
        if self._max_tokens is not None:
            request["max_tokens"] = self._max_tokens
        try:
            completion = await client.chat.completions.create(
                **request, extra_headers=_authorization(key), extra_body=dict(self._extra)
            )
        except OpenAIError as error:
            raise unavailable(error, self.model, key) from error
        if not isinstance(completion, ChatCompletion) or not completion.choices:
            raise unreadable(self.model)
        return Reply(chat.tokens_of(completion.usage), completion)

    def read(self, question: Question, reply: Reply) -> Answer:
        return chat.answer_of(cast("ChatCompletion", reply.content), question)


def _authorization(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key or NO_KEY}"}
