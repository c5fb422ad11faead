"""The two ends of the tunnel as state machines: frames in, events out, no exception for what came in."""

from collections.abc import Sequence

from cyberdesk_wire.errors import (
    DuplicateRequest,
    MessageTooLarge,
    ProtocolError,
    TooManyRequests,
    UnknownRequest,
)
from cyberdesk_wire.framing import Assembler, Frame, frames
from cyberdesk_wire.limits import Limits
from cyberdesk_wire.messages import Request, Response
from cyberdesk_wire.meta import check_request, check_response, read_request, read_response

_USUAL_LIMITS = Limits()


class DriverSide:
    """The driver's end: receives requests, sends each one response, in any order.

    A request that is refused with its id known (a bad header, too many at a time, too large) may be answered
    too, so that the server need not wait for its deadline. A superseded one is forgotten, as by every driver.
    """

    def __init__(self, limits: Limits = _USUAL_LIMITS) -> None:
        self._limits = limits
        self._waiting: set[str] = set()
        self._refused: dict[str, None] = {}
        self._assembler = Assembler[Request](self._parse, self._admit, limits.max_message_bytes)

    @property
    def outstanding(self) -> int:
        """Requests that were received whole and not answered yet."""
        return len(self._waiting)

    def receive(self, frame: Frame) -> list[Request | ProtocolError]:
        """The requests this frame completes and the mistakes it shows, in order."""
        events = self._assembler.receive(frame)
        for event in events:
            match event:
                case Request():
                    self._waiting.add(event.request_id)
                case MessageTooLarge(request_id=str(request_id)):
                    self._note_refusal(request_id)
        return events

    def send(self, response: Response) -> list[Frame] | ProtocolError:
        """The frames of this response, to be sent in one go; afterwards its request is answered.

        An error leaves the request unanswered.
        """
        if response.request_id not in self._waiting and response.request_id not in self._refused:
            return UnknownRequest(response.request_id)
        framed = check_response(response, self._limits) or _framed(response, self._limits)
        if not isinstance(framed, ProtocolError):
            self._waiting.discard(response.request_id)
            self._refused.pop(response.request_id, None)
        return framed

    def _parse(self, text: str) -> Request | ProtocolError:
        parsed = read_request(text, self._limits)
        if isinstance(parsed, ProtocolError) and parsed.request_id and parsed.request_id not in self._waiting:
            self._note_refusal(parsed.request_id)
        return parsed

    def _admit(self, request: Request) -> Sequence[ProtocolError] | None:
        if request.request_id in self._waiting:
            return [DuplicateRequest(request.request_id)]
        if len(self._waiting) >= self._limits.max_outstanding_requests:
            self._note_refusal(request.request_id)
            return [TooManyRequests(request.request_id, self._limits.max_outstanding_requests)]
        return None

    def _note_refusal(self, request_id: str) -> None:
        self._refused[request_id] = None
        _keep_newest(self._refused, self._limits.max_outstanding_requests)


class ServerSide:
    """The server's end: sends requests and hands out their responses, which may come in any order.

    An event that carries the id of a waiting request, response or error, ends its wait.
    """

    def __init__(self, limits: Limits = _USUAL_LIMITS) -> None:
        self._limits = limits
        self._waiting: set[str] = set()
        self._abandoned: dict[str, None] = {}
        self._assembler = Assembler[Response](self._parse, self._admit, limits.max_message_bytes)

    @property
    def outstanding(self) -> int:
        """Requests somebody still waits for."""
        return len(self._waiting)

    def send(self, request: Request) -> list[Frame] | ProtocolError:
        """The frames of this request, to be sent in one go; afterwards its answer is outstanding.

        An error changes nothing.
        """
        if request.request_id in self._waiting or request.request_id in self._abandoned:
            return DuplicateRequest(request.request_id)
        if len(self._waiting) >= self._limits.max_outstanding_requests:
            return TooManyRequests(request.request_id, self._limits.max_outstanding_requests)
        framed = check_request(request, self._limits) or _framed(request, self._limits)
        if not isinstance(framed, ProtocolError):
            self._waiting.add(request.request_id)
        return framed

    def receive(self, frame: Frame) -> list[Response | ProtocolError]:
        """The responses this frame completes and the mistakes it shows, in order."""
        return [event for event in self._assembler.receive(frame) if self._is_news(event)]

    def abandon(self, request_id: str) -> None:
        """Stop waiting for this answer; if it comes late it is dropped without a word."""
        if request_id in self._waiting:
            self._waiting.discard(request_id)
            self._abandoned[request_id] = None
            _keep_newest(self._abandoned, 4 * self._limits.max_outstanding_requests)

    def _parse(self, text: str) -> Response | ProtocolError:
        return read_response(text, self._limits)

    def _admit(self, response: Response) -> Sequence[ProtocolError] | None:
        if response.request_id in self._waiting:
            return None
        if response.request_id in self._abandoned:
            del self._abandoned[response.request_id]
            return []
        return [UnknownRequest(response.request_id)]

    def _is_news(self, event: Response | ProtocolError) -> bool:
        if event.request_id is None:
            return True
        if event.request_id in self._abandoned:
            del self._abandoned[event.request_id]
            return False
        self._waiting.discard(event.request_id)
        return True


def _framed(message: Request | Response, limits: Limits) -> list[Frame] | MessageTooLarge:
    if len(message.body) > limits.max_message_bytes:
        return MessageTooLarge(message.request_id, "body", limits.max_message_bytes)
    framed = list(frames(message))
    if len(framed[0]) > limits.max_meta_bytes:
        return MessageTooLarge(message.request_id, "meta", limits.max_meta_bytes)
    return framed


def _keep_newest(ids: dict[str, None], count: int) -> None:
    while len(ids) > count:
        del ids[next(iter(ids))]
