"""The bus of a server that is one process: no serialisation, no task, no hop."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from cyberdesk_server.ports import EMPTY_MESSAGE, Answer, AnswerTimeout, Message, NobodyAnswers

DEFAULT_QUEUE_MESSAGES = 1024

_Queue = asyncio.Queue[tuple[str, Message]]
_T = TypeVar("_T")


class InProcessBus:
    """A `ports.Bus` inside one event loop; not for use from other threads.

    A question runs in the task of whoever asks: giving up the question cancels its answer, and an error of
    the answer is the asker's.
    """

    def __init__(self, *, queue_messages: int = DEFAULT_QUEUE_MESSAGES) -> None:
        """`queue_messages` bounds what is kept for one slow listener; beyond it the oldest are dropped."""
        self._queue_messages = queue_messages
        self._listeners: defaultdict[str, list[_Queue]] = defaultdict(list)
        self._servers: defaultdict[str, list[Answer]] = defaultdict(list)

    async def publish(self, topic: str, message: Message = EMPTY_MESSAGE) -> None:
        for queue in self._listeners.get(topic, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait((topic, message))

    @asynccontextmanager
    async def listen(self, *topics: str) -> AsyncIterator[AsyncIterator[tuple[str, Message]]]:
        queue = _Queue(self._queue_messages)
        with _registered(self._listeners, topics, queue):
            yield _arriving(queue)

    async def ask(self, topic: str, message: Message, *, timeout_seconds: float) -> Message:
        servers = self._servers.get(topic)
        if not servers:
            raise NobodyAnswers(f"nobody serves {topic}")
        deadline = asyncio.timeout(timeout_seconds)
        try:
            async with deadline:
                return await servers[-1](message)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise AnswerTimeout(f"{topic} did not answer within {timeout_seconds:g} s") from error

    @asynccontextmanager
    async def serve(self, topic: str, answer: Answer) -> AsyncIterator[None]:
        with _registered(self._servers, (topic,), answer):
            yield


async def _arriving(queue: _Queue) -> AsyncIterator[tuple[str, Message]]:
    while True:
        yield await queue.get()


@contextmanager
def _registered(registry: dict[str, list[_T]], topics: tuple[str, ...], entry: _T) -> Iterator[None]:
    for topic in topics:
        registry[topic].append(entry)
    try:
        yield
    finally:
        for topic in topics:
            entries = registry[topic]
            entries.remove(entry)
            if not entries:
                del registry[topic]
