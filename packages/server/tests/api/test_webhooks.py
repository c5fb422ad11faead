"""`/v1/webhooks`: endpoints are made, changed and tested; messages are told of and sent again."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.networks import Reach
from cyberdesk_server.testing.api import an_api
from cyberdesk_server.testing.webhooks import Carried, ScriptedCourier, an_answer
from cyberdesk_server.usecases.webhook_deliveries import Patience
from cyberdesk_server.worker.sender import Sender, SenderLimits

URL = "https://receiver.test/hook"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

Make = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def courier() -> ScriptedCourier:
    return ScriptedCourier()


@pytest.fixture
async def sending(parts: Parts, courier: ScriptedCourier) -> Callable[[], Any]:
    """A sender beside the API, while the context is open."""

    @asynccontextmanager
    async def sending() -> AsyncIterator[None]:
        import asyncio

        patience = Patience(luck=lambda: 0.0)
        limits = SenderLimits(sweep_seconds=0.01)
        sender = Sender(
            parts.server_id,
            parts.database,
            parts.bus,
            parts.clock,
            courier,
            parts.vault,
            patience,
            limits,
        )
        running = asyncio.create_task(sender.run())
        try:
            yield
        finally:
            await sender.stop()
            await running

    return sending


async def ended_run(client: httpx.AsyncClient, make: Make, **workflow: Any) -> dict[str, Any]:
    made = await make("workflows", **{"is_webhooks_enabled": True} | workflow)
    run = await make("runs", workflow_id=made["id"], input_values={"x": "1"})
    answer = await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})
    ended: dict[str, Any] = answer.json()
    return ended


async def messages(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/webhooks/messages", params=query)
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_an_endpoint_is_told_of_completed_runs_unless_it_says_otherwise(make: Make) -> None:
    endpoint = await make("webhooks/endpoints", url=URL)

    assert endpoint == {
        "id": endpoint["id"],
        "organization_id": "org_own",
        "url": URL,
        "description": None,
        "event_types": ["run_complete"],
        "is_enabled": True,
        "disabled_at": None,
        "disabled_reason": None,
        "failing_since": None,
        "old_secret_valid_until": None,
        "created_at": endpoint["created_at"],
        "updated_at": endpoint["created_at"],
    }


async def test_endpoints_are_listed_changed_and_deleted(client: httpx.AsyncClient, make: Make) -> None:
    first, second = await make("webhooks/endpoints", url=URL), await make("webhooks/endpoints", url=URL)
    path = f"/v1/webhooks/endpoints/{first['id']}"

    changed = await client.patch(
        path, json={"url": URL + "2", "description": "d", "event_types": ["session_released"]}
    )
    read = await client.get(path)
    listed = await client.get("/v1/webhooks/endpoints")
    gone = await client.delete(path)

    assert changed.json() | {"updated_at": ""} == first | {
        "url": URL + "2",
        "description": "d",
        "event_types": ["session_released"],
        "updated_at": "",
    }
    assert read.json() == changed.json()
    assert listed.json()["items"] == [second, changed.json()]
    assert gone.status_code == 204
    assert (await client.get(path)).status_code == 404


async def test_an_endpoint_is_disabled_and_enabled(client: httpx.AsyncClient, make: Make) -> None:
    path = f"/v1/webhooks/endpoints/{(await make('webhooks/endpoints', url=URL))['id']}"

    disabled = (await client.patch(path, json={"is_enabled": False})).json()
    again = (await client.patch(path, json={"is_enabled": False})).json()
    enabled = (await client.patch(path, json={"is_enabled": True})).json()

    assert (disabled["is_enabled"], disabled["disabled_reason"]) == (False, "requested")
    assert again["disabled_at"] == disabled["disabled_at"]
    assert (enabled["is_enabled"], enabled["disabled_reason"], enabled["disabled_at"]) == (True, None, None)


async def test_the_secret_is_told_to_those_who_ask_and_in_no_other_answer(
    client: httpx.AsyncClient, make: Make
) -> None:
    endpoint = await make("webhooks/endpoints", url=URL, secret=SECRET)
    path = f"/v1/webhooks/endpoints/{endpoint['id']}"

    answer = await client.get(f"{path}/secret")

    assert answer.json() == {"secret": SECRET, "old_secret": None, "old_secret_valid_until": None}
    assert answer.headers["cache-control"] == "no-store"
    assert SECRET not in str(endpoint) + (await client.get(path)).text


async def test_a_made_up_secret_is_different_each_time(client: httpx.AsyncClient, make: Make) -> None:
    ids = [(await make("webhooks/endpoints", url=URL))["id"] for _ in range(2)]

    secrets = [(await client.get(f"/v1/webhooks/endpoints/{id_}/secret")).json()["secret"] for id_ in ids]

    assert secrets[0].startswith("whsec_")
    assert secrets[0] != secrets[1]


async def test_after_a_rotation_both_secrets_sign_for_a_while(
    client: httpx.AsyncClient, make: Make, sending: Any, courier: ScriptedCourier
) -> None:
    endpoint = await make("webhooks/endpoints", url=URL, secret=SECRET)
    path = f"/v1/webhooks/endpoints/{endpoint['id']}"

    rotated = await client.post(f"{path}/rotate", json={"old_valid_seconds": 3600})
    secrets = (await client.get(f"{path}/secret")).json()
    async with sending():
        await client.post(f"{path}/test", json={})
        [both] = await courier.until(lambda carried: len(carried) == 1)
        await client.post(f"{path}/rotate", json={"old_valid_seconds": 0})
        await client.post(f"{path}/test", json={})
        *_, one = await courier.until(lambda carried: len(carried) == 2)

    assert rotated.status_code == 200
    assert (secrets["old_secret"], secrets["old_secret_valid_until"]) == (
        SECRET,
        rotated.json()["old_secret_valid_until"],
    )
    assert secrets["secret"] != SECRET
    assert len(both.headers["webhook-signature"].split(" ")) == 2
    assert len(one.headers["svix-signature"].split(" ")) == 1


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("url", {}),
        ("url", {"url": "http://receiver.test"}),
        ("url", {"url": "https://127.1"}),
        ("url", {"url": "https://user:pass@receiver.test"}),
        ("secret", {"url": URL, "secret": "whsec_short"}),
        ("event_types", {"url": URL, "event_types": []}),
        ("event_types", {"url": URL, "event_types": ["unknown"]}),
    ],
)
async def test_a_bad_endpoint_is_refused_naming_the_field(
    client: httpx.AsyncClient, field: str, body: dict[str, Any]
) -> None:
    answer = await client.post("/v1/webhooks/endpoints", json=body)

    assert answer.status_code == 422
    assert [problem["loc"][:2] for problem in answer.json()["detail"]] == [["body", field]]


async def test_the_operator_may_allow_plain_http_and_networks(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    an_api(replace(parts, reach=Reach((ip_network("127.0.0.0/8"),), allows_http=True)))

    answer = await client.post("/v1/webhooks/endpoints", json={"url": "http://127.0.0.1:9/hook"})

    assert answer.status_code == 201


async def test_an_ended_run_is_told_with_all_its_members(
    client: httpx.AsyncClient, make: Make, sending: Any, courier: ScriptedCourier
) -> None:
    await make("webhooks/endpoints", url=URL)
    async with sending():
        run = await ended_run(client, make)
        [carried] = await courier.until(lambda carried: len(carried) == 1)

    [message] = await messages(client, run_id=run["id"], include_payload=True)

    payload = httpx.Response(200, content=carried.body).json()
    full = (await client.get(f"/v1/runs/{run['id']}")).json()
    beside = {"waiting_reason": None, "included": None}
    assert payload == {
        "event_id": message["id"],
        "event_type": "run_complete",
        "occurred_at": message["created_at"],
        "run": {name: value for name, value in full.items() if name not in beside},
    }
    assert message["payload"] == payload
    assert carried.message_id == message["id"]
    assert [delivery["attempts"] for delivery in message["deliveries"]] == [1]


async def test_what_was_asked_and_answered_is_told(
    client: httpx.AsyncClient, make: Make, sending: Any, courier: ScriptedCourier
) -> None:
    courier.respond = lambda _: replace(
        an_answer(500, headers={"server": "x"}), response_body="oops", request_headers={"webhook-id": "1"}
    )
    endpoint = await make("webhooks/endpoints", url=URL)
    async with sending():
        message = (await client.post(f"/v1/webhooks/endpoints/{endpoint['id']}/test", json={})).json()
        await courier.until(lambda carried: len(carried) == 1)
    [attempt] = (await client.get(f"/v1/webhooks/messages/{message['id']}/attempts")).json()["items"]

    delivery = (await client.get(f"/v1/webhooks/messages/{message['id']}")).json()["deliveries"][0]

    assert attempt == {
        "id": attempt["id"],
        "delivery_id": delivery["id"],
        "endpoint_id": endpoint["id"],
        "number": 1,
        "started_at": attempt["started_at"],
        "duration_ms": 3,
        "is_success": False,
        "url": "https://receiver.test",
        "request_headers": {"webhook-id": "1"},
        "status_code": 500,
        "response_headers": {"server": "x"},
        "response_body": "oops",
        "error": None,
    }
    assert (delivery["status"], delivery["trigger"], delivery["attempts"]) == ("waiting", "test", 1)
    assert delivery["next_attempt_at"] is not None


@pytest.mark.parametrize(
    "event_type", ["run_complete", "downed_machines", "session_released", "webhook_endpoint_disabled"]
)
async def test_a_test_sends_the_example_of_an_event(
    client: httpx.AsyncClient, make: Make, event_type: str
) -> None:
    endpoint = await make("webhooks/endpoints", url=URL)
    catalogue = {event["name"]: event for event in (await client.get("/v1/webhooks/event-types")).json()}

    answer = await client.post(
        f"/v1/webhooks/endpoints/{endpoint['id']}/test", json={"event_type": event_type}
    )

    head = {"event_id", "occurred_at"}
    payload = {name: value for name, value in answer.json()["payload"].items() if name not in head}
    example = catalogue[event_type]["example"]
    assert answer.status_code == 201
    assert payload == {name: value for name, value in example.items() if name not in head}
    assert answer.json()["deliveries"][0]["trigger"] == "test"


async def test_a_message_is_sent_again_under_its_id(
    client: httpx.AsyncClient, make: Make, sending: Any, courier: ScriptedCourier
) -> None:
    await make("webhooks/endpoints", url=URL)
    late = await make("webhooks/endpoints", url=URL + "/late", event_types=["session_released"])
    async with sending():
        await ended_run(client, make)
        await courier.until(lambda carried: len(carried) == 1)
    [message] = await messages(client)
    path = f"/v1/webhooks/messages/{message['id']}/replay"

    async with sending():
        replayed = await client.post(path, json={})
        await courier.until(lambda carried: len(carried) == 2)
        await client.post(path, json={"endpoint_ids": [late["id"]]})
        carried = await courier.until(lambda carried: len(carried) == 3)

    assert replayed.json()["deliveries"][0]["trigger"] == "replay"
    assert {one.message_id for one in carried} == {message["id"]}
    assert len({one.body for one in carried}) == 1
    assert [one.url for one in carried] == [URL, URL, URL + "/late"]


async def test_all_that_failed_since_a_time_is_sent_again(
    client: httpx.AsyncClient, make: Make, sending: Any, courier: ScriptedCourier
) -> None:
    endpoint = await make("webhooks/endpoints", url=URL)
    path = f"/v1/webhooks/endpoints/{endpoint['id']}"
    for _ in range(3):
        await client.post(f"{path}/test", json={})
    await client.patch(path, json={"is_enabled": False})
    newest, middle, _ = await messages(client, status="failed")
    await client.patch(path, json={"is_enabled": True})

    async with sending():
        count = await client.post(f"{path}/recover", json={"since": middle["created_at"]})
        carried = await courier.until(lambda carried: len(carried) == 2)

    assert count.json() == {"count": 2}
    assert {one.message_id for one in carried} == {newest["id"], middle["id"]}
    assert len(await messages(client, status="failed")) == 1
    assert len(await messages(client, status="delivered", endpoint_id=endpoint["id"])) == 2


@pytest.mark.parametrize(("action", "body"), [("test", {}), ("recover", {"since": "2029-01-01T00:00:00Z"})])
async def test_nothing_is_sent_to_an_endpoint_that_is_disabled(
    client: httpx.AsyncClient, make: Make, action: str, body: dict[str, Any]
) -> None:
    path = f"/v1/webhooks/endpoints/{(await make('webhooks/endpoints', url=URL))['id']}"
    await client.patch(path, json={"is_enabled": False})

    answer = await client.post(f"{path}/{action}", json=body)

    assert answer.status_code == 409
    assert "is disabled" in answer.json()["detail"]


async def test_an_endpoint_that_is_gone_is_disabled_and_others_are_told(
    client: httpx.AsyncClient, make: Make, sending: Any, courier: ScriptedCourier
) -> None:
    def respond(message: Carried) -> Any:
        return an_answer(410 if message.url == URL else 204)

    courier.respond = respond
    gone = await make("webhooks/endpoints", url=URL)
    other = await make("webhooks/endpoints", url=URL + "/2", event_types=["webhook_endpoint_disabled"])

    async with sending():
        await client.post(f"/v1/webhooks/endpoints/{gone['id']}/test", json={})
        *_, told = await courier.until(lambda carried: len(carried) == 2)

    endpoint = (await client.get(f"/v1/webhooks/endpoints/{gone['id']}")).json()
    payload = httpx.Response(200, content=told.body).json()
    assert (endpoint["is_enabled"], endpoint["disabled_reason"]) == (False, "gone")
    assert told.url == other["url"]
    assert (payload["endpoint_id"], payload["reason"]) == (gone["id"], "gone")


async def test_a_deleted_run_takes_what_was_told_of_it_along(
    client: httpx.AsyncClient, make: Make, sending: Any, courier: ScriptedCourier
) -> None:
    await make("webhooks/endpoints", url=URL)
    run = await ended_run(client, make)

    await client.delete(f"/v1/runs/{run['id']}")  # before anything was sent
    async with sending():
        [carried] = await courier.until(lambda carried: len(carried) == 1)
    told = await ended_run(client, make)
    async with sending():
        await courier.until(lambda carried: len(carried) == 2)
    await client.delete(f"/v1/runs/{told['id']}")

    assert httpx.Response(200, content=carried.body).json()["run"]["id"] == run["id"]
    assert [message["id"] for message in await messages(client)] == [carried.message_id]


async def test_a_run_that_is_started_over_is_told_as_it_was_and_again(
    client: httpx.AsyncClient, make: Make, sending: Any, courier: ScriptedCourier
) -> None:
    await make("webhooks/endpoints", url=URL)
    run = await ended_run(client, make)
    await client.post(f"/v1/runs/{run['id']}/retry", json={"input_values": {"x": "2"}})
    await client.patch(f"/v1/runs/{run['id']}", json={"status": "error"})

    async with sending():
        carried = await courier.until(lambda carried: len(carried) == 2)

    runs = [httpx.Response(200, content=one.body).json()["run"] for one in carried]
    told = {(one["status"], one["input_values"]["x"]) for one in runs}
    assert told == {("cancelled", "1"), ("error", "2")}
    assert len({one.message_id for one in carried}) == 2


async def test_a_workflow_without_webhooks_tells_nothing(client: httpx.AsyncClient, make: Make) -> None:
    await make("webhooks/endpoints", url=URL)

    await ended_run(client, make, is_webhooks_enabled=False)

    assert await messages(client) == []


@pytest.mark.parametrize(
    "path",
    [
        "GET endpoints/{}",
        "PATCH endpoints/{}",
        "DELETE endpoints/{}",
        "GET endpoints/{}/secret",
        "POST endpoints/{}/rotate",
        "POST endpoints/{}/test",
        "POST endpoints/{}/recover",
        "GET messages/{}",
        "GET messages/{}/attempts",
        "POST messages/{}/replay",
    ],
)
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    method, _, rest = path.partition(" ")
    body = {"json": {"since": "2029-01-01T00:00:00Z"}} if method in ("POST", "PATCH") else {}

    answer = await client.request(method, f"/v1/webhooks/{rest.format(uuid4())}", **body)

    assert answer.status_code == 404
