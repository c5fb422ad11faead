"""Pictures: cut, and loaded for a prompt."""

import base64

import pytest
from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.executor.pictures import cropped, prompt_pictures
from cyberdesk_server.testing.ports import MemoryBlobs, a_screenshot

OURS = OrganizationId("org_1")


def test_a_crop_has_the_size_of_its_box() -> None:
    part = cropped(a_screenshot(size=Size(40, 30)), Box(10, 5, 30, 20))

    assert part.size == Size(20, 15)
    assert part.png.startswith(b"\x89PNG")
    assert len(part.digest) == 64


async def test_the_pictures_of_a_prompt_are_loaded_by_their_source() -> None:
    blobs = MemoryBlobs()
    await blobs.put("workflow-prompt-images/org_1/prompt-assets/a.png", b"A", content_type="image/png")
    inline = "data:image/png;base64," + base64.b64encode(b"B").decode()
    stored = "supabase://workflow-prompt-images/org_1/prompt-assets/a.png"

    pictures = await prompt_pictures(
        f'<p>Click <img src="{stored}"> then <img src="{inline}"></p>', blobs, OURS
    )

    assert pictures == {stored: b"A", inline: b"B"}


@pytest.mark.parametrize(
    "source",
    [
        "supabase://workflow-prompt-images/org_2/prompt-assets/a.png",
        "supabase://workflow-prompt-images/org_1/../org_2/prompt-assets/a.png",
        "supabase://run-images/message-history/org_2/a.png",
        "supabase://workflow-prompt-images/org_1/gone.png",
        "https://elsewhere.example/a.png",
        "data:image/png;base64,%%%",
    ],
)
async def test_a_picture_that_is_not_the_organizations_is_not_loaded(source: str) -> None:
    """Invariant 8."""
    blobs = MemoryBlobs()
    await blobs.put(source.removeprefix("supabase://"), b"A", content_type="image/png")
    await blobs.delete("workflow-prompt-images/org_1/gone.png")

    assert await prompt_pictures(f'<p>Click <img src="{source}"></p>', blobs, OURS) == {}
