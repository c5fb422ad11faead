"""The images organizations have uploaded for their prompts."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.prompt_images import PromptImage
from cyberdesk_server.store.tables import prompt_images


async def get_many(
    conn: AsyncConnection, organization_id: OrganizationId, blob_keys: Collection[str]
) -> Mapping[str, PromptImage]:
    """Those of the images that the organization has, by key."""
    rows = await conn.execute(
        select(prompt_images).where(
            prompt_images.c.organization_id == organization_id, prompt_images.c.blob_key.in_(blob_keys)
        )
    )
    return {row.blob_key: _image(row) for row in rows}


async def named(conn: AsyncConnection, blob_keys: Collection[str]) -> frozenset[str]:
    """Those of the contents that images have."""
    rows = await conn.execute(select(prompt_images.c.blob_key).where(prompt_images.c.blob_key.in_(blob_keys)))
    return frozenset(rows.scalars())


async def of_organization(conn: AsyncConnection, organization_id: OrganizationId) -> tuple[PromptImage, ...]:
    """All images, newest first."""
    rows = await conn.execute(
        select(prompt_images)
        .where(prompt_images.c.organization_id == organization_id)
        .order_by(prompt_images.c.created_at.desc(), prompt_images.c.blob_key)
    )
    return tuple(_image(row) for row in rows)


async def add(conn: AsyncConnection, image: PromptImage) -> None:
    """Write a new image, whose blob is stored already."""
    await conn.execute(
        prompt_images.insert(), {column.name: getattr(image, column.name) for column in prompt_images.c}
    )


async def delete(conn: AsyncConnection, organization_id: OrganizationId, blob_key: str) -> bool:
    """Forget the image; False when the organization has no such image."""
    gone = await conn.execute(
        prompt_images.delete().where(
            prompt_images.c.organization_id == organization_id, prompt_images.c.blob_key == blob_key
        )
    )
    return gone.rowcount == 1


def _image(row: Row[Any]) -> PromptImage:
    return PromptImage(**row._mapping)
