"""Images of prompts, on both databases."""

from dataclasses import replace
from datetime import timedelta

from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.prompt_images import PromptImage, image_key
from cyberdesk_server.store import prompt_images
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, an_organization


def an_image(organization: OrganizationId, name: str) -> PromptImage:
    return PromptImage(image_key(organization, "1", name), organization, name, "image/png", 7, NOON)


async def test_images_are_listed_newest_first(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        older = an_image(organization, "a.png")
        newer = replace(an_image(organization, "b.png"), created_at=NOON + timedelta(seconds=1))
        for image in (older, newer):
            await prompt_images.add(conn, image)

        assert await prompt_images.of_organization(conn, organization) == (newer, older)


async def test_an_image_is_its_organizations_only(database: Database) -> None:
    async with database.transaction() as conn:
        organization, other = await an_organization(conn, "org_1"), await an_organization(conn, "org_2")
        image = an_image(organization, "a.png")
        await prompt_images.add(conn, image)

        assert await prompt_images.get_many(conn, organization, [image.blob_key]) == {image.blob_key: image}
        assert await prompt_images.get_many(conn, other, [image.blob_key]) == {}
        assert await prompt_images.delete(conn, other, image.blob_key) is False
        assert await prompt_images.delete(conn, organization, image.blob_key) is True
        assert await prompt_images.of_organization(conn, organization) == ()
