"""The one desktop all commands share: opened when needed, and again after it was lost."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cyberdriver.backends.base import Backend, Button, DesktopError, DisplayLost
from cyberdriver.backends.keys import Chord


class Desktop:
    """A backend that outlives its display. Usable from any thread; the caller puts acting calls in order."""

    def __init__(self, open_backend: Callable[[], Backend]) -> None:
        self._open_backend = open_backend
        self._lock = threading.Lock()
        self._lease: _Lease | None = None

    @property
    def is_open(self) -> bool:
        """Whether a backend is there already; opening one may take long."""
        return self._lease is not None

    @contextmanager
    def use(self) -> "Iterator[Use]":
        """The desktop for one command. Raises what the backend raises.

        A backend whose display was lost is closed when its last user is done; the next user opens a new one.
        """
        lease = self._enter()
        try:
            yield Use(lease)
        except DisplayLost:
            with self._lock:
                lease.is_lost = True
                if self._lease is lease:
                    self._lease = None
            raise
        finally:
            self._leave(lease)

    def release_held(self) -> int:
        """Every key and button that a command left down goes up; answers how many. For the acting thread."""
        lease = self._lease
        if lease is None or not (lease.held_chords or lease.held_buttons):
            return 0
        released = len(lease.held_chords) + len(lease.held_buttons)
        try:
            with self.use() as use:
                for chord in reversed(list(lease.held_chords)):
                    use.hold(chord, False)
                for button in list(lease.held_buttons):
                    use.button(button, False)
        except DesktopError:
            return 0
        return released

    def close(self) -> None:
        """The backend is closed and releases everything. For when no command runs any more."""
        with self._lock:
            lease, self._lease = self._lease, None
        if lease is not None:
            lease.backend.close()

    def _enter(self) -> "_Lease":
        with self._lock:
            if self._lease is None:
                self._lease = _Lease(self._open_backend())
            self._lease.users += 1
            return self._lease

    def _leave(self, lease: "_Lease") -> None:
        with self._lock:
            lease.users -= 1
            is_last = lease.is_lost and lease.users == 0
        if is_last:
            lease.backend.close()


class _Lease:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.users = 0
        self.is_lost = False
        self.nonce = secrets.token_hex(4)
        self.held_chords: dict[Chord, None] = {}
        self.held_buttons: dict[Button, None] = {}


class Use:
    """The desktop in the hands of one command; remembers what is pressed and not released."""

    def __init__(self, lease: _Lease) -> None:
        self._lease = lease

    @property
    def backend(self) -> Backend:
        return self._lease.backend

    @property
    def nonce(self) -> str:
        """Differs between two openings of the desktop: frame versions of both must not be confused."""
        return self._lease.nonce

    def hold(self, chord: Chord, down: bool) -> None:
        self._lease.backend.hold(chord, down)
        if down:
            self._lease.held_chords[chord] = None
        else:
            self._lease.held_chords.pop(chord, None)

    def button(self, button: Button, down: bool) -> None:
        self._lease.backend.button(button, down)
        if down:
            self._lease.held_buttons[button] = None
        else:
            self._lease.held_buttons.pop(button, None)
