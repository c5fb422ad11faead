"""Messages to frames and back: one meta text, any number of binary frames, the text `end`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from io import SEEK_END, BytesIO
from typing import Generic, TypeVar

from cyberdesk_wire.errors import MessageTooLarge, ProtocolError, Superseded, UnexpectedBody, UnexpectedEnd
from cyberdesk_wire.messages import Request, Response
from cyberdesk_wire.meta import write_meta

Frame = str | bytes
"""One WebSocket message: text or binary."""

END = "end"
DEFAULT_CHUNK_BYTES = 256 * 1024

Message = TypeVar("Message", Request, Response)


def frames(message: Request | Response, *, chunk_bytes: int = DEFAULT_CHUNK_BYTES) -> Iterator[Frame]:
    """The frames of this message, to be sent without another message's frames in between.

    The message is taken as it is: `DriverSide.send` and `ServerSide.send` are the ones that judge it.
    """
    yield write_meta(message)
    body = message.body
    if len(body) <= chunk_bytes:
        if body:
            yield body
    else:
        for start in range(0, len(body), chunk_bytes):
            yield body[start : start + chunk_bytes]
    yield END


class Assembler(Generic[Message]):
    """Puts frames together again.

    `parse` reads a meta text. `admit` sees each message when its meta is there and no body is kept yet: None
    lets it pass; a sequence skips it and reports what is in it, which may be nothing.
    A wrong message is reported once, at the earliest frame that shows it, and the rest of it is skipped.
    """

    def __init__(
        self,
        parse: Callable[[str], Message | ProtocolError],
        admit: Callable[[Message], Sequence[ProtocolError] | None],
        max_body_bytes: int,
    ) -> None:
        self._parse: Callable[[str], Message | ProtocolError] = parse
        self._admit: Callable[[Message], Sequence[ProtocolError] | None] = admit
        self._max_body_bytes = max_body_bytes
        self._head: Message | None = None
        self._body = _Body()
        self._is_skipping = False

    def receive(self, frame: Frame) -> list[Message | ProtocolError]:
        """What this frame completes or breaks; usually nothing."""
        if isinstance(frame, str):
            return self._end() if frame == END else self._begin(frame)
        return self._extend(frame)

    def _begin(self, text: str) -> list[Message | ProtocolError]:
        events: list[Message | ProtocolError] = []
        if self._head is not None:
            events.append(Superseded(self._head.request_id))
        self._head, self._body = None, _Body()
        parsed = self._parse(text)
        if isinstance(parsed, ProtocolError):
            self._is_skipping = True
            events.append(parsed)
            return events
        objections = self._admit(parsed)
        self._is_skipping = objections is not None
        if objections is None:
            self._head = parsed
        else:
            events.extend(objections)
        return events

    def _extend(self, chunk: bytes) -> list[Message | ProtocolError]:
        if self._is_skipping:
            return []
        if self._head is None:
            return [UnexpectedBody(None)]
        if self._body.size_bytes + len(chunk) > self._max_body_bytes:
            too_large = MessageTooLarge(self._head.request_id, "body", self._max_body_bytes)
            self._head, self._body, self._is_skipping = None, _Body(), True
            return [too_large]
        self._body.append(chunk)
        return []

    def _end(self) -> list[Message | ProtocolError]:
        head, body, was_skipping = self._head, self._body, self._is_skipping
        self._head, self._body, self._is_skipping = None, _Body(), False
        if head is not None:
            return [replace(head, body=body.take())]
        return [] if was_skipping else [UnexpectedEnd(None)]


class _Body:
    """The bytes so far, each there once: a published driver sends 134 MB in one frame, ours in many.

    `BytesIO` grows in place, and hands out what it was begun with or has gathered without copying it.
    """

    def __init__(self) -> None:
        self._gathered = BytesIO()
        self.size_bytes = 0

    def append(self, chunk: bytes) -> None:
        if self.size_bytes:
            self._gathered.write(chunk)
        else:
            self._gathered = BytesIO(chunk)
            self._gathered.seek(0, SEEK_END)
        self.size_bytes += len(chunk)

    def take(self) -> bytes:
        return self._gathered.getvalue()
