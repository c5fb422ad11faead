"""One of Anthropic's models as a `Provider`."""

from typing import TYPE_CHECKING, cast

from cyberdesk_server.adapters.models.anthropic.messages import answer_of, messages, system, tokens_of, tools
from cyberdesk_server.adapters.models.conversation import Answer, Bounds, Question, Reply
from cyberdesk_server.adapters.models.failures import unavailable, unreadable
from cyberdesk_server.adapters.models.libraries import NO_KEY, Libraries
from cyberdesk_server.domain.json import JsonObject

if TYPE_CHECKING:
    from anthropic.types import Message
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

MAX_TOKENS = 16_000
"""Of an answer whose configuration names no number; the API wants one."""


class AnthropicProvider:
    """Asks `POST /v1/messages`."""

    platform = "anthropic"
    endpoint = "messages"
    bounds = Bounds(edge=1568, pixels=1_150_000)
    """What every model takes; some take more, and cost more then."""

    def __init__(
        self,
        libraries: Libraries,
        *,
        base_url: str,
        model: str,
        max_tokens: int | None,
        extra: JsonObject,
    ) -> None:
        """`extra` goes into the body of every request as it is."""
        self.base_url = base_url
        self.model = model
        self._libraries = libraries
        self._max_tokens = max_tokens or MAX_TOKENS
        self._extra = extra

    async def prepare(self) -> None:
        await self._libraries.anthropic(self.base_url)

    async def send(self, question: Question, key: str | None) -> Reply:
        client = await self._libraries.anthropic(self.base_url)
        from anthropic import AnthropicError, Omit
        from anthropic.types import Message

        request: MessageCreateParamsNonStreaming = {
            "model": self.model,
            "max_tokens": self._max_tokens,
            "system": system(question),
            "messages": messages(question),
        }
        if question.tools:
            request["tools"] = tools(question)
        try:
            message = await client.messages.create(
                **request,
                # As the check of a credential sends it; the library would send it in `Authorization`.
                extra_headers={"X-Api-Key": key or NO_KEY, "Authorization": Omit()},
                extra_body=dict(self._extra),
            )
        except AnthropicError as error:
            raise unavailable(error, self.model, key) from error
        if not isinstance(message, Message) or not message.content or not message.usage:
            raise unreadable(self.model)
        return Reply(tokens_of(message.usage), message)

    def read(self, question: Question, reply: Reply) -> Answer:
        return answer_of(cast("Message", reply.content), question)
