"""The pixels of an X screen, through shared memory where the server offers it."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_void_p, string_at

from cyberdriver.backends.base import Box, DisplayError, Frame, NoDisplay, Size
from cyberdriver.backends.x11 import _xlib
from cyberdriver.backends.x11.connection import Connection

_OPERATION = "screen capture"
_ATTEMPTS_WHILE_RESIZING = 3


class Capture:
    """Captures one screen. One call at a time; the connection's lock sees to it.

    `uses_shared_memory` is False on a remote display; everything works there, more slowly.
    """

    def __init__(self, connection: Connection, *, share_memory: bool = True) -> None:
        self._connection = connection
        self._segment: _Segment | None = None
        self._last = Frame(Size(0, 0), b"", 0)
        with connection.operation(_OPERATION) as display:
            depth = connection.lib.x11.XDefaultDepth(display, connection.screen)
            if depth not in (24, 32):
                raise NoDisplay("X11", f"the screen has a depth of {depth} bits, 24 or 32 are needed")
            self.uses_shared_memory = share_memory and bool(connection.lib.ext.XShmQueryExtension(display))

    def frame(self, region: Box | None) -> Frame:
        """The screen, or the part of the region that lies on it."""
        with self._connection.operation(_OPERATION):
            for _ in range(_ATTEMPTS_WHILE_RESIZING):
                size = self._connection.size()
                box = (region or Box(0, 0, size.width, size.height)).clipped_to(size)
                if box.width == 0 or box.height == 0:
                    return Frame(Size(0, 0), b"", self._last.version)
                frame = self._grab(box, size, is_whole=region is None)
                # The screen may have shrunk between the two requests: the server refuses, we look again.
                if not self._connection.forget_errors() and frame is not None:
                    return frame
        raise DisplayError(_OPERATION, "the X server gave no image")

    def _grab(self, box: Box, screen: Size, *, is_whole: bool) -> Frame | None:
        size = Size(box.width, box.height)
        segment = self._segment_for(screen)
        image = self._grab_shared(segment, box) if segment else self._grab_copied(box)
        if image is None:
            return None
        try:
            address = image.contents.data
            if not is_whole:
                return Frame(size, string_at(address, size.pixels * 4), self._last.version)
            if size != self._last.size or self._differs(address):
                self._last = Frame(size, string_at(address, size.pixels * 4), self._last.version + 1)
            return self._last
        finally:
            if segment is None:
                self._connection.lib.x11.XDestroyImage(image)

    def _differs(self, address: int) -> bool:
        old = self._last.bgrx
        differing: int = self._connection.lib.c.memcmp(address, old, len(old))
        return differing != 0

    def _segment_for(self, screen: Size) -> _Segment | None:
        if not self.uses_shared_memory:
            return None
        if self._segment is None or self._segment.size_bytes < screen.pixels * 4:
            self._drop_segment()
            self._segment = _Segment.attached(self._connection, screen.pixels * 4)
            self.uses_shared_memory = self._segment is not None
        return self._segment

    def _grab_shared(self, segment: _Segment, box: Box) -> ctypes._Pointer[_xlib.XImage] | None:
        connection = self._connection
        image = segment.image(box.width, box.height)
        done = connection.lib.ext.XShmGetImage(
            connection.pointer, connection.root, image, box.x, box.y, _xlib.ALL_PLANES
        )
        return image if done else None

    def _grab_copied(self, box: Box) -> ctypes._Pointer[_xlib.XImage] | None:
        connection = self._connection
        image: ctypes._Pointer[_xlib.XImage] = connection.lib.x11.XGetImage(
            connection.pointer,
            connection.root,
            box.x,
            box.y,
            box.width,
            box.height,
            _xlib.ALL_PLANES,
            _xlib.Z_PIXMAP,
        )
        return image or None

    def _drop_segment(self) -> None:
        if self._segment is not None:
            self._segment.detach()
            self._segment = None

    def close(self) -> None:
        """The shared memory is given back."""
        self._drop_segment()


class _Segment:
    """Shared memory attached on both sides, and an image that describes what is in it.

    It is marked for removal as soon as the server has it, so the kernel frees it with the last of the two
    processes, whatever way they end.
    """

    def __init__(self, connection: Connection, size_bytes: int, info: _xlib.XShmSegmentInfo) -> None:
        self.size_bytes = size_bytes
        self._connection = connection
        self._info = info
        self._image: ctypes._Pointer[_xlib.XImage] | None = None

    @classmethod
    def attached(cls, connection: Connection, size_bytes: int) -> _Segment | None:
        """Inside an operation: a new segment, or None where the kernel or the server refuses."""
        lib = connection.lib
        info = _xlib.XShmSegmentInfo()
        info.shmid = lib.c.shmget(_xlib.IPC_PRIVATE, size_bytes, _xlib.IPC_CREAT | 0o600)
        if info.shmid < 0:
            return None
        address = lib.c.shmat(info.shmid, None, 0)
        if address == c_void_p(-1).value:
            lib.c.shmctl(info.shmid, _xlib.IPC_RMID, None)
            return None
        info.shmaddr = address
        lib.ext.XShmAttach(connection.pointer, byref(info))
        was_refused = connection.forget_errors()
        lib.c.shmctl(info.shmid, _xlib.IPC_RMID, None)
        if was_refused:
            lib.c.shmdt(address)
            return None
        return cls(connection, size_bytes, info)

    def image(self, width: int, height: int) -> ctypes._Pointer[_xlib.XImage]:
        """The image of this size at the start of the segment."""
        if self._image and (self._image.contents.width, self._image.contents.height) == (width, height):
            return self._image
        self._free_image()
        lib, display, screen = self._connection.lib, self._connection.pointer, self._connection.screen
        self._image = lib.ext.XShmCreateImage(
            display,
            lib.x11.XDefaultVisual(display, screen),
            lib.x11.XDefaultDepth(display, screen),
            _xlib.Z_PIXMAP,
            ctypes.cast(self._info.shmaddr, ctypes.c_char_p),
            byref(self._info),
            width,
            height,
        )
        if not self._image:
            raise DisplayError(_OPERATION, "out of memory")
        return self._image

    def detach(self) -> None:
        """Both sides let go of the memory."""
        self._free_image()
        if not self._connection.is_lost:
            self._connection.lib.ext.XShmDetach(self._connection.pointer, byref(self._info))
            self._connection.sync()
        self._connection.lib.c.shmdt(self._info.shmaddr)

    def _free_image(self) -> None:
        if self._image:
            # Xlib would free the pixels too, which are not its own.
            self._image.contents.data = None
            self._connection.lib.x11.XDestroyImage(self._image)
            self._image = None
