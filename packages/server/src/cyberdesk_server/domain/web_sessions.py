"""A live view of a machine in a browser: what a client needs to meet the machine's driver at the relay.

The server takes no part in the view. Its operator runs the rendezvous and the relay (RustDesk's hbbs and
hbbr), and the token is for whatever guards them: a JSON Web Token, signed with HS256.
"""

import base64
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.refusals import NoLiveView

LIFE = timedelta(minutes=5)
"""How long a token is good for."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Where a live view meets, as the operator has set it."""

    hbbs_url: str
    hbbr_url: str
    public_key: str
    """Of the relay; clients check it."""

    signing_key: bytes = field(repr=False)
    """What the relay's guard checks tokens with."""


@dataclass(frozen=True, slots=True)
class WebSession:
    machine: Machine
    peer_id: str
    relay: Relay
    token: str = field(repr=False)
    expires_at: datetime


def open_web_session(relay: Relay, machine: Machine, *, now: datetime) -> WebSession:
    """A session of this machine. Raises `NoLiveView` when its driver has told no id of a peer."""
    if machine.peer_id is None:
        raise NoLiveView(machine.id)
    expires_at = now + LIFE
    claims: dict[str, str | int] = {
        "sub": machine.peer_id,
        "machine_id": str(machine.id),
        "organization_id": machine.organization_id,
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
    }
    return WebSession(machine, machine.peer_id, relay, _signed(claims, relay.signing_key), expires_at)


def _signed(claims: dict[str, str | int], key: bytes) -> str:
    """RFC 7519 with RFC 7515's compact form."""
    signed = ".".join(
        _base64url(json.dumps(part, separators=(",", ":")).encode())
        for part in ({"alg": "HS256", "typ": "JWT"}, claims)
    )
    return f"{signed}.{_base64url(hmac.digest(key, signed.encode(), 'sha256'))}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
