"""A server that speaks as the providers of language models do, on this machine, from a script.

Every request is read by the request types of the providers' own libraries. One that they do not describe to
the last member is answered with 400 and what is wrong, as the provider would.
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

Json = dict[str, Any]

MESSAGES, RESPONSES, CHAT = "/v1/messages", "/v1/responses", "/v1/chat/completions"


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: Json
    text: str = field(repr=False)


@dataclass(frozen=True)
class Scripted:
    """What the server answers next."""

    body: Json | str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    """True: the answer never comes."""


@dataclass
class ModelServer:
    """Answers with `script`, one after another, and remembers what it was asked."""

    script: list[Scripted] = field(default_factory=list)
    beside: dict[str, list[Scripted]] = field(default_factory=dict)
    """Answers for requests that offer a certain tool: those come at any time."""

    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    """Without the `/v1` of the paths."""

    is_asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first request."""

    _clients: set[asyncio.Task[Any]] = field(default_factory=set)

    def answers(self, *replies: Scripted) -> None:
        """Put these at the end of the script."""
        self.script.extend(replies)

    def answers_to(self, tool: str, *replies: Scripted) -> None:
        """Give these, in order, to requests that offer this tool, whenever they come."""
        self.beside.setdefault(tool, []).extend(replies)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ModelServer"]:
        """While the context is open it listens on a free port of this machine."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for client in self._clients:
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)
            await server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task that is cancelled before its first step runs no `finally`: who closes stands outside of it.
        client = asyncio.create_task(self._serve(reader, writer))
        client.add_done_callback(lambda _: writer.close())
        self._clients.add(client)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                reply = self._reply(await _request(reader))
                if reply.hangs:
                    await asyncio.get_running_loop().create_future()
                writer.write(_response(reply))
                await writer.drain()

    def _reply(self, asked: Asked) -> Scripted:
        self.asked.append(asked)
        self.is_asked.set()
        if fault := _fault(asked):
            return fault
        for tool in asked.body.get("tools", ()):
            if beside := self.beside.get(tool.get("name") or tool.get("function", {}).get("name")):
                return beside.pop(0)
        return self.script.pop(0) if self.script else Scripted("the script is over", 500)


@contextmanager
def in_a_thread(provider: ModelServer) -> Iterator[None]:
    """Let the provider run in a thread of its own until the block ends."""
    is_up, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with provider.running():
            is_up.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert is_up.wait(timeout=10)
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)
        loop.close()


async def _request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    path = head[0].split(" ")[1]
    headers = {
        name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if ": " in line)
    }
    text = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
    return Asked(path, headers, json.loads(text), text)


def _response(reply: Scripted) -> bytes:
    is_text = isinstance(reply.body, str)
    body = reply.body.encode() if isinstance(reply.body, str) else json.dumps(reply.body).encode()
    headers = {
        "content-type": "text/plain" if is_text else "application/json",
        "content-length": str(len(body)),
        **reply.headers,
    }
    lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _fault(asked: Asked) -> Scripted | None:
    """What is wrong with the request; None when nothing is."""
    try:
        understood = _materialised(_request_type(asked.path).validate_python(asked.body))
    except (ValidationError, KeyError) as error:
        return Scripted({"error": {"message": str(error)}}, 400)
    if understood != asked.body:
        return Scripted({"error": {"message": f"not understood: {_difference(asked.body, understood)}"}}, 400)
    return None


@cache
def _request_type(path: str) -> TypeAdapter[Any]:
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
    from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
    from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming

    types: Mapping[str, Any] = {
        MESSAGES: MessageCreateParamsNonStreaming,
        RESPONSES: ResponseCreateParamsNonStreaming,
        CHAT: CompletionCreateParamsNonStreaming,
    }
    return TypeAdapter(types[path])


def _materialised(value: Any) -> Any:
    """The value with its lazily validated lists as lists; those raise while they are read."""
    match value:
        case dict():
            return {name: _materialised(item) for name, item in value.items()}
        case str():
            return value
        case Iterable():
            return [_materialised(item) for item in value]
        case _:
            return value


def _difference(sent: Any, understood: Any, path: str = "") -> str:
    if isinstance(sent, dict) and isinstance(understood, dict):
        for name, value in sent.items():
            if name not in understood:
                return f"{path}.{name}"
            if value != understood[name]:
                return _difference(value, understood[name], f"{path}.{name}")
    if isinstance(sent, list) and isinstance(understood, list):
        for position, (one, other) in enumerate(zip(sent, understood, strict=False)):
            if one != other:
                return _difference(one, other, f"{path}[{position}]")
    return f"{path}: {sent!r} became {understood!r}"


# What the providers answer.


def message(
    *blocks: Json, stop_reason: str | None = None, usage: Mapping[str, Any] | None = None, **more: Any
) -> Scripted:
    """An answer of Anthropic."""
    uses_tools = any(block["type"] == "tool_use" for block in blocks)
    return Scripted(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-test",
            "content": list(blocks),
            "stop_reason": stop_reason or ("tool_use" if uses_tools else "end_turn"),
            "stop_sequence": None,
            "usage": {"input_tokens": 100, "output_tokens": 10, **(usage or {})},
            **more,
        }
    )


def text_block(text: str) -> Json:
    return {"type": "text", "text": text}


def thinking_block(text: str) -> Json:
    return {"type": "thinking", "thinking": text, "signature": "c2lnbmVk"}


def computer_use(name: str, call_id: str = "toolu_1", /, **given: Any) -> Json:
    """A call of one of Anthropic's computer tools."""
    return {"type": "tool_use", "id": call_id, "name": name, "toolset_name": "computer", "input": given}


