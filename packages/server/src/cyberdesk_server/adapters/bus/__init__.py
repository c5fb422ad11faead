"""Wake-ups and questions between the server's parts."""

from cyberdesk_server.adapters.bus.in_process import InProcessBus

__all__ = ["InProcessBus"]
