"""Live views."""

from uuid import UUID

from cyberdesk_server.api.schemas.common import Model


class CyberdriverWebSessionEndpoints(Model):
    hbbs_url: str
    hbbr_url: str


class CyberdriverWebSessionResponse(Model):
    machine_id: UUID
    rustdesk_peer_id: str
    desktop_label: str
    selected_organization_id: str
    token: str
    expires_at: int
    mode: str
    endpoints: CyberdriverWebSessionEndpoints
    public_key: str
    features: dict[str, bool]