def tool_use(name: str, call_id: str = "toolu_1", /, **given: Any) -> Json:
    """A call of a tool of ours."""
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def response(
    *items: Json, usage: Mapping[str, Any] | None = None, status: str = "completed", **more: Any
) -> Scripted:
    """An answer of OpenAI's Responses API."""
    return Scripted(
        {
            "id": "resp_1",
            "object": "response",
            "created_at": 1_800_000_000,
            "model": "gpt-test",
            "status": status,
            "output": list(items),
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": {
                "input_tokens": 100,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": 10,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 110,
                **(usage or {}),
            },
            **more,
        }
    )


def said(text: str) -> Json:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


def declined(text: str) -> Json:
    content = [{"type": "refusal", "refusal": text}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


def reasoning(encrypted: str = "ZW5jcnlwdGVk") -> Json:
    return {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": encrypted}


def computer_call(*actions: Json, call_id: str = "call_1", checks: Iterable[Json] = ()) -> Json:
    """A call of OpenAI's computer tool."""
    return {
        "type": "computer_call",
        "id": f"cu_{call_id}",
        "call_id": call_id,
        "status": "completed",
        "pending_safety_checks": list(checks),
        "actions": list(actions),
    }


def function_call(name: str, arguments: str | Json, call_id: str = "call_1") -> Json:
    """A call of a tool of ours."""
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {
        "type": "function_call",
        "id": f"fc_{call_id}",
        "call_id": call_id,
        "name": name,
        "arguments": written,
        "status": "completed",
    }


def completion(
    text: str | None = None,
    *calls: tuple[str, str | Json],
    finish_reason: str | None = None,
    refusal: str | None = None,
    usage: Mapping[str, Any] | None = None,
) -> Scripted:
    """An answer of a server of chat completions; calls by name and arguments."""
    asked = [
        {
            "id": "",
            "type": "function",
            "function": {
                "name": name,
                "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
            },
        }
        for name, arguments in calls
    ]
    answer = {"role": "assistant", "content": text, "refusal": refusal, "tool_calls": asked or None}
    return Scripted(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_800_000_000,
            "model": "open-test",
            "choices": [
                {
                    "index": 0,
                    "message": answer,
                    "finish_reason": finish_reason or ("tool_calls" if calls else "stop"),
                    "logprobs": None,
                }
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, **(usage or {})},
        }
    )


def refused(status: int, text: str = "no", **headers: str) -> Scripted:
    """An error of any of them."""
    body = {"type": "error", "error": {"type": "error", "message": text}}
    return Scripted(body, status, {name.replace("_", "-"): value for name, value in headers.items()})
