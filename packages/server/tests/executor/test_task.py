"""What a claimed run asks of its model: values of pools, runs and machines, and what references lead to."""

from dataclasses import replace
from typing import Any

import pytest
from cyberdesk_server.domain.refs import Outcome
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.executor.signals import RunFails
from cyberdesk_server.executor.task import task_of
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.testing.ports import turns

EARLIER = {
    "one": Outcome(RunStatus.SUCCESS, {"name": "Ada", "age": "old"}),
    "failed": Outcome(RunStatus.ERROR, None),
}


async def claimed(stage: Any, **run: Any) -> Claim:
    await stage.a_waiting_run(main_prompt="Type {x}", **run)
    return replace(await stage.claim(), earlier=EARLIER)


async def test_the_machine_wins_over_the_run_and_the_run_over_its_pools(stage: Any) -> None:
    claim = await claimed(stage, inputs={"b": "run", "c": "run"}, machine_parameters={"c": "machine"})
    claim = replace(claim, pool_parameters={"a": "pool", "b": "pool", "c": "pool"})

    task = await task_of(claim, frozenset(), stage.blobs)

    assert task.inputs == {"a": "pool", "b": "run", "c": "machine"}


async def test_a_reference_is_replaced_by_what_the_earlier_run_put_out(stage: Any) -> None:
    claim = await claimed(stage, inputs={"x": {"$ref": "one.outputs.name"}})

    task = await task_of(claim, frozenset(), stage.blobs)

    assert task.inputs == {"x": "Ada"}


async def test_a_run_whose_reference_leads_nowhere_fails_before_its_first_action(stage: Any) -> None:
    claim = await claimed(stage, inputs={"x": {"$ref": "failed.outputs.name"}})

    ending = await execute(claim, stage.parts(model=turns()))

    assert ending.status is RunStatus.ERROR
    assert ending.error == ("failed.outputs.name: the run 'failed' is error, not success",)
    assert stage.desktop.performed == []


async def test_what_a_reference_leads_to_must_fit_the_schema(stage: Any) -> None:
    schema = '{"type": "object", "properties": {"x": {"type": "integer"}}}'
    claim = await claimed(stage, inputs={"x": {"$ref": "one.outputs.age"}}, input_schema=schema)

    with pytest.raises(RunFails, match=r"input_values\.x: 'old' is not of type 'integer'"):
        await task_of(claim, frozenset(), stage.blobs)
