"""Live tunnels: the socket of every connected driver, and the questions that go through it."""

from cyberdesk_server.gateway.gateway import Gateway
from cyberdesk_server.gateway.liveness import PatientWebSocketProtocol

__all__ = ["Gateway", "PatientWebSocketProtocol"]
