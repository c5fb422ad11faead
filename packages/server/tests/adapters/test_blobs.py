"""Blobs: the folder and the dict behave alike."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from cyberdesk_server.adapters.blobs import LocalBlobs, SignedLinks
from cyberdesk_server.ports import BlobMissing, Blobs
from cyberdesk_server.testing.ports import ManualClock, MemoryBlobs
from hypothesis import given
from hypothesis import strategies as st

KEY = "run-images/message-history/org_1/3f.png"


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(blobs: Blobs, key: str, *, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in blobs.read(key, start=start, end=end)])


def links(clock: ManualClock) -> SignedLinks:
    return SignedLinks(b"k" * 32, public_url="https://desk.example", clock=clock)


@pytest.fixture(params=["folder", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return (
        LocalBlobs(tmp_path / "blobs", links(ManualClock())) if request.param == "folder" else MemoryBlobs()
    )


class TestBlobs:
    async def test_what_was_put_is_got(self, blobs: Blobs) -> None:
        await blobs.put(KEY, b"png", content_type="image/png")

        assert await blobs.get(KEY) == b"png"

    async def test_putting_again_changes_nothing(self, blobs: Blobs) -> None:
        await blobs.put(KEY, b"png", content_type="image/png")
        await blobs.put(KEY, b"png", content_type="image/png")

        assert await blobs.get(KEY) == b"png"

    @pytest.mark.parametrize("name", ["report #1.txt", "report#1", "100%", "100%25", "łóżko.png"])
    async def test_a_key_may_hold_any_name(self, blobs: Blobs, name: str) -> None:
        await blobs.put(f"files/{name}", name.encode(), content_type="text/plain")

        assert await blobs.get(f"files/{name}") == name.encode()

    async def test_an_empty_blob_is_a_blob(self, blobs: Blobs) -> None:
        await blobs.put(KEY, b"", content_type="text/plain")

        assert await blobs.get(KEY) == b""

    async def test_a_missing_blob_is_named(self, blobs: Blobs) -> None:
        with pytest.raises(BlobMissing, match=KEY):
            await blobs.get(KEY)

    async def test_a_deleted_blob_is_missing(self, blobs: Blobs) -> None:
        await blobs.put(KEY, b"png", content_type="image/png")
        await blobs.delete(KEY)
        await blobs.delete(KEY)

        with pytest.raises(BlobMissing):
            await blobs.get(KEY)

    async def test_a_stream_is_stored_whole(self, blobs: Blobs) -> None:
        await blobs.put_stream(KEY, pieces(b"a" * 3_000_000, b"b" * 3_000_000), content_type="text/plain")

        assert await blobs.size(KEY) == 6_000_000
        assert await read(blobs, KEY) == await blobs.get(KEY) == b"a" * 3_000_000 + b"b" * 3_000_000

    async def test_an_empty_stream_is_an_empty_blob(self, blobs: Blobs) -> None:
        await blobs.put_stream(KEY, pieces(), content_type="text/plain")

        assert await read(blobs, KEY) == b""

    async def test_of_a_stream_that_breaks_nothing_is_stored(self, blobs: Blobs) -> None:
        async def breaking() -> AsyncIterator[bytes]:
            yield b"a" * 6_000_000
            raise ValueError("broken")

        with pytest.raises(ValueError, match="broken"):
            await blobs.put_stream(KEY, breaking(), content_type="text/plain")

        with pytest.raises(BlobMissing):
            await blobs.get(KEY)

    async def test_a_range_is_read(self, blobs: Blobs) -> None:
        await blobs.put(KEY, b"0123456789", content_type="text/plain")

        assert await read(blobs, KEY, start=2, end=5) == b"234"
        assert await read(blobs, KEY, start=7) == b"789"
        assert await read(blobs, KEY, start=10) == b""

    async def test_a_missing_blob_has_no_size_and_no_pieces(self, blobs: Blobs) -> None:
        with pytest.raises(BlobMissing):
            await blobs.size(KEY)
        with pytest.raises(BlobMissing):
            await read(blobs, KEY)

    async def test_a_link_names_the_blob(self, blobs: Blobs) -> None:
        assert KEY in blobs.signed_url(KEY, expires_in_seconds=60)


async def test_no_key_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    blobs = LocalBlobs(tmp_path / "blobs", links(ManualClock()))

    for key in ("../secret", "a/../../secret", str(tmp_path / "secret")):
        with pytest.raises(BlobMissing):
            await blobs.get(key)


def test_the_folder_is_readable_by_one_user(tmp_path: Path) -> None:
    LocalBlobs(tmp_path / "blobs", links(ManualClock()))

    assert (tmp_path / "blobs").stat().st_mode & 0o777 == 0o700


def _parts(url: str) -> tuple[str, int, str]:
    """Key, expiry and signature of a link."""
    address = urlsplit(url)
    query = parse_qs(address.query)
    key = unquote(address.path).removeprefix("/v1/blobs/")
    return key, int(query["expires"][0]), query["signature"][0]


@given(key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_link_is_valid_until_it_expires(key: str) -> None:
    clock = ManualClock()
    key_read, expires, signature = _parts(links(clock).url(key, expires_in_seconds=60))

    assert key_read == key
    assert links(clock).is_valid(key, expires=expires, signature=signature)
    clock.advance(61)
    assert not links(clock).is_valid(key, expires=expires, signature=signature)


def test_a_link_cannot_be_changed() -> None:
    clock = ManualClock()
    key, expires, signature = _parts(links(clock).url(KEY, expires_in_seconds=60))
    later = expires + int(timedelta(days=1).total_seconds())
    other = SignedLinks(b"o" * 32, public_url="https://desk.example", clock=clock)

    assert not links(clock).is_valid(key, expires=later, signature=signature)
    assert not links(clock).is_valid(key + "x", expires=expires, signature=signature)
    assert not links(clock).is_valid(key, expires=expires, signature="ü" + signature)
    assert not other.is_valid(key, expires=expires, signature=signature)
