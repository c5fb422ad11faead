"""Many runs at once, chains, and runs that start over."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.ids import RunId, WorkerId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.store import runs
from cyberdesk_server.testing.rows import a_machine
from cyberdesk_server.usecases.endings import finish

Make = Callable[..., Awaitable[dict[str, Any]]]


class Worker:
    """Claims the next run and ends it, as a worker would."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def machine(self, **fields: Any) -> str:
        async with self._parts.database.transaction() as conn:
            machine = await a_machine(conn, "org_own", **fields)  # type: ignore[arg-type]  # as stored
        return str(machine.id)

    async def claim(self) -> runs.Claim | None:
        async with self._parts.database.transaction() as conn:
            return await runs.claim_next(
                conn, worker_id=WorkerId("w"), now=self._parts.clock.now(), lease_seconds=30
            )

    async def end(
        self, claim: runs.Claim, status: str = "success", output: JsonObject | None = None
    ) -> tuple[RunId, ...]:
        async with self._parts.database.transaction() as conn:
            return await finish(
                conn,
                claim.run.id,
                claim.attempt,
                status=RunStatus(status),
                error=None if status == "success" else ["reason"],
                output_data=output,
                usage_metadata={"total_agentic_steps": 2, "billing_outcome": status},
                now=self._parts.clock.now(),
            )

    async def claimed(self) -> str | None:
        claim = await self.claim()
        return None if claim is None else str(claim.run.id)


@pytest.fixture
def worker(parts: Parts) -> Worker:
    return Worker(parts)


async def run(client: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get(f"/v1/runs/{run_id}")).json()
    return answer


async def statuses(client: httpx.AsyncClient, run_ids: list[str]) -> list[str]:
    return [(await run(client, run_id))["status"] for run_id in run_ids]


