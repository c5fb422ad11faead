"""Cyberdesk's desktop driver: joins a machine's screen, keyboard and mouse to a server."""

__version__ = "2.0.0"

__all__ = ["__version__"]
