"""How callers name a stored file: blob `K` is `supabase://K` to them, whatever the blob store is."""

from cyberdesk_server.domain.ids import OrganizationId

SCHEME = "supabase://"


def address_of(blob_key: str) -> str:
    return SCHEME + blob_key


def blob_key_of(address: str) -> str:
    """The blob's key; an address of another scheme names no blob of ours and comes back as it is."""
    return address.removeprefix(SCHEME)


def history_image_key(organization_id: OrganizationId, name: str) -> str:
    """The key of a picture in the histories of an organization's runs."""
    return f"run-images/message-history/{organization_id}/{name}"


def is_history_image(address: str, organization_id: OrganizationId) -> bool:
    """True for the address of a picture in the histories of this organization's runs."""
    folder = address_of(history_image_key(organization_id, ""))
    return address.startswith(folder) and "/" not in address[len(folder) :]
