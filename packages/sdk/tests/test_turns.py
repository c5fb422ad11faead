"""Many async calls at once: so many requests are under way, the others wait for their turn."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest

from cyberdesk import ClientClosed, CyberdeskClient, RetryConfig, _turns
from cyberdesk.testing import Scripted, ScriptedApi, a_page

AT_ONCE = 3
SLOW = Scripted(200, json=a_page(), delay_seconds=0.3)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    monkeypatch.setattr(_turns, "REQUESTS_AT_ONCE", AT_ONCE)


def a_client(api, timeout=None):
    return CyberdeskClient("key", api.base_url, timeout=timeout, retry=RetryConfig(max_retries=0))


async def asked(api, requests):
    while len(api.asked) < requests:  # noqa: ASYNC110  # it is asked in another thread
        await asyncio.sleep(0.001)


async def test_no_more_requests_than_that_are_under_way():
    lock, under_way, most = threading.Lock(), 0, 0

    def answer(_):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        threading.Event().wait(0.01)
        with lock:
            under_way -= 1
        return Scripted(200, json=a_page())

    with ScriptedApi(answer) as api:
        async with a_client(api) as client:
            responses = await asyncio.gather(*(client.machines.list() for _ in range(5 * AT_ONCE)))

    assert [response.error for response in responses] == [None] * 5 * AT_ONCE
    assert most == AT_ONCE


async def test_one_call_after_the_other_stays_on_one_connection(api):
    api.answers(*[Scripted(200, json=a_page())] * 5)

    async with a_client(api) as client:
        for _ in range(5):
            await client.machines.list()
        clients = client._http._per_loop[asyncio.get_running_loop()]

    assert len(clients.opened) == 1


async def test_a_turn_that_does_not_come_in_time_is_a_timeout(api):
    api.answers(*[SLOW] * AT_ONCE)

    async with a_client(api, httpx.Timeout(5, pool=0.05)) as client:
        calls = [asyncio.create_task(client.machines.list()) for _ in range(AT_ONCE)]
        await asked(api, AT_ONCE)
        late = await client.machines.list()
        in_time = await asyncio.gather(*calls)

    assert isinstance(late.error, httpx.PoolTimeout)
    assert [response.error for response in in_time] == [None] * AT_ONCE


async def test_a_cancelled_call_gives_its_turn_back(api):
    api.answers(*[SLOW] * AT_ONCE, Scripted(200, json=a_page()))

    async with a_client(api, httpx.Timeout(5, pool=0.05)) as client:
        calls = [asyncio.create_task(client.machines.list()) for _ in range(AT_ONCE)]
        await asked(api, AT_ONCE)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        response = await client.machines.list()

    assert response.error is None


async def test_a_call_whose_turn_comes_after_the_close_says_so(api):
    api.answers(*[SLOW] * AT_ONCE)

    client = a_client(api)
    calls = [asyncio.create_task(client.machines.list()) for _ in range(AT_ONCE + 1)]
    await asked(api, AT_ONCE)
    await client.aclose()
    *_, last = await asyncio.gather(*calls)

    assert isinstance(last.error, ClientClosed)
