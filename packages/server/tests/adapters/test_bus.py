"""The bus: wake-ups for whoever listens, questions for whoever serves."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.ports import AnswerTimeout, Message, NobodyAnswers

HELLO = Message({"n": 1}, b"hello")


@pytest.fixture
def bus() -> InProcessBus:
    return InProcessBus()


async def test_everybody_who_listens_hears(bus: InProcessBus) -> None:
    async with bus.listen("a", "b") as first, bus.listen("b") as second:
        await bus.publish("a", HELLO)
        await bus.publish("b")

        assert [await anext(first), await anext(first)] == [("a", HELLO), ("b", Message())]
        assert await anext(second) == ("b", Message())


async def test_a_listener_hears_from_the_moment_it_enters(bus: InProcessBus) -> None:
    await bus.publish("a", Message({"n": 0}))
    async with bus.listen("a") as heard:
        await bus.publish("a", HELLO)

        assert await anext(heard) == ("a", HELLO)


async def test_a_slow_listener_loses_the_oldest_and_holds_nobody_up() -> None:
    bus = InProcessBus(queue_messages=2)
    async with bus.listen("a") as heard:
        for number in range(5):
            await bus.publish("a", Message({"n": number}))

        assert [(await anext(heard))[1].head["n"] for _ in range(2)] == [3, 4]


async def test_the_newest_server_answers(bus: InProcessBus) -> None:
    async def older(message: Message) -> Message:
        return Message(body=b"older")

    async def newer(message: Message) -> Message:
        return Message(message.head, b"newer")

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bus.serve("a", older))
        async with bus.serve("a", newer):
            assert await bus.ask("a", HELLO, timeout_seconds=5) == Message({"n": 1}, b"newer")

        assert (await bus.ask("a", HELLO, timeout_seconds=5)).body == b"older"


async def test_nobody_serves_a_topic_that_was_left(bus: InProcessBus) -> None:
    async def answer(message: Message) -> Message:
        return message

    async with bus.serve("a", answer):
        pass

    with pytest.raises(NobodyAnswers, match="nobody serves a"):
        await bus.ask("a", HELLO, timeout_seconds=5)


async def test_questions_run_concurrently(bus: InProcessBus) -> None:
    both = asyncio.Barrier(2)

    async def answer(message: Message) -> Message:
        await both.wait()
        return message

    async with bus.serve("a", answer):
        answers = await asyncio.gather(*(bus.ask("a", HELLO, timeout_seconds=30) for _ in range(2)))

        assert answers == [HELLO, HELLO]


async def test_an_answer_that_takes_too_long_is_cancelled(bus: InProcessBus) -> None:
    was_cancelled = asyncio.Event()

    async def answer(message: Message) -> Message:
        try:
            await asyncio.get_running_loop().create_future()
            return message
        except asyncio.CancelledError:
            was_cancelled.set()
            raise

    async with bus.serve("a", answer):
        with pytest.raises(AnswerTimeout):
            await bus.ask("a", HELLO, timeout_seconds=0.001)

        assert was_cancelled.is_set()


async def test_a_timeout_inside_an_answer_is_not_ours(bus: InProcessBus) -> None:
    async def answer(message: Message) -> Message:
        raise TimeoutError("of the answer itself")

    async with bus.serve("a", answer):
        with pytest.raises(TimeoutError, match="of the answer itself"):
            await bus.ask("a", HELLO, timeout_seconds=30)
