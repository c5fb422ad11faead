"""A write carries one key, the same on every attempt; a read carries none."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from cyberdesk import CyberdeskClient, MachineUpdate, RetryConfig, RunCreate
from cyberdesk.testing import Scripted, a_page, a_run

RUN = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"
TRAJECTORY = {"id": RUN, "workflow_id": RUN, "trajectory_data": [], "dimensions": {}}


def keys(api, header="idempotency-key"):
    return [asked.headers.get(header) for asked in api.asked]


def test_all_attempts_of_a_write_carry_one_key(api, patient_client, call):
    api.answers(Scripted(503), Scripted(0), Scripted(201, json=a_run()))

    call(patient_client.runs, "create", RunCreate(workflow_id=RUN))

    assert len(keys(api)) == 3
    assert len(set(keys(api))) == 1
    assert UUID(keys(api)[0]).version == 4


def test_two_writes_carry_two_keys(api, client, call):
    api.answers(Scripted(201, json=a_run()), Scripted(201, json=a_run()))

    for _ in range(2):
        call(client.runs, "create", RunCreate(workflow_id=RUN))

    assert len(set(keys(api))) == 2


@pytest.mark.parametrize(
    ("group", "method", "arguments"),
    [
        ("machines", "update", (RUN, MachineUpdate(name="a"))),
        ("machines", "delete", (RUN,)),
        ("workflow_tags", "reorder", ([RUN],)),
        ("runs", "create", (RunCreate(workflow_id=RUN),)),
    ],
)
def test_every_kind_of_write_carries_a_key(api, client, call, group, method, arguments):
    api.answers(Scripted(204))

    call(getattr(client, group), method, *arguments)

    assert keys(api) != [None]


def test_a_read_carries_no_key(api, client, call):
    api.answers(Scripted(200, json=a_page()))

    call(client.runs, "list")

    assert keys(api) == [None]


def test_keys_can_be_switched_off(api, call):
    api.answers(Scripted(201, json=a_run()))

    with CyberdeskClient("key", api.base_url, idempotency_enabled=False) as client:
        call(client.runs, "create", RunCreate(workflow_id=RUN))

    assert keys(api) == [None]


def test_header_and_keys_can_be_chosen(api, call):
    api.answers(Scripted(201, json=a_run()))

    with CyberdeskClient(
        "key",
        api.base_url,
        idempotency_header_name="X-Once",
        idempotency_key_generator=lambda: "order-7",
    ) as client:
        call(client.runs, "create", RunCreate(workflow_id=RUN))

    assert (keys(api), keys(api, "x-once")) == ([None], ["order-7"])


def test_a_callers_own_key_is_used_and_makes_the_write_repeatable(api, call):
    api.answers(Scripted(503), Scripted(200, json=TRAJECTORY))
    retry = RetryConfig(min_delay_seconds=0)

    with CyberdeskClient("key", api.base_url, retry=retry, idempotency_enabled=False) as client:
        call(client.runs, "generate_trajectory", uuid4(), idempotency_key="mine")

    assert keys(api) == ["mine", "mine"]


def test_what_a_key_generator_raises_is_the_error(api, call):
    def no_key():
        raise LookupError("no order")

    with CyberdeskClient("key", api.base_url, idempotency_key_generator=no_key) as client:
        response = call(client.runs, "create", RunCreate(workflow_id=RUN))

    assert isinstance(response.error, LookupError)
    assert api.asked == []
