"""Files by key: screenshots and attachments."""

from cyberdesk_server.adapters.blobs.links import SignedLinks
from cyberdesk_server.adapters.blobs.objects import LocalBlobs

__all__ = ["LocalBlobs", "SignedLinks"]
