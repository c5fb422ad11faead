"""Limits of time, turns and waiting over HTTP: who may set them, what is refused, and why a run waits."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.limits import RunLimits, ServerLimits

Make = Callable[..., Awaitable[dict[str, Any]]]
ReadRun = Callable[[str], Awaitable[dict[str, Any]]]

LIMITS: dict[str, float] = {
    "run_time_limit_seconds": 60,
    "max_turns": 7,
    "wait_time_limit_seconds": 30,
    "cost_limit_usd": 0.25,
}
NONE = dict.fromkeys(LIMITS)
MOST = RunLimits(run_time_limit_seconds=100, max_turns=10, cost_limit_usd=2.5)


@pytest.fixture
async def parts(parts: Parts) -> Parts:
    return replace(parts, limits=ServerLimits(most=MOST))


def limits_of(view: dict[str, Any]) -> dict[str, Any]:
    return {name: view[name] for name in LIMITS}


def problems_of(answer: httpx.Response) -> list[tuple[Any, ...]]:
    assert answer.status_code == 422, answer.text
    return [(*problem["loc"], problem["msg"]) for problem in answer.json()["detail"]]


async def test_limits_of_runs_are_kept_and_shown(
    client: httpx.AsyncClient, make: Make, read_run: ReadRun
) -> None:
    workflow = await make("workflows")

    one = await make("runs", workflow_id=workflow["id"], **LIMITS)
    many = await make("runs/bulk", workflow_id=workflow["id"], count=2, **LIMITS)
    chain = await make("runs/chain", steps=[{"workflow_id": workflow["id"], **LIMITS}])
    none = await make("runs", workflow_id=workflow["id"])
    page = (await client.get("/v1/runs", params={"fields": ["max_turns"]})).json()

    assert limits_of(one) == limits_of(await read_run(one["id"])) == LIMITS
    assert [limits_of(run) for run in many["created_runs"]] == [LIMITS, LIMITS]
    assert limits_of(await read_run(chain["run_ids"][0])) == LIMITS
    assert limits_of(none) == NONE
    assert [run["max_turns"] for run in page["items"]] == [None, 7, 7, 7, 7]
    assert "wait_time_limit_seconds" not in page["items"][0]
    assert all(run.keys() >= LIMITS.keys() for run in (await client.get("/v1/runs")).json()["items"])


async def test_limits_of_a_workflow_are_kept_in_its_history_and_its_copies(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows", **LIMITS)
    path = f"/v1/workflows/{workflow['id']}"

    copy = await make(f"workflows/{workflow['id']}/duplicate")
    changed = await client.patch(path, json={"max_turns": 9, "run_time_limit_seconds": None})

    assert limits_of(workflow) == limits_of(copy) == LIMITS
    assert limits_of(changed.json()) == {**LIMITS, "max_turns": 9, "run_time_limit_seconds": None}
    assert [limits_of(version) for version in (await client.get(f"{path}/versions")).json()] == [LIMITS]


async def test_a_retry_keeps_its_limits_or_takes_new_ones(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")
    run = await make("runs", workflow_id=workflow["id"], **LIMITS)

    answers = []
    for body in ({}, {"max_turns": 9}):
        await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})
        answers.append(await client.post(f"/v1/runs/{run['id']}/retry", json=body))

    assert [limits_of(answer.json()) for answer in answers] == [LIMITS, {**LIMITS, "max_turns": 9}]


async def test_what_the_server_does_not_allow_is_refused_by_name(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows")
    ended = await make("runs", workflow_id=workflow["id"])
    await client.patch(f"/v1/runs/{ended['id']}", json={"status": "cancelled"})
    beyond = {"run_time_limit_seconds": 101, "max_turns": 11, "cost_limit_usd": 2.6}
    run = {"workflow_id": workflow["id"], **beyond}
    fine = {"workflow_id": workflow["id"], "run_time_limit_seconds": 100, "cost_limit_usd": 2.5}

    refused = [
        await client.post("/v1/runs", json=run),
        await client.post("/v1/runs/bulk", json={**run, "count": 2}),
        await client.post(f"/v1/runs/{ended['id']}/retry", json=beyond),
        await client.post("/v1/workflows", json=beyond),
        await client.patch(f"/v1/workflows/{workflow['id']}", json=beyond),
    ]
    in_a_step = await client.post("/v1/runs/chain", json={"steps": [fine, run]})

    said = {
        "run_time_limit_seconds": "this server allows at most 100",
        "max_turns": "this server allows at most 10",
        "cost_limit_usd": "this server allows at most 2.5",
    }
    for answer in refused:
        assert problems_of(answer) == [("body", name, text) for name, text in said.items()]
    assert problems_of(in_a_step) == [("body", "steps", 1, name, text) for name, text in said.items()]
    assert (await client.post("/v1/runs", json=fine)).status_code == 201
    assert (await client.get("/v1/runs")).json()["total"] == 2


async def test_a_limit_that_was_allowed_once_stops_no_other_change(
    client: httpx.AsyncClient, make: Make, parts: Parts
) -> None:
    workflow = await make("workflows", **LIMITS)
    object.__setattr__(parts, "limits", ServerLimits(most=RunLimits(max_turns=1)))
    path = f"/v1/workflows/{workflow['id']}"

    renamed = await client.patch(path, json={"name": "New"})
    again = await client.patch(path, json={"name": "New", "max_turns": 7})

    assert renamed.status_code == 200
    assert problems_of(again) == [("body", "max_turns", "this server allows at most 1")]


async def test_a_waiting_run_says_why_and_one_that_has_ended_does_not(
    client: httpx.AsyncClient, make: Make, read_run: ReadRun
) -> None:
    workflow = await make("workflows")
    machine = await make("machines", name="Desk 3")
    run = await make("runs", workflow_id=workflow["id"], machine_id=machine["id"])

    waiting = await read_run(run["id"])
    listed = (await client.get("/v1/runs")).json()["items"][0]
    await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})

    assert waiting["waiting_reason"] == "machine Desk 3 is not connected"
    assert "waiting_reason" not in listed
    assert (await read_run(run["id"]))["waiting_reason"] is None


@pytest.mark.parametrize("value", [0, -1, 1e9, "1", True])
async def test_a_sum_that_is_none_is_refused_by_name(
    client: httpx.AsyncClient, make: Make, value: Any
) -> None:
    workflow = await make("workflows")

    answer = await client.post("/v1/runs", json={"workflow_id": workflow["id"], "cost_limit_usd": value})

    assert [problem[:2] for problem in problems_of(answer)] == [("body", "cost_limit_usd")]