async def chain(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    response = await client.post("/v1/runs/chain", json=body)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


# --- bulk ------------------------------------------------------------------------------------------------


async def test_bulk_makes_that_many_equal_runs(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", main_prompt="Type {x} and {$pin}")
    body = {"workflow_id": workflow["id"], "count": 1000, "input_values": {"x": "1"}}

    response = await client.post("/v1/runs/bulk", json=body | {"sensitive_input_values": {"pin": "7"}})

    answer = response.json()
    made = answer["created_runs"]
    assert (response.status_code, answer["failed_count"], answer["errors"]) == (201, 0, [])
    assert len({one["id"] for one in made}) == 1000
    assert {one["input_values"]["x"] for one in made} == {"1"}
    assert len({one["sensitive_input_aliases"]["pin"] for one in made}) == 1000
    assert (await client.get("/v1/runs", params={"limit": 1})).json()["total"] == 1000


@pytest.mark.parametrize("count", [0, -1, 1001, None, "x"])
async def test_bulk_makes_1_to_1000(client: httpx.AsyncClient, make: Make, count: object) -> None:
    workflow = await make("workflows")

    response = await client.post("/v1/runs/bulk", json={"workflow_id": workflow["id"], "count": count})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "count"]


async def test_bulk_makes_all_runs_or_none(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows", main_prompt="Type {x}")

    response = await client.post("/v1/runs/bulk", json={"workflow_id": workflow["id"], "count": 3})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "input_values", "x"]
    assert (await client.get("/v1/runs")).json()["total"] == 0


async def test_bulk_runs_of_one_session_follow_each_other(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    await worker.machine()
    await worker.machine()
    workflow = await make("workflows")
    body = {"workflow_id": workflow["id"], "count": 3, "start_session": True}

    made = (await client.post("/v1/runs/bulk", json=body)).json()["created_runs"]

    done = []
    while (claim := await worker.claim()) is not None:
        assert await worker.claim() is None
        done.append((str(claim.run.id), claim.machine.id))
        await worker.end(claim)
    assert [run_id for run_id, _ in done] == [one["id"] for one in made]
    assert len({machine_id for _, machine_id in done}) == 1


# --- chain -----------------------------------------------------------------------------------------------


async def test_a_chain_runs_in_order_on_one_machine_and_passes_outputs_on(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    await worker.machine()
    await worker.machine()
    workflow = await make("workflows", main_prompt="Type {query}")
    made = await chain(
        client,
        shared_inputs={"query": "shared", "unused": 1},
        steps=[
            {"workflow_id": workflow["id"], "session_alias": "one"},
            {"workflow_id": workflow["id"], "inputs": {"query": {"$ref": "one.outputs.result"}}},
        ],
    )

    first = await worker.claim()
    assert first is not None
    assert await worker.claim() is None
    await worker.end(first, output={"result": "panda"})
    second = await worker.claim()
    assert second is not None

    assert [str(first.run.id), str(second.run.id)] == made["run_ids"]
    assert first.machine.id == second.machine.id
    assert first.run.input_values == {"query": "shared"}
    assert second.earlier["one"].output_data == {"result": "panda"}
    assert str(second.machine.reserved_session_id) == made["session_id"]


async def test_the_end_of_a_chain_releases_its_session(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    machine_id = await worker.machine()
    workflow = await make("workflows")
    made = await chain(client, steps=[{"workflow_id": workflow["id"]}, {"workflow_id": workflow["id"]}])

    for _ in made["run_ids"]:
        claim = await worker.claim()
        assert claim is not None
        await worker.end(claim)

    machine = (await client.get(f"/v1/machines/{machine_id}")).json()
    assert machine["reserved_session_id"] is None
    flags = [(await run(client, run_id))["release_session_after"] for run_id in made["run_ids"]]
    assert flags == [False, True]
    refused = await client.post(
        "/v1/runs", json={"workflow_id": workflow["id"], "session_id": made["session_id"]}
    )
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        f"session {made['session_id']} has ended; start a new one",
    )


async def test_a_kept_session_takes_another_chain_on_the_same_machine(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    machine_id = await worker.machine()
    workflow = await make("workflows")
    steps = [{"workflow_id": workflow["id"], "session_alias": "one"}]
    first = await chain(client, steps=steps, keep_session_after_completion=True)
    claim = await worker.claim()
    assert claim is not None
    await worker.end(claim, output={"x": 1})
    outsider = (await client.post("/v1/runs", json={"workflow_id": workflow["id"]})).json()

    second = await chain(
        client,
        session_id=first["session_id"],
        machine_id=str(uuid4()),
        steps=[{"workflow_id": workflow["id"], "inputs": {"q": {"$ref": "one.outputs.x"}}}],
    )

    assert second["session_id"] == first["session_id"]
    assert (await run(client, second["run_ids"][0]))["machine_id"] == machine_id
    assert await worker.claimed() == second["run_ids"][0]
    assert (await run(client, outsider["id"]))["status"] == "scheduling"


@pytest.mark.parametrize("status", ["task_failed", "error"])
async def test_a_failed_step_ends_its_chain_and_releases_the_session(
    client: httpx.AsyncClient, make: Make, worker: Worker, status: str
) -> None:
    machine_id = await worker.machine()
    workflow = await make("workflows")
    step = {"workflow_id": workflow["id"]}
    made = await chain(client, steps=[{**step, "session_alias": "login"}, step, step])

    claim = await worker.claim()
    assert claim is not None
    ended = await worker.end(claim, status)

    assert [str(run_id) for run_id in ended] == made["run_ids"]
    assert await statuses(client, made["run_ids"]) == [status, "cancelled", "cancelled"]
    failed, behind = [await run(client, run_id) for run_id in made["run_ids"][:2]]
    assert failed["release_session_after"] is True
    assert behind["error"] == [f"step 'login' of the chain ended with {status}"]
    assert (await client.get(f"/v1/machines/{machine_id}")).json()["reserved_session_id"] is None


async def test_a_cancelled_step_that_still_waits_ends_the_chain_too(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows")
    made = await chain(client, steps=[{"workflow_id": workflow["id"]}] * 3)

    response = await client.patch(f"/v1/runs/{made['run_ids'][1]}", json={"status": "cancelled"})

    assert response.json()["release_session_after"] is True
    assert await statuses(client, made["run_ids"]) == ["cancelled", "cancelled", "cancelled"]


async def test_the_problems_of_every_step_are_told_and_nothing_is_made(
    client: httpx.AsyncClient, make: Make
) -> None:
    workflow = await make("workflows", main_prompt="Type {x} and {$pin}")
    step = {"workflow_id": workflow["id"], "sensitive_inputs": {"pin": "1"}}

    response = await client.post(
        "/v1/runs/chain",
        json={
            "steps": [
                {**step, "session_alias": "a", "inputs": {"x": {"$ref": "b.outputs.y"}}},
                {**step, "session_alias": "b"},
                {"workflow_id": workflow["id"], "inputs": {"x": {"$ref": "nonsense"}}},
            ]
        },
    )

    assert response.status_code == 422
    assert [problem["loc"] for problem in response.json()["detail"]] == [
        ["body", "steps", 0, "inputs", "x", "$ref"],
        ["body", "steps", 1, "inputs", "x"],
        ["body", "steps", 2, "inputs", "x", "$ref"],
        ["body", "steps", 2, "sensitive_inputs", "pin"],
    ]
    assert (await client.get("/v1/runs")).json()["total"] == 0


@pytest.mark.parametrize("steps", [[], None, "x", [{}], [{"workflow_id": "x"}]])
async def test_a_chain_without_usable_steps_is_refused(client: httpx.AsyncClient, steps: object) -> None:
    response = await client.post("/v1/runs/chain", json={"steps": steps})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][:2] == ["body", "steps"]


async def test_two_steps_of_one_name_are_refused(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")
    step = {"workflow_id": workflow["id"], "session_alias": "same"}

    response = await client.post("/v1/runs/chain", json={"steps": [step, step]})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "steps", 1, "session_alias"]


async def test_shared_files_go_to_the_first_run(client: httpx.AsyncClient, make: Make) -> None:
    workflow = await make("workflows")

    made = await chain(
        client,
        steps=[{"workflow_id": workflow["id"]}] * 2,
        shared_file_inputs=[{"filename": "a.txt", "content": "YWJj"}],
    )

    files = [(await run(client, run_id))["input_attachment_ids"] for run_id in made["run_ids"]]
    assert [len(ids) for ids in files] == [1, 0]


# --- sessions --------------------------------------------------------------------------------------------


async def test_a_session_keeps_its_machine_for_its_own_runs(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    machine_id = await worker.machine()
    workflow = (await make("workflows"))["id"]
    first = await make("runs", workflow_id=workflow, start_session=True)
    other = await make("runs", workflow_id=workflow, is_priority=True)
    claim = await worker.claim()
    assert claim is not None
    assert str(claim.run.id) == other["id"]
    await worker.end(claim)

    claim = await worker.claim()
    assert claim is not None
    assert str(claim.run.id) == first["id"]
    late_but_urgent = await make("runs", workflow_id=workflow, is_priority=True)
    second = await make("runs", workflow_id=workflow, session_id=first["session_id"])
    third = await make(
        "runs", workflow_id=workflow, session_id=first["session_id"], release_session_after=True
    )
    await worker.end(claim)

    order = []
    for _ in range(3):
        claim = await worker.claim()
        assert claim is not None
        order.append(str(claim.run.id))
        await worker.end(claim)
    assert order == [second["id"], third["id"], late_but_urgent["id"]]
    assert second["machine_id"] == machine_id


async def test_priority_does_not_overtake_inside_a_session(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
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
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    workflow = (await make("workflows"))["id"]
    first = await make("runs", workflow_id=workflow, start_session=True)
    second = await make("runs", workflow_id=workflow, session_id=first["session_id"])
    await client.patch(f"/v1/runs/{first['id']}", json={"status": "cancelled"})

    await worker.machine()

    assert await worker.claimed() == second["id"]


async def test_a_failed_run_with_nobody_behind_it_releases_its_session(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    machine_id = await worker.machine()
    made = await make("runs", workflow_id=(await make("workflows"))["id"], start_session=True)
    claim = await worker.claim()
    assert claim is not None

    await worker.end(claim, "error")

    assert (await run(client, made["id"]))["release_session_after"] is True
    assert (await client.get(f"/v1/machines/{machine_id}")).json()["reserved_session_id"] is None


async def test_a_cleared_session_frees_the_machine_and_cancels_what_waits_in_it(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    machine_id = await worker.machine()
    workflow = (await make("workflows"))["id"]
    first = await make("runs", workflow_id=workflow, start_session=True)
    claim = await worker.claim()
    assert claim is not None
    waiting = await make("runs", workflow_id=workflow, session_id=first["session_id"])
    outsider = await make("runs", workflow_id=workflow)

    response = await client.patch(f"/v1/machines/{machine_id}", json={"reserved_session_id": None})

    assert response.json()["reserved_session_id"] is None
    assert (await run(client, waiting["id"]))["error"] == ["the session was cleared"]
    assert (await run(client, first["id"]))["status"] == "running"
    await worker.end(claim)
    assert await worker.claimed() == outsider["id"]


async def test_a_session_of_another_organization_is_not_found(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, make: Make
) -> None:
    session_id = (await make("runs", workflow_id=(await make("workflows"))["id"], start_session=True))[
        "session_id"
    ]
    workflow = (await stranger.post("/v1/workflows", json={"main_prompt": "x"})).json()

    response = await stranger.post("/v1/runs", json={"workflow_id": workflow["id"], "session_id": session_id})

    assert (response.status_code, response.json()) == (404, {"detail": f"session {session_id} not found"})


# --- pools -----------------------------------------------------------------------------------------------


async def test_a_run_of_pools_takes_a_machine_that_is_in_all_of_them(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    one, two = await make("pools", name="one"), await make("pools", name="two")
    in_one, in_both = await worker.machine(), await worker.machine()
    await client.post(f"/v1/pools/{one['id']}/machines", json={"machine_ids": [in_one, in_both]})
    await client.post(f"/v1/pools/{two['id']}/machines", json={"machine_ids": [in_both]})
    workflow = (await make("workflows"))["id"]
    made = await make("runs", workflow_id=workflow, pool_ids=[one["id"], two["id"]])
    again = await make("runs", workflow_id=workflow, pool_ids=[two["id"], one["id"]])

    claim = await worker.claim()

    assert claim is not None
    assert (str(claim.run.id), str(claim.machine.id)) == (made["id"], in_both)
    assert made["pool_ids"] == [one["id"], two["id"]]
    assert await worker.claim() is None
    await worker.end(claim)
    assert await worker.claimed() == again["id"]


async def test_a_run_of_pools_waits_until_a_machine_joins_the_last_of_them(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    pool = await make("pools", name="one")
    machine_id = await worker.machine()
    made = await make("runs", workflow_id=(await make("workflows"))["id"], pool_ids=[pool["id"]])
    assert await worker.claim() is None

    await client.post(f"/v1/pools/{pool['id']}/machines", json={"machine_ids": [machine_id]})

    assert await worker.claimed() == made["id"]


async def test_pool_parameters_are_below_the_run_and_the_machine_above(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    pool = await make("pools", name="p", pool_parameters={"a": "pool", "b": "pool", "c": "pool"})
    machine_id = await worker.machine(machine_parameters={"c": "machine"})
    await client.post(f"/v1/pools/{pool['id']}/machines", json={"machine_ids": [machine_id]})
    workflow = (await make("workflows", main_prompt="Type {a}{b}{c}"))["id"]

    made = await make(
        "runs", workflow_id=workflow, pool_ids=[pool["id"]], input_values={"b": "run", "c": "run"}
    )
    refused = await client.post("/v1/runs", json={"workflow_id": workflow, "machine_id": machine_id})

    claim = await worker.claim()
    assert claim is not None
    assert claim.pool_parameters == {"a": "pool", "b": "pool", "c": "pool"}
    assert made["input_values"] == {"b": "run", "c": "run"}
    assert [problem["loc"][-1] for problem in refused.json()["detail"]] == ["a", "b"]


@pytest.mark.parametrize("member", ["machine_id", "pool_ids", "session_id"])
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, make: Make, member: str) -> None:
    nobody = str(uuid4())
    body = {"workflow_id": (await make("workflows"))["id"]}
    value = [nobody] if member == "pool_ids" else nobody

    response = await client.post("/v1/runs", json={**body, member: value})

    noun = member.split("_")[0]
    assert (response.status_code, response.json()) == (404, {"detail": f"{noun} {nobody} not found"})


# --- retry -----------------------------------------------------------------------------------------------


@pytest.fixture
async def failed(client: httpx.AsyncClient, make: Make, worker: Worker) -> dict[str, Any]:
    """A run with an input, a secret and a file that ended in `error`."""
    await worker.machine()
    workflow = await make("workflows", main_prompt="Type {x} and {$pin}")
    made = await make(
        "runs",
        workflow_id=workflow["id"],
        input_values={"x": "1"},
        sensitive_input_values={"pin": "7"},
        file_inputs=[{"filename": "a.txt", "content": "YWJj"}],
    )
    claim = await worker.claim()
    assert claim is not None
    await worker.end(claim, "error", {"read": 1})
    return await run(client, made["id"])


async def retry(client: httpx.AsyncClient, run_id: str, **body: Any) -> httpx.Response:
    return await client.post(f"/v1/runs/{run_id}/retry", json=body)


async def test_a_run_starts_over_under_its_id_with_its_inputs_and_files(
    client: httpx.AsyncClient, worker: Worker, failed: dict[str, Any]
) -> None:
    response = await retry(client, failed["id"], sensitive_input_values={"pin": "8"})

    again = response.json()
    assert response.status_code == 200
    kept = ("id", "workflow_id", "created_at", "input_values", "input_attachment_ids")
    assert {name: again[name] for name in kept} == {name: failed[name] for name in kept}
    assert again["status"] == "scheduling"
    cleared = ("machine_id", "output_data", "error", "started_at", "ended_at")
    assert {name: again[name] for name in cleared} == dict.fromkeys(cleared)
    assert (again["run_message_history"], again["output_attachment_ids"]) == ([], [])
    assert again["sensitive_input_aliases"]["pin"] != failed["sensitive_input_aliases"]["pin"]
    assert await worker.claimed() == failed["id"]


async def test_counters_of_all_tries_add_up(
    client: httpx.AsyncClient, worker: Worker, failed: dict[str, Any]
) -> None:
    await retry(client, failed["id"], sensitive_input_values={"pin": "8"})
    claim = await worker.claim()
    assert claim is not None

    await worker.end(claim)

    assert (await run(client, failed["id"]))["usage_metadata"] == {
        "total_agentic_steps": 4,
        "billing_outcome": "success",
    }


async def test_secrets_must_be_sent_again(client: httpx.AsyncClient, failed: dict[str, Any]) -> None:
    response = await retry(client, failed["id"])

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "sensitive_input_values", "pin"]
    assert (await run(client, failed["id"]))["status"] == "error"


async def test_new_files_take_the_place_of_the_old(client: httpx.AsyncClient, failed: dict[str, Any]) -> None:
    response = await retry(
        client,
        failed["id"],
        sensitive_input_values={"pin": "8"},
        file_inputs=[{"filename": "b.txt", "content": "YWJj"}] * 2,
    )

    ids = response.json()["input_attachment_ids"]
    assert len(ids) == 2
    assert not set(ids) & set(failed["input_attachment_ids"])


async def test_pools_decide_before_a_machine_on_retry(
    client: httpx.AsyncClient, make: Make, failed: dict[str, Any]
) -> None:
    pool = await make("pools", name="one")
    machine = await make("machines")

    response = await retry(
        client,
        failed["id"],
        sensitive_input_values={"pin": "8"},
        machine_id=machine["id"],
        pool_ids=[pool["id"]],
    )

    assert (response.json()["machine_id"], response.json()["pool_ids"]) == (None, [pool["id"]])


async def test_only_an_ended_run_starts_over(client: httpx.AsyncClient, make: Make) -> None:
    made = await make("runs", workflow_id=(await make("workflows"))["id"])

    response = await retry(client, made["id"])

    assert (response.status_code, response.json()) == (
        409,
        {"detail": f"run {made['id']} is scheduling; it must end first"},
    )


async def test_a_cancelled_run_starts_over_once_its_machine_is_free(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    await worker.machine()
    made = await make("runs", workflow_id=(await make("workflows"))["id"])
    await worker.claim()
    await client.patch(f"/v1/runs/{made['id']}", json={"status": "cancelled"})

    response = await retry(client, made["id"])

    assert response.status_code == 409
    assert "still letting go of its machine" in response.json()["detail"]


async def test_a_retried_run_stays_in_a_session_that_goes_on_and_leaves_one_that_has_ended(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    await worker.machine()
    workflow = (await make("workflows"))["id"]
    first = await make("runs", workflow_id=workflow, start_session=True)
    second = await make("runs", workflow_id=workflow, session_id=first["session_id"])
    claim = await worker.claim()
    assert claim is not None
    await worker.end(claim, "error")

    in_session = (await retry(client, first["id"])).json()
    await client.patch(f"/v1/runs/{first['id']}", json={"status": "cancelled"})
    claim = await worker.claim()
    assert claim is not None
    await worker.end(claim, "error")
    on_its_own = (await retry(client, second["id"])).json()

    assert in_session["session_id"] == first["session_id"]
    assert on_its_own["session_id"] is None


async def test_a_retried_step_of_a_chain_reads_the_outputs_of_the_steps_before_it(
    client: httpx.AsyncClient, make: Make, worker: Worker
) -> None:
    await worker.machine()
    workflow = (await make("workflows", main_prompt="Type {x}"))["id"]
    made = await chain(
        client,
        steps=[
            {"workflow_id": workflow, "session_alias": "one", "inputs": {"x": "1"}},
            {"workflow_id": workflow, "inputs": {"x": {"$ref": "one.outputs.v"}}},
        ],
    )
    for status in ("success", "error"):
        claim = await worker.claim()
        assert claim is not None
        await worker.end(claim, status, {"v": "from one"})

    response = await retry(client, made["run_ids"][1])
    claim = await worker.claim()

    assert response.status_code == 200, response.text
    assert claim is not None
    assert claim.earlier["one"].output_data == {"v": "from one"}


# --- what a caller writes --------------------------------------------------------------------------------


async def test_a_caller_may_write_history_times_and_checks(client: httpx.AsyncClient, make: Make) -> None:
    made = await make("runs", workflow_id=(await make("workflows"))["id"])
    image = "supabase://run-images/message-history/org_own/1.png"
    foreign = "supabase://run-images/message-history/org_foreign/1.png"
    content = [{"type": "image", "image_url": image}, {"type": "image", "image_url": foreign}]
    told = {
        "run_message_history": [{"role": "user", "content": content}],
        "started_at": "2030-01-01T10:00:00Z",
        "ended_at": "2030-01-01T11:00:00Z",
        "post_run_checks": [{"status": "success", "name": "looked at"}],
    }

    response = await client.patch(f"/v1/runs/{made['id']}", json=told)

    answer = await run(client, made["id"])
    assert response.status_code == 200, response.text
    assert {name: answer[name] for name in ("run_message_history", "started_at", "ended_at")} == {
        name: told[name] for name in ("run_message_history", "started_at", "ended_at")
    }
    assert answer["post_run_checks"][0]["name"] == "looked at"
    path = f"/v1/runs/{made['id']}/image/signed-url"
    assert (await client.get(path, params={"image_url": image})).status_code == 200
    assert (await client.get(path, params={"image_url": foreign})).status_code == 404

    await client.patch(f"/v1/runs/{made['id']}", json={"run_message_history": None})
    assert (await run(client, made["id"]))["run_message_history"] == []


async def test_output_attachments_a_caller_names_must_be_there(
    client: httpx.AsyncClient, make: Make, stranger: httpx.AsyncClient
) -> None:
    workflow = (await make("workflows"))["id"]
    files = [{"filename": "a.txt", "content": "YWJj"}]
    made = await make("runs", workflow_id=workflow, file_inputs=files)
    file_id = made["input_attachment_ids"][0]

    accepted = await client.patch(f"/v1/runs/{made['id']}", json={"output_attachment_ids": [file_id]})
    refused = await client.patch(
        f"/v1/runs/{made['id']}", json={"output_attachment_ids": [file_id, str(uuid4()), "x"]}
    )

    assert accepted.json()["output_attachment_ids"] == [file_id]
    assert [problem["loc"] for problem in refused.json()["detail"]] == [
        ["body", "output_attachment_ids", 1],
        ["body", "output_attachment_ids", 2],
    ]


# --- checks ----------------------------------------------------------------------------------------------


async def test_a_run_keeps_the_checks_its_workflow_had_when_it_was_made(
    client: httpx.AsyncClient, make: Make
) -> None:
    check = {"name": "exported", "type": "run_attachment_exists", "file_names": ["a.pdf"]}
    workflow = await make("workflows", post_run_checks=[check])
    made = await make("runs", workflow_id=workflow["id"])

    await client.patch(f"/v1/workflows/{workflow['id']}", json={"post_run_checks": []})
    later = await make("runs", workflow_id=workflow["id"])

    [kept] = (await run(client, made["id"]))["post_run_checks"]
    assert {name: kept[name] for name in ("name", "status", "file_names", "post_run_check_id")} == {
        "name": "exported",
        "status": "pending",
        "file_names": ["a.pdf"],
        "post_run_check_id": workflow["post_run_checks"][0]["id"],
    }
    assert later["post_run_checks"] is None
