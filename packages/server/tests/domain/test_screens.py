"""What the head of a picture tells."""

import pytest
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.screens import png_size
from cyberdesk_server.testing.ports import a_screenshot


def test_a_png_tells_its_size() -> None:
    assert png_size(a_screenshot("x", size=Size(1024, 768)).png) == Size(1024, 768)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(40)])
def test_what_is_no_png_tells_none(content: bytes) -> None:
    assert png_size(content) is None
