"""Desktops a driver can drive, one folder or module per kind."""
