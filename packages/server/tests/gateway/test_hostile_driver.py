"""Whatever a driver sends, the gateway answers everybody who asked, keeps little, and does not break."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast

from cyberdesk_server.gateway.dialect import dialect_of
from cyberdesk_server.gateway.socket import Socket, SocketClosed
from cyberdesk_server.gateway.tunnel import BROKEN, MAX_WRONG_FRAMES, Tunnel
from cyberdesk_server.questions import Question, read_answer
from cyberdesk_wire import Frame
from hypothesis import given, settings
from hypothesis import strategies as st

PATIENCE_SECONDS = 20.0
ASKED = 3

Say = Callable[[Sequence[str]], Frame]
"""A frame, given the ids of what was asked."""


class HostileSocket:
    """Says these frames once everybody has asked, and then hangs up."""

    def __init__(self, says: Sequence[Say]) -> None:
        self._says = says
        self.asked: list[str] = []
        self.closed: tuple[int, str] | None = None
        self._all_asked = asyncio.Event()

    async def frames(self) -> AsyncIterator[Frame]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._all_asked.wait()
        for say in self._says:
            yield say(self.asked)

    async def send(self, frames: Sequence[Frame]) -> None:
        if self.closed:
            raise SocketClosed
        self.asked.append(json.loads(frames[0])["requestId"])
        if len(self.asked) == ASKED:
            self._all_asked.set()

    async def close(self, code: int, reason: str) -> None:
        self.closed = code, reason


async def met(says: Sequence[Say]) -> HostileSocket:
    """The socket after everybody who asked was answered."""
    socket = HostileSocket(says)
    tunnel = Tunnel(cast(Socket, socket), dialect_of("2", frozenset({"action-journal"})), lambda *_: None)
    question = Question("GET", "/computer/display/screenshot")
    async with asyncio.timeout(PATIENCE_SECONDS):
        *answers, _ = await asyncio.gather(
            *(tunnel.answer(Question(question.method, question.path).to_message()) for _ in range(ASKED)),
            tunnel.read(),
        )
    assert [read_answer(answer) for answer in answers]
    assert not tunnel.owes_answer
    return socket


def a_meta(fields: dict[str, Any], known: int | None) -> Say:
    """The beginning of an answer, to something that was asked or to nothing."""
    return lambda asked: json.dumps(fields if known is None else fields | {"requestId": asked[known]})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
metas = st.builds(
    a_meta,
    st.fixed_dictionaries(
        {},
        optional={
            "requestId": json_values,
            "status": st.integers(100, 599) | json_values,
            "headers": st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3) | json_values,
        },
    ),
    st.none() | st.integers(0, ASKED - 1),
)
frames = st.binary(max_size=64) | st.text(max_size=64) | st.just("end")
says = st.one_of(metas, metas, frames.map(lambda frame: lambda _: frame))


@settings(max_examples=150)
@given(st.lists(says, max_size=30))
def test_everybody_is_answered_whatever_a_driver_says(said: list[Say]) -> None:
    asyncio.run(met(said))


async def test_a_driver_that_only_breaks_the_protocol_is_cut() -> None:
    socket = await met([lambda _: "{"] * (MAX_WRONG_FRAMES + 50))

    assert socket.closed == BROKEN


async def test_answers_that_nobody_asked_for_are_not_kept() -> None:
    meta = json.dumps({"requestId": "nobody", "status": 200, "headers": {}})
    megabyte = bytes(1024 * 1024)
    unasked: list[Say] = [lambda _: meta, *[lambda _: bytes(megabyte) + b"x"] * 64, lambda _: "end"]
    tracemalloc.start()
    try:
        await met(unasked)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < 16 * len(megabyte)
