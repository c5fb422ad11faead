"""The way to the server: one WebSocket, dialled out, kept up, and read without ever waiting for a command."""

from cyberdriver.tunnel.address import Address, parse_address
from cyberdriver.tunnel.link import Greeting, Link

__all__ = ["Address", "Greeting", "Link", "parse_address"]
