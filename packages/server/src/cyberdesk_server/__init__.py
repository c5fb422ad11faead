"""The Cyberdesk server: API, gateway for desktops, and the workers that run workflows."""

__version__ = "0.1.0"
