"""Live views over HTTP."""

import base64
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from cyberdesk_server.api.app import create_app
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.schemas.web_sessions import CyberdriverWebSessionResponse
from cyberdesk_server.domain.ids import MachineId, OrganizationId
from cyberdesk_server.domain.web_sessions import Relay
from cyberdesk_server.testing.rows import a_machine

Make = Callable[..., Awaitable[dict[str, Any]]]
RELAY = Relay("https://desk.example/hbbs", "https://desk.example/hbbr", "public", b"k" * 32)
OWN = {"Authorization": "Bearer cd_own"}


@pytest.fixture
def viewer(parts: Parts) -> httpx.AsyncClient:
    """A client of a server whose operator runs a relay."""
    transport = httpx.ASGITransport(create_app(replace(parts, relay=RELAY)))
    return httpx.AsyncClient(transport=transport, base_url="http://server", headers=OWN)


async def a_peer(parts: Parts, **fields: Any) -> MachineId:
    async with parts.database.transaction() as conn:
        return (await a_machine(conn, OrganizationId("org_own"), peer_id="123 456", **fields)).id


def address(machine_id: object) -> str:
    return f"/v1/machines/{machine_id}/cyberdriver/web-session"


def read(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


async def test_a_browser_learns_where_to_meet_the_driver(viewer: httpx.AsyncClient, parts: Parts) -> None:
    machine_id = await a_peer(parts, name="Front desk")

    response = await viewer.post(address(machine_id))

    assert response.status_code == 200
    session = response.json()
    assert session == {
        "machine_id": str(machine_id),
        "rustdesk_peer_id": "123 456",
        "desktop_label": "Front desk",
        "selected_organization_id": "org_own",
        "token": session["token"],
        "expires_at": session["expires_at"],
        "mode": "relay",
        "endpoints": {"hbbs_url": RELAY.hbbs_url, "hbbr_url": RELAY.hbbr_url},
        "public_key": "public",
        "features": {},
    }
    assert set(session) == set(CyberdriverWebSessionResponse.model_fields)


async def test_the_token_is_signed_and_short_lived(viewer: httpx.AsyncClient, parts: Parts) -> None:
    machine_id = await a_peer(parts)

    session = (await viewer.post(address(machine_id))).json()

    head, claims, signature = session["token"].split(".")
    mac = hmac.digest(b"k" * 32, f"{head}.{claims}".encode(), "sha256")
    assert read(head) == {"alg": "HS256", "typ": "JWT"}
    assert signature == base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    told = read(claims)
    assert told == {
        "sub": "123 456",
        "machine_id": str(machine_id),
        "organization_id": "org_own",
        "iat": told["iat"],
        "exp": session["expires_at"],
    }
    assert told["exp"] - told["iat"] == 300


async def test_without_a_relay_there_is_no_live_view(client: httpx.AsyncClient, parts: Parts) -> None:
    machine_id = await a_peer(parts)

    answer = await client.post(address(machine_id), headers={"Idempotency-Key": "k"})

    assert answer.status_code == 501
    assert "web_session_hbbs_url" in answer.json()["detail"]


async def test_a_relay_that_came_later_is_found_under_the_same_key(
    client: httpx.AsyncClient, viewer: httpx.AsyncClient, parts: Parts
) -> None:
    """Invariant 7: a 5xx is not remembered."""
    machine_id, key = await a_peer(parts), {"Idempotency-Key": "k"}

    before = await client.post(address(machine_id), headers=key)
    after = await viewer.post(address(machine_id), headers=key)

    assert [before.status_code, after.status_code] == [501, 200]


async def test_a_driver_without_live_views_has_none(viewer: httpx.AsyncClient, make: Make) -> None:
    machine = await make("machines")

    answer = await viewer.post(address(machine["id"]))

    assert answer.status_code == 409
    assert "no live views" in answer.json()["detail"]


def test_the_signing_key_is_in_no_repr() -> None:
    assert "kkk" not in repr(RELAY)
