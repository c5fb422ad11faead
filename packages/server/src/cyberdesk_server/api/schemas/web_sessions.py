"""Live views."""

from uuid import UUID

from cyberdesk_server.api.schemas.common import Model


class CyberdriverWebSessionEndpoints(Model):
    hbbs_url: str
    """Where the rendezvous of live views is."""

    hbbr_url: str
    """Where the relay of live views is."""


class CyberdriverWebSessionResponse(Model):
    machine_id: UUID
    """The machine that is shown."""

    rustdesk_peer_id: str
    """By what its driver is known at the relay."""

    desktop_label: str
    """What people call the machine: its name, its host name, or its id."""

    selected_organization_id: str
    """The organization that owns the machine."""

    token: str
    """What opens the view: a signed JSON Web Token for five minutes."""

    expires_at: int
    """Until when the token is valid, in seconds since 1970."""

    mode: str
    """How the two sides meet; always `relay`."""

    endpoints: CyberdriverWebSessionEndpoints
    """Where rendezvous and relay are."""

    public_key: str
    """The public key of the rendezvous."""

    features: dict[str, bool]
    """What the view can do besides; empty today."""
