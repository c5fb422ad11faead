"""Whatever a server sends, the driver answers or refuses, keeps little, and does what its owner allows."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

from cyberdesk_wire import Frame, Limits, Request, ServerSide
from cyberdriver.answers import Answer
from cyberdriver.commands.table import ROUTES
from cyberdriver.rehearsal import StagedMachine
from cyberdriver.settings import Allowed
from cyberdriver.tunnel.connection import Connection
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection
from websockets.protocol import State

PATIENCE_SECONDS = 20.0
NOTHING = Allowed(shell=False, files=False, shutdown=False, update=False)


class HostileSocket:
    """Says these frames and hangs up; what it is told it keeps, or never reads."""

    def __init__(self, says: Sequence[Frame], *, reads: bool = True) -> None:
        self._says = says
        self._reads = reads
        self.said = 0
        self.told: list[Frame] = []
        self.transport = self.protocol = self
        self.state = State.OPEN
        self.never = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[Frame]:
        for frame in self._says:
            self.said += 1
            yield frame
            await asyncio.sleep(0)

    async def send(self, frame: Frame) -> None:
        if not self._reads:
            await self.never.wait()
        self.told.append(frame)

    def send_text(self, frame: bytes) -> None:
        self.told.append(frame.decode())

    def send_binary(self, frame: bytes) -> None:
        self.told.append(frame)

    def data_to_send(self) -> list[bytes]:
        return []

    def writelines(self, data: object) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["x", "y", "to_x", "to_y", "button", "clicks", "down", "text", "sequence", "amount", "direction"]
bodies = st.dictionaries(st.sampled_from(NAMES), json_values, max_size=4).map(json.dumps) | st.text(
    max_size=20
)
routes = st.sampled_from(sorted(ROUTES)) | st.tuples(st.text(max_size=8), st.text(max_size=12))


def a_request(route: tuple[str, str], body: str, headers: Any, request_id: Any) -> list[Frame]:
    meta = {"requestId": request_id, "method": route[0], "path": route[1], "query": "", "headers": headers}
    return [json.dumps(meta), body.encode("utf-8", "surrogatepass"), "end"]


ids = st.text("ab1", min_size=1, max_size=3)
action_ids = st.dictionaries(st.sampled_from(["x-action-id", "x-idempotency-key"]), ids, max_size=1)
requests = st.builds(a_request, routes, bodies, action_ids | json_values, ids | json_values)
frames = st.one_of(
    requests, requests, st.binary(max_size=64).map(lambda f: [f]), st.text(max_size=64).map(lambda f: [f])
)


async def met(folder: Path, says: Sequence[Frame]) -> list[Frame]:
    """What the driver told this server, after it has hung up."""
    machine = StagedMachine(folder, allowed=NOTHING)
    socket = HostileSocket(says)
    try:
        connection = Connection(
            cast(ClientConnection, socket),
            machine.dispatcher,
            lambda: None,
            Limits(max_message_bytes=1024 * 1024),
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            await connection.serve()
        told = [*socket.told]  # what is still under way ends with the machine, as it may
    finally:
        machine.close()
    assert machine.shutdowns == []
    return told


@settings(max_examples=100)
@given(st.lists(frames, max_size=12))
def test_a_driver_survives_whatever_a_server_says(said: list[list[Frame]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        told = asyncio.run(met(Path(folder), [frame for request in said for frame in request]))

    metas = [json.loads(frame) for frame in told if isinstance(frame, str) and frame != "end"]
    assert all(meta["status"] < 500 for meta in metas), metas


async def test_answers_do_not_pile_up_for_a_server_that_reads_none() -> None:
    limits = Limits(max_message_bytes=1024 * 1024)
    answer: Future[Answer] = Future()
    answer.set_result(Answer(200, bytes(200 * 1024)))

    class Ready:
        def begin(self, request: Request) -> Future[Answer]:
            return answer

    asking = ServerSide(Limits(max_outstanding_requests=1000))
    says: list[Frame] = []
    for number in range(100):
        framed = asking.send(Request(str(number), "GET", "/computer/display/screenshot"))
        assert isinstance(framed, list)
        says += framed
    socket = HostileSocket(says, reads=False)
    serving = asyncio.create_task(
        Connection(cast(ClientConnection, socket), Ready(), lambda: None, limits).serve()
    )

    for _ in range(2 * len(says)):  # turns enough to take all of them, were nothing to stop it
        await asyncio.sleep(0)

    assert socket.said == 6 * len(framed)  # five answers of 200 KB, and the one that is too many
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
