"""The X11 desktop: MIT-SHM capture, XTEST input, selections; ctypes on libX11, libXext and libXtst."""

from cyberdriver.backends.x11.backend import X11Backend

__all__ = ["X11Backend"]
