"""Files as base64 text inside JSON: never copied whole, but read where they stand and decoded in pieces."""

import binascii
import re
from collections.abc import Iterator

Buffer = bytes | bytearray | memoryview

PIECE_CHARACTERS = 1024 * 1024
"""Divisible by four, so that the pieces of a text decode to the pieces of its content."""

LONG_TEXT_CHARACTERS = 64 * 1024
"""Shorter texts are left where they are: copying them costs less than cutting them out."""

MEMBER = b'"content"'
"""The member that holds a file, in requests of callers and in answers of drivers alike."""

_BEGINNING_OF_TEXT = re.compile(rb'\s*:\s*"')


class NotBase64(ValueError):
    """The text is no base64 (RFC 4648, section 4, with padding and without line breaks)."""


class Base64Text:
    """A file as text. It is read where it stands: its buffer stays in use as long as this is."""

    def __init__(self, text: str | Buffer) -> None:
        """Raises `NotBase64` for characters outside ASCII and for lengths that no base64 has."""
        try:
            self._text = memoryview(text.encode("ascii") if isinstance(text, str) else text)
        except UnicodeEncodeError:
            raise NotBase64("is not base64: it holds characters outside ASCII") from None
        if len(self._text) % 4:
            raise NotBase64("is not base64: its length is not divisible by four")

    @property
    def size_bytes(self) -> int:
        """Of the content, told from the length and the padding of the text."""
        return len(self._text) // 4 * 3 - bytes(self._text[-2:]).count(b"=")

    def decoded(self) -> Iterator[bytes]:
        """The content in pieces of at most 768 KiB. Raises `NotBase64` where it is none."""
        is_over = False
        for start in range(0, len(self._text), PIECE_CHARACTERS):
            if is_over:
                raise NotBase64("is not base64: it has padding before its end")
            try:
                piece = binascii.a2b_base64(self._text[start : start + PIECE_CHARACTERS], strict_mode=True)
            except binascii.Error as error:
                raise NotBase64(f"is not base64: {error}") from None
            is_over = len(piece) < PIECE_CHARACTERS // 4 * 3
            yield piece

    def as_text(self) -> str:
        """A copy. What is no UTF-8 in it is replaced."""
        return str(self._text, "utf-8", "replace")


def cut_out(document: bytes | bytearray) -> tuple[bytes | bytearray, dict[str, Base64Text]]:
    """A JSON document with marks for the long texts of its `content` members, and the texts by mark.

    The texts stay in the document's buffer. A mark begins with NUL, which no text of a caller may hold.
    A text whose length no base64 has stays in the document, and so does one with a backslash in it.
    """
    if len(document) < LONG_TEXT_CHARACTERS:
        return document, {}
    view = memoryview(document)
    pieces: list[Buffer] = []
    texts: dict[str, Base64Text] = {}
    done = 0
    for start, end in _long_texts(document):
        pieces += [view[done:start], rb"\u0000%d" % len(texts)]
        texts[f"\0{len(texts)}"] = Base64Text(view[start:end])
        done = end
    return b"".join([*pieces, view[done:]]) if texts else document, texts


def _long_texts(document: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Where they begin and end, without their quotes."""
    found = document.find(MEMBER)
    while found >= 0:
        end = found + len(MEMBER)
        # Behind a backslash the quote is part of a text that only ends like the member's name.
        is_name = document[found - 1 : found] != b"\\"
        if is_name and (beginning := _BEGINNING_OF_TEXT.match(document, end)):
            start = beginning.end()
            end = document.find(b'"', start)
            if end < 0:
                return
            is_plain = document.find(b"\\", start, end) < 0
            if is_plain and end - start >= LONG_TEXT_CHARACTERS and (end - start) % 4 == 0:
                yield start, end
        found = document.find(MEMBER, end)
