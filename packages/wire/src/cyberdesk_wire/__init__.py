"""The tunnel protocol between server and driver, without I/O: frames in, events out.

Each side owns one protocol object per connection, feeds it what the socket delivers and sends the frames it
returns. It never raises for what the other side did: a mistake is a `ProtocolError` value among the events.
"""

from cyberdesk_wire.errors import (
    BadField,
    BadHeader,
    DuplicateRequest,
    MalformedMeta,
    MessageTooLarge,
    MissingField,
    ProtocolError,
    Superseded,
    TooManyRequests,
    UnexpectedBody,
    UnexpectedEnd,
    UnknownRequest,
)
from cyberdesk_wire.framing import Frame, frames
from cyberdesk_wire.limits import Limits
from cyberdesk_wire.messages import Request, Response
from cyberdesk_wire.protocol import DriverSide, ServerSide

__all__ = [
    "BadField",
    "BadHeader",
    "DriverSide",
    "DuplicateRequest",
    "Frame",
    "Limits",
    "MalformedMeta",
    "MessageTooLarge",
    "MissingField",
    "ProtocolError",
    "Request",
    "Response",
    "ServerSide",
    "Superseded",
    "TooManyRequests",
    "UnexpectedBody",
    "UnexpectedEnd",
    "UnknownRequest",
    "frames",
]
