"""Sessions: a machine that is kept for runs that follow each other."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx

Make = Callable[..., Awaitable[dict[str, Any]]]
Read = Callable[[str], Awaitable[dict[str, Any]]]


async def test_a_session_keeps_its_machine_for_its_own_runs(make: Make, worker: Any) -> None:
    machine_id = await worker.machine()
    workflow = (await make("workflows"))["id"]
    first = await make("runs", workflow_id=workflow, start_session=True)
    other = await make("runs", workflow_id=workflow, is_priority=True)
    claim = await worker.next()
    assert str(claim.run.id) == other["id"]
    await worker.end(claim)

    claim = await worker.next()
    assert str(claim.run.id) == first["id"]
    late_but_urgent = await make("runs", workflow_id=workflow, is_priority=True)
    second = await make("runs", workflow_id=workflow, session_id=first["session_id"])
    third = await make(
        "runs", workflow_id=workflow, session_id=first["session_id"], release_session_after=True
    )
    await worker.end(claim)

    order = []
    for _ in range(3):
        claim = await worker.next()
        order.append(str(claim.run.id))
        await worker.end(claim)
    assert order == [second["id"], third["id"], late_but_urgent["id"]]
    assert second["machine_id"] == machine_id


async def test_a_session_is_released_without_a_run(
    client: httpx.AsyncClient, make: Make, read_run: Read, worker: Any
) -> None:
    """What goes on there goes on, what waits is cancelled; twice is as good as once."""
    machine_id = await worker.machine()
    workflow = (await make("workflows"))["id"]
    goes_on = await make("runs", workflow_id=workflow, start_session=True)
    claim = await worker.next()
    waits = await make("runs", workflow_id=workflow, session_id=goes_on["session_id"])

    answers = [await client.post(f"/v1/sessions/{goes_on['session_id']}/release") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    machine = await client.get(f"/v1/machines/{machine_id}")
    assert machine.json()["reserved_session_id"] is None
    cancelled = await read_run(waits["id"])
    assert (cancelled["status"], cancelled["error"]) == ("cancelled", ["the session was released"])
    assert (await read_run(goes_on["id"]))["status"] == "running"
    await worker.end(claim)
    assert (await read_run(goes_on["id"]))["status"] == "success"


async def test_a_session_that_does_not_exist_cannot_be_released(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"/v1/sessions/{uuid4()}/release")

    assert answer.status_code == 404


async def test_priority_does_not_overtake_inside_a_session(make: Make, worker: Any) -> None:
    await worker.machine()
    workflow = (await make("workflows"))["id"]
    first = await make("runs", workflow_id=workflow, start_session=True)
    second = await make("runs", workflow_id=workflow, session_id=first["session_id"])
    third = await make("runs", workflow_id=workflow, session_id=first["session_id"], is_priority=True)

    order = []
    while (claim := await worker.claim()) is not None:
        order.append(str(claim.run.id))
        await worker.end(claim)

    assert order == [first["id"], second["id"], third["id"]]


async def test_the_next_run_gets_the_session_its_machine_when_the_first_was_cancelled(
    client: httpx.AsyncClient, make: Make, worker: Any
) -> None:
    workflow = (await make("workflows"))["id"]
    first = await make("runs", workflow_id=workflow, start_session=True)
    second = await make("runs", workflow_id=workflow, session_id=first["session_id"])
    await client.patch(f"/v1/runs/{first['id']}", json={"status": "cancelled"})

    await worker.machine()

    assert await worker.claimed() == second["id"]


async def test_a_failed_run_with_nobody_behind_it_releases_its_session(
    client: httpx.AsyncClient, make: Make, worker: Any, read_run: Read
) -> None:
    machine_id = await worker.machine()
    made = await make("runs", workflow_id=(await make("workflows"))["id"], start_session=True)
    claim = await worker.next()

    await worker.end(claim, "error")

    assert (await read_run(made["id"]))["release_session_after"] is True
    assert (await client.get(f"/v1/machines/{machine_id}")).json()["reserved_session_id"] is None


async def test_a_cleared_session_frees_the_machine_and_cancels_what_waits_in_it(
    client: httpx.AsyncClient, make: Make, worker: Any, read_run: Read
) -> None:
    machine_id = await worker.machine()
    workflow = (await make("workflows"))["id"]
    first = await make("runs", workflow_id=workflow, start_session=True)
    claim = await worker.next()
    waiting = await make("runs", workflow_id=workflow, session_id=first["session_id"])
    outsider = await make("runs", workflow_id=workflow)

    response = await client.patch(f"/v1/machines/{machine_id}", json={"reserved_session_id": None})

    assert response.json()["reserved_session_id"] is None
    assert (await read_run(waiting["id"]))["error"] == ["the session was cleared"]
    assert (await read_run(first["id"]))["status"] == "running"
    await worker.end(claim)
    assert await worker.claimed() == outsider["id"]


async def test_a_session_of_another_organization_is_not_found(
    stranger: httpx.AsyncClient, make: Make
) -> None:
    session_id = (await make("runs", workflow_id=(await make("workflows"))["id"], start_session=True))[
        "session_id"
    ]
    workflow = (await stranger.post("/v1/workflows", json={"main_prompt": "x"})).json()

    response = await stranger.post("/v1/runs", json={"workflow_id": workflow["id"], "session_id": session_id})

    assert (response.status_code, response.json()) == (404, {"detail": f"session {session_id} not found"})
