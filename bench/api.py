"""Requests per second of the API, beside a bare FastAPI handler with one statement on the same database.

They take turns, so that whatever else the machine does hits all. The database is SQLite as a laptop has it.
The goal is a share of what the handler does with SQLAlchemy as it comes; what it does on the server's own way
to the database, which is quicker, is told beside it.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import uvloop
from cyberdesk_server.testing.programs import ServerProgram, running, until

from bench.goals import Floor, Goal, tell
from bench.http_load import Call, Load, load

ROUNDS = 7
"""Of which the first warms up."""

REQUESTS = 300
LIST_REQUESTS = 60
PAGE = 100
SHARE_OF_BARE = 0.6
HISTORY_MESSAGES = 200
TIMES_WITHOUT_HISTORY = 1.25
INPUT_VALUES = {"patient_id": "MRN-1001", "first_name": "Ada", "last_name": "Lovelace"}


@dataclass(frozen=True, slots=True)
class Pair:
    """The same asked of both."""

    name: str
    ours: Call
    bare: Call
    requests: int = REQUESTS


def measure() -> None:
    uvloop.run(_measure())


async def _measure() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        server = ServerProgram(folder)
        database = server.data_dir / "cyberdesk.sqlite3"
        with server.up(), _bare(folder, database) as bare, _bare(folder, database, "--on-our-store") as kin:
            async with _client(server) as client:
                run = await _some_runs(client)
                for pair in _pairs(server, run):
                    await _compare(pair, server.port, bare, kin)
                await _histories(client, server)


def _pairs(server: ServerProgram, run: dict[str, Any]) -> Iterator[Pair]:
    key = (("authorization", f"Bearer {server.api_key}"),)
    wanted = {"workflow_id": run["workflow_id"], "input_values": INPUT_VALUES}
    owned = {**wanted, "organization_id": run["organization_id"]}
    fields = "fields=ended_at"
    yield Pair(
        "create_run",
        Call("POST", "/v1/runs", 201, lambda: wanted, key),
        Call("POST", "/runs", 201, lambda: owned),
    )
    yield Pair(
        "get_run",
        Call("GET", f"/v1/runs/{run['id']}", 200, headers=key),
        Call("GET", f"/runs/{run['id']}", 200),
    )
    yield Pair(
        "list_runs",
        Call("GET", f"/v1/runs?limit={PAGE}", 200, headers=key),
        Call("GET", f"/runs?limit={PAGE}", 200),
        LIST_REQUESTS,
    )
    yield Pair(
        "list_base_fields",
        Call("GET", f"/v1/runs?limit={PAGE}&{fields}", 200, headers=key),
        Call("GET", f"/runs?limit={PAGE}&fields=true", 200),
        LIST_REQUESTS,
    )


async def _compare(pair: Pair, port: int, bare_port: int, bare_port_on_our_store: int) -> None:
    ours: list[Load] = []
    bare: list[Load] = []
    on_our_store: list[Load] = []
    for _ in range(ROUNDS):
        ours.append(await load(port, pair.ours, requests=pair.requests))
        bare.append(await load(bare_port, pair.bare, requests=pair.requests))
        on_our_store.append(await load(bare_port_on_our_store, pair.bare, requests=pair.requests))
    for name, loads in (("ours", ours), ("bare", bare), ("bare_on_our_store", on_our_store)):
        tell(f"api_{pair.name}_{name}_per_second", median(one.per_second for one in loads[1:]))
        tell(f"api_{pair.name}_{name}_p99_ms", median(one.p99_ms for one in loads[1:]))
    tell(f"api_{pair.name}_share_of_bare_on_our_store", _share(ours, on_our_store))
    Floor(f"api_{pair.name}_share_of_bare", SHARE_OF_BARE).tell(_share(ours, bare))


def _share(ours: list[Load], others: list[Load]) -> float:
    """Of the same rounds, without the first."""
    return median(one.per_second / other.per_second for one, other in zip(ours[1:], others[1:], strict=True))


async def _histories(client: httpx.AsyncClient, server: ServerProgram) -> None:
    """A list of base fields costs the same whatever histories its runs have."""
    key = (("authorization", f"Bearer {server.api_key}"),)
    path = f"/v1/runs?limit={PAGE}&status=scheduling&fields=ended_at"
    call = Call("GET", path, 200, headers=key)
    await load(server.port, call, requests=LIST_REQUESTS)
    without = [await load(server.port, call, requests=LIST_REQUESTS) for _ in range(ROUNDS)]
    page = (await client.get(path)).json()["items"]
    message = {"role": "assistant", "content": [{"type": "text", "text": "x" * 200}]}
    for run in page:
        body = {"run_message_history": [message] * HISTORY_MESSAGES}
        (await client.patch(f"/v1/runs/{run['id']}", json=body)).raise_for_status()
    with_them = [await load(server.port, call, requests=LIST_REQUESTS) for _ in range(ROUNDS)]
    taken = [median(one.seconds for one in some) for some in (without, with_them)]
    Goal("api_list_base_fields_times_without_histories", TIMES_WITHOUT_HISTORY).tell(taken[1] / taken[0])


async def _some_runs(client: httpx.AsyncClient) -> dict[str, Any]:
    """A page of runs that wait for ever, for there is no machine; the last of them."""
    prompt = "Type {patient_id} Type {first_name} Type {last_name}"
    workflow = await _post(client, "/v1/workflows", {"name": "bench", "main_prompt": prompt})
    body = {"workflow_id": workflow["id"], "count": PAGE, "input_values": INPUT_VALUES}
    made: list[dict[str, Any]] = (await _post(client, "/v1/runs/bulk", body))["created_runs"]
    return made[-1]


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = (await client.post(path, json=body)).raise_for_status().json()
    return made


def _client(server: ServerProgram) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {server.api_key}"}
    return httpx.AsyncClient(base_url=server.base_url, headers=headers, timeout=60)


@contextmanager
def _bare(folder: Path, database: Path, *options: str) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "bench.bare_server", f"--port={port}", *options]
    command.append(f"--database-url=sqlite+aiosqlite:///{database}")
    with running(command, folder / f"bare{port}.log") as program:
        until(lambda: _answers(port), what="the bare server")
        assert program.process.poll() is None, program.said()
        yield port


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    measure()
