"""Live tunnels: the socket of every connected driver, and the questions that go through it."""

from cyberdesk_server.gateway.gateway import Gateway
from cyberdesk_server.gateway.websocket import TunnelWebSocketProtocol

__all__ = ["Gateway", "TunnelWebSocketProtocol"]
