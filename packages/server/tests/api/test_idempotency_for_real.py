"""Invariant 7 through real HTTP: fifty requests at once, and a server that is killed in the middle."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from cyberdesk_server.testing.programs import ServerProgram
from cyberdesk_server.testing.rows import a_postgresql

pytestmark = pytest.mark.slow

AT_ONCE = 50
KILLS = 4
LATEST_KILL_SECONDS = 0.15
ANSWER_SECONDS = 60.0
PAUSE_SECONDS = 0.1


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProgram]:
    with ExitStack() as stack:
        settings = {"CYBERDESK_LOG_FORMAT": "json"}
        if request.param == "postgresql":
            settings["CYBERDESK_DATABASE_URL"] = stack.enter_context(a_postgresql()).url("postgres")
        yield ServerProgram(tmp_path, settings)


def a_client(server: ServerProgram, **headers: str) -> httpx.Client:
    return httpx.Client(
        base_url=server.base_url,
        headers={"Authorization": f"Bearer {server.api_key}", **headers},
        timeout=ANSWER_SECONDS,
    )


def until_answered(client: httpx.Client, body: Any) -> httpx.Response:
    """Send the same until there is an answer, through dead connections and `in_progress`."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        try:
            answer = client.post("/v1/runs", json=body)
        except httpx.TransportError:
            time.sleep(PAUSE_SECONDS)
            continue
        if answer.headers.get("idempotency-status") != "in_progress":
            return answer
        assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")
        time.sleep(PAUSE_SECONDS)
    raise TimeoutError(f"no answer within {ANSWER_SECONDS:g} s")


def runs_of(client: httpx.Client, workflow_id: str) -> list[str]:
    page = client.get("/v1/runs", params={"workflow_id": workflow_id, "limit": 1000}).json()
    return [run["id"] for run in page["items"]]


def a_workflow(client: httpx.Client) -> str:
    return str(client.post("/v1/workflows", json={"main_prompt": "x"}).json()["id"])


def test_of_fifty_equal_requests_at_once_one_is_done_and_all_get_its_answer(server: ServerProgram) -> None:
    with server.up(), a_client(server, **{"Idempotency-Key": "k-1"}) as client:
        with a_client(server) as plain:
            body = {"workflow_id": (workflow_id := a_workflow(plain))}
        with ThreadPoolExecutor(AT_ONCE) as threads:
            answers = list(threads.map(lambda _: until_answered(client, body), range(AT_ONCE)))

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert runs_of(client, workflow_id) == [answers[0].json()["id"]]


def test_a_server_killed_in_the_middle_leaves_exactly_one_run_for_a_key(server: ServerProgram) -> None:
    """Each time it is killed a moment after the request was sent, and the client does not give up."""
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    made: dict[str, list[str]] = {}

    with ExitStack() as stack:
        program = stack.enter_context(server.up())
        plain = stack.enter_context(a_client(server))
        for number in range(KILLS):
            body = {"workflow_id": a_workflow(plain)}
            key = {"Idempotency-Key": f"k-{number}"}
            with ThreadPoolExecutor(1) as threads, a_client(server, **key) as client:
                waiting = threads.submit(until_answered, client, body)
                time.sleep(moments.uniform(0, LATEST_KILL_SECONDS))
                program.kill()
                program = stack.enter_context(server.up())
                answer = waiting.result(ANSWER_SECONDS)
                assert until_answered(client, body).content == answer.content
            made[body["workflow_id"]] = [answer.json()["id"]]
        found = {workflow_id: runs_of(plain, workflow_id) for workflow_id in made}

    assert found == made, f"seed {seed}"
