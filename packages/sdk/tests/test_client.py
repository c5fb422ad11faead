"""Building, sharing and closing a client."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from cyberdesk import DEFAULT_API_BASE_URL, DEFAULT_TIMEOUT, ClientClosed, CyberdeskClient, __version__
from cyberdesk.testing import Scripted, a_page


def pages(number):
    return [Scripted(200, json=a_page())] * number


def test_the_request_says_who_asks(api, client, call):
    api.answers(*pages(1))

    call(client.machines, "list")

    headers = api.asked[0].headers
    assert headers["authorization"] == "Bearer test-key"
    assert headers["user-agent"] == f"cyberdesk-python/{__version__}"


def test_a_path_in_the_address_is_kept(api, call):
    api.answers(*pages(2))

    for address in (f"{api.base_url}/tenant/a", f"{api.base_url}/tenant/a/"):
        with CyberdeskClient("key", address) as client:
            call(client.machines, "list")

    assert [asked.path for asked in api.asked] == ["/tenant/a/v1/machines"] * 2


@pytest.mark.parametrize("key", ["", "with space", "line\n", "tab\t", "\x7f", "schlüssel", 7, b"bytes"])
def test_an_impossible_key_is_refused_without_showing_it(key):
    with pytest.raises(ValueError, match=r"^api_key: ") as refusal:
        CyberdeskClient(key)

    assert not key or str(key) not in str(refusal.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "api.cyberdesk.io",
        "ftp://host",
        "https://",
        "http://host:port",
        "http://h?x=1",
        "http://h#f",
        "http://me:secret@h",
        7,
    ],
)
def test_an_impossible_address_is_refused(address):
    with pytest.raises(ValueError, match=r"^base_url: "):
        CyberdeskClient("key", address)


@pytest.mark.parametrize("timeout", [0, -1, "5", float("nan"), (1, 2)])
def test_an_impossible_timeout_is_refused(timeout):
    with pytest.raises(ValueError, match=r"^timeout: "):
        CyberdeskClient("key", timeout=timeout)


def test_a_password_in_the_address_is_not_repeated():
    with pytest.raises(ValueError, match=r"^base_url: ") as refusal:
        CyberdeskClient("key", "http://me:secret@host")

    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("name", ["", "two words", "colon:", "line\n", "größe"])
def test_an_impossible_header_name_is_refused(name):
    with pytest.raises(ValueError, match=r"^idempotency_header_name: "):
        CyberdeskClient("key", idempotency_header_name=name)


def test_the_key_is_in_no_repr():
    client = CyberdeskClient("very-secret")
    seen = [repr(client), *(repr(part) for part in vars(client).values())]

    assert repr(client) == f"CyberdeskClient(base_url='{DEFAULT_API_BASE_URL}')"
    assert not any("very-secret" in text for text in seen)


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (None, DEFAULT_TIMEOUT),
        (5, httpx.Timeout(5)),
        (httpx.Timeout(60.0, connect=10.0), httpx.Timeout(60.0, connect=10.0)),
        (httpx.Timeout(None), httpx.Timeout(None)),
    ],
)
def test_there_is_a_timeout_unless_asked_otherwise(timeout, expected):
    with CyberdeskClient("key", timeout=timeout) as client:
        assert client._http._sync_client().timeout == expected


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_both_ways_to_give_one_are_named(key):
    with pytest.raises(
        ValueError, match=r"^api_key: is missing; give it as api_key or set CYBERDESK_API_KEY$"
    ):
        CyberdeskClient(key)


def test_key_and_address_come_from_the_environment(api, call, monkeypatch):
    monkeypatch.setenv("CYBERDESK_API_KEY", "key-of-the-environment")
    monkeypatch.setenv("CYBERDESK_BASE_URL", f"{api.base_url}/tenant")
    api.answers(*pages(1))

    with CyberdeskClient() as client:
        call(client.machines, "list")

    assert api.asked[0].headers["authorization"] == "Bearer key-of-the-environment"
    assert api.asked[0].path == "/tenant/v1/machines"


def test_arguments_win_over_the_environment(api, call, monkeypatch):
    monkeypatch.setenv("CYBERDESK_API_KEY", "key-of-the-environment")
    monkeypatch.setenv("CYBERDESK_BASE_URL", "http://127.0.0.1:1")
    api.answers(*pages(1))

    with CyberdeskClient("given", api.base_url) as client:
        call(client.machines, "list")

    assert api.asked[0].headers["authorization"] == "Bearer given"


def test_an_empty_address_in_the_environment_is_none(monkeypatch):
    monkeypatch.setenv("CYBERDESK_BASE_URL", "")

    assert repr(CyberdeskClient("key")) == f"CyberdeskClient(base_url='{DEFAULT_API_BASE_URL}')"


def test_the_published_arguments_are_where_they_were(surface):
    [published] = [
        one for one in surface["classes"]["CyberdeskClient"]["methods"] if one["name"] == "__init__"
    ]
    own = list(inspect.signature(CyberdeskClient).parameters.values())

    names = [one["name"] for one in published["params"]]
    assert [one.name for one in own if one.name in names] == names
    assert [one.kind.name.lower() for one in own if one.name in names] == [
        one["kind"] for one in published["params"]
    ]


def test_a_new_client_has_opened_nothing():
    client = CyberdeskClient("key")

    assert (client._http._sync, client._http._per_loop) == (None, {})


def test_a_closed_client_says_so(api, call):
    client = CyberdeskClient("key", api.base_url)
    client.close()
    client.close()

    response = call(client.runs, "list")

    assert isinstance(response.error, ClientClosed)
    assert isinstance(response.error, RuntimeError)


def test_several_event_loops_in_a_row_work(api):
    client = CyberdeskClient("key", api.base_url)
    api.answers(*pages(3))

    async def list_machines():
        return await client.machines.list()

    responses = [asyncio.run(list_machines()) for _ in range(3)]

    assert [response.error for response in responses] == [None, None, None]


def test_the_connections_of_a_loop_close_with_it(api):
    client = CyberdeskClient("key", api.base_url)
    api.answers(*pages(1))

    async def list_machines():
        await client.machines.list()
        return next(iter(client._http._per_loop.values())).opened

    [http] = asyncio.run(list_machines())

    assert http.is_closed


def test_event_loops_in_several_threads_share_a_client(api):
    client = CyberdeskClient("key", api.base_url)
    api.answers(*pages(20))

    async def list_twice():
        return await asyncio.gather(client.machines.list(), client.machines.list())

    with ThreadPoolExecutor(4) as threads:
        rounds = list(threads.map(lambda _: asyncio.run(list_twice()), range(10)))

    assert [response.error for responses in rounds for response in responses] == [None] * 20


def test_threads_share_a_client(api, client):
    api.answers(*pages(20))

    with ThreadPoolExecutor(4) as threads:
        responses = list(threads.map(lambda _: client.machines.list_sync(), range(20)))

    assert [response.error for response in responses] == [None] * 20


async def test_with_closes_the_connections_of_async_calls_too(api):
    api.answers(*pages(1))

    with CyberdeskClient("key", api.base_url) as client:
        await client.machines.list()
        [http] = client._http._per_loop[asyncio.get_running_loop()].opened
    while not http.is_closed:  # noqa: ASYNC110  # a few rounds of the loop, nothing to wait on
        await asyncio.sleep(0)


async def test_async_with_has_closed_the_connections_when_it_ends(api):
    api.answers(*pages(1))

    async with CyberdeskClient("key", api.base_url) as client:
        await client.machines.list()
        [http] = client._http._per_loop[asyncio.get_running_loop()].opened

    assert http.is_closed
    assert isinstance((await client.machines.list()).error, ClientClosed)


async def test_aclose_without_any_call_is_fine():
    await CyberdeskClient("key").aclose()


def test_a_client_nobody_closed_leaves_nothing_open(api, recwarn):
    api.answers(*pages(2))

    def use():
        client = CyberdeskClient("key", api.base_url)

        async def list_machines():
            await client.machines.list()

        asyncio.run(list_machines())
        client.machines.list_sync()

    use()
    gc.collect()

    assert [str(warning.message) for warning in recwarn] == []


def test_blocking_calls_work_inside_a_running_loop(api, client):
    api.answers(*pages(1))

    async def notebook():
        return client.machines.list_sync()

    assert asyncio.run(notebook()).error is None


def test_a_cancelled_call_is_cancelled(api, client):
    entered = threading.Event()
    api.answers(Scripted(200, json=a_page(), delay_seconds=1))

    async def main():
        call = asyncio.create_task(client.machines.list())
        while not api.asked:  # noqa: ASYNC110  # it is asked in another thread
            await asyncio.sleep(0.001)
        entered.set()
        call.cancel()
        return await asyncio.gather(call, return_exceptions=True)

    [outcome] = asyncio.run(main())

    assert entered.is_set()
    assert isinstance(outcome, asyncio.CancelledError)
