"""What may be an image of a prompt, and how images are named."""

import pytest
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.prompt_images import (
    ENDINGS,
    MAX_NAME_LENGTH,
    addresses_in,
    content_type_of,
    image_key,
    image_name,
    is_own_address,
    own_key,
    readdressed,
)
from hypothesis import given
from hypothesis import strategies as st

OURS = OrganizationId("org_1")
KEY = "workflow-prompt-images/org_1/prompt-assets/1-a.png"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0...", "image/jpeg"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"RIFF....WAVEfmt ", None),
        (b"<svg onload='x()'>", None),
        (b"", None),
    ],
)
def test_an_image_is_told_by_its_content(content: bytes, content_type: str | None) -> None:
    assert content_type_of(content) == content_type


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("Save button.PNG", "Save-button.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\pictures\\a.b.jpg", "a-b.png"),
        ('"><script>.png', "script.png"),
        ("", "image.png"),
        (".png", "png.png"),
        ("żółw", "w.png"),
    ],
)
def test_a_name_is_plain_and_ends_like_the_content(filename: str, name: str) -> None:
    assert image_name(filename, "image/png") == name


@given(st.text(), st.sampled_from(sorted(ENDINGS)))
def test_every_name_makes_an_address_that_prompts_can_hold(filename: str, content_type: str) -> None:
    name = image_name(filename, content_type)
    address = "supabase://" + image_key(OURS, "1f", name)

    assert len(name) <= MAX_NAME_LENGTH
    for prompt in (f'<p>Click <img src="{address}"></p>', f"Look at {address}. Then go on", address):
        assert addresses_in(prompt, OURS) == (address,)
    assert own_key(address, OURS) == image_key(OURS, "1f", name)


def test_an_image_has_an_address_a_key_and_a_path() -> None:
    path = "org_1/prompt-assets/1-a.png"

    assert {own_key(text, OURS) for text in (f"supabase://{KEY}", KEY, path)} == {KEY}


def test_only_a_whole_address_is_one() -> None:
    path = "org_1/prompt-assets/1-a.png"

    assert is_own_address(f"supabase://{KEY}", OURS)
    assert not any(is_own_address(text, OURS) for text in (KEY, path, f"supabase://{path}"))


@pytest.mark.parametrize(
    "path",
    [
        "supabase://workflow-prompt-images/org_2/prompt-assets/a.png",
        "workflow-prompt-images/org_10/a.png",
        "org_1/../org_2/a.png",
        "run-images/message-history/org_1/a.png",
        "https://elsewhere.example/org_1/a.png",
        "",
    ],
)
def test_what_is_not_the_organizations_has_no_key(path: str) -> None:
    assert own_key(path, OURS) is None


def test_a_prompt_gets_new_addresses_for_its_images_only() -> None:
    other = "supabase://workflow-prompt-images/org_2/prompt-assets/1-a.png"
    longer = f"supabase://{KEY.removesuffix('.png')}.png2"
    prompt = f'<img src="supabase://{KEY}"> {other} {longer} supabase://{KEY}'

    new = readdressed(prompt, OURS, {f"supabase://{KEY}": "supabase://new"})

    assert new == f'<img src="supabase://new"> {other} {longer} supabase://new'
