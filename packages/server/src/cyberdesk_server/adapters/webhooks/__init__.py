"""Carrying messages to the endpoints of webhooks."""

from cyberdesk_server.adapters.webhooks.courier import HttpCourier

__all__ = ["HttpCourier"]
