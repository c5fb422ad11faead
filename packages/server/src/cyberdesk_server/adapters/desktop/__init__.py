"""Desktops, reached through the tunnel of their driver."""

from cyberdesk_server.adapters.desktop.tunnel import TunnelDesktop

__all__ = ["TunnelDesktop"]
