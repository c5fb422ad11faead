"""Pictures in prompts: what may be one, and how it is named.

An image is the blob `workflow-prompt-images/<organization>/prompt-assets/<file>`. A prompt shows it by its
address, `<img src="supabase://workflow-prompt-images/…">`; its *path* is the key without the first part.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cyberdesk_server.domain.addresses import SCHEME, address_of, blob_key_of
from cyberdesk_server.domain.ids import OrganizationId

BUCKET = "workflow-prompt-images"
MAX_BYTES = 10 * 1024 * 1024
MAX_NAME_LENGTH = 100

ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}
"""The endings of the content types that may be shown."""


@dataclass(frozen=True, slots=True)
class PromptImage:
    blob_key: str
    organization_id: OrganizationId
    filename: str
    content_type: str
    size_bytes: int
    created_at: datetime

    @property
    def address(self) -> str:
        return address_of(self.blob_key)

    @property
    def path(self) -> str:
        return self.blob_key.removeprefix(f"{BUCKET}/")


def content_type_of(content: bytes) -> str | None:
    """What the content is, told by its first bytes; None when it is no image that may be shown."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def image_name(filename: str, content_type: str) -> str:
    """The last part of a path as a name for addresses and HTML, with the ending of what it really is."""
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    stem = last.rpartition(".")[0] or last
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-")
    ending = ENDINGS[content_type]
    return (plain or "image")[: MAX_NAME_LENGTH - len(ending)] + ending


def image_key(organization_id: OrganizationId, unique: str, name: str) -> str:
    """The blob's key; `unique` keeps an image of the same name from taking the place of another."""
    return f"{_folder(organization_id)}prompt-assets/{unique}-{name}"


def own_key(path: str, organization_id: OrganizationId) -> str | None:
    """The key of an image of the organization by its address, key or path; None for what is not its own."""
    key = blob_key_of(path)
    if not key.startswith(f"{BUCKET}/"):
        key = f"{BUCKET}/{key}"
    is_own = key.startswith(_folder(organization_id)) and ".." not in key.split("/")
    return key if is_own else None


def is_own_address(address: str, organization_id: OrganizationId) -> bool:
    """True for what a prompt of the organization may show as its image."""
    key = blob_key_of(address)
    return key != address and own_key(key, organization_id) == key


def addresses_in(text: str, organization_id: OrganizationId) -> tuple[str, ...]:
    """The addresses of the organization's images in a prompt, each once."""
    return tuple(dict.fromkeys(_addresses(organization_id).findall(text)))


def readdressed(text: str, organization_id: OrganizationId, new: Mapping[str, str]) -> str:
    """The prompt with the new addresses of its images, by the old ones; others stay."""
    return _addresses(organization_id).sub(lambda found: new.get(found.group(), found.group()), text)


def _folder(organization_id: OrganizationId) -> str:
    return f"{BUCKET}/{organization_id}/"


def _addresses(organization_id: OrganizationId) -> re.Pattern[str]:
    return re.compile(re.escape(SCHEME + _folder(organization_id)) + r"[\w./-]*\w")
