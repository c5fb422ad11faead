"""Running one program to its end or its time limit, keeping what it printed."""

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MAX_OUTPUT_BYTES = 64 * 1024
TIMED_OUT_EXIT_CODE = 124
"""As of the program `timeout`."""
_AFTER_EXIT_SECONDS = 0.2
"""How long output may still arrive after the program ended; programs it left running keep the pipe open."""
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ran: what it printed, with the middle cut out where it was too much."""

    exit_code: int
    """0 to 255; 128 and the signal's number after a signal; 124 after the time limit."""
    stdout: str
    stderr: str
    has_timed_out: bool


class Processes:
    """Runs programs, each in a process group of its own, and can end all of them; usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    def run(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], timeout_seconds: float
    ) -> Finished:
        """Waits for the program. After the time limit its whole group is killed and what it printed is kept.

        Programs that it started in the background and left behind live on. Raises `OSError` when it cannot
        start.
        """
        process = self._start(arguments, folder, environment)
        try:
            stdout, stderr = _Output(process.stdout), _Output(process.stderr)
            has_timed_out = not _collect(process, (stdout, stderr), timeout_seconds)
            if has_timed_out:
                _kill_group(process)
            process.wait()
            if has_timed_out:
                stdout.read_what_is_there()
                stderr.read_what_is_there()
        finally:
            with self._lock:
                self._running.discard(process)
            for pipe in (process.stdout, process.stderr):
                assert pipe is not None
                pipe.close()
        code = process.returncode
        exit_code = TIMED_OUT_EXIT_CODE if has_timed_out else code if code >= 0 else 128 - code
        return Finished(exit_code, stdout.text(), stderr.text(), has_timed_out)

    def kill_all(self) -> None:
        """Every running group is killed and nothing starts any more."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                _kill_group(process)

    def _start(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._is_closed:
                raise OSError("the driver is ending")
            process = subprocess.Popen(
                arguments,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self._running.add(process)
            return process


class _Output:
    """What came out of one pipe: the first and the last part of it, never more than the limit."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        self.descriptor = pipe.fileno()
        os.set_blocking(self.descriptor, False)
        self._head = bytearray()
        self._tail = bytearray()
        self._total_bytes = 0

    def read_what_is_there(self) -> bool:
        """Reads without waiting; false at the end of the pipe."""
        while True:
            try:
                chunk = os.read(self.descriptor, _CHUNK_BYTES)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._keep(chunk)

    def text(self) -> str:
        """The text, wrong bytes replaced."""
        dropped_bytes = self._total_bytes - len(self._head) - len(self._tail)
        head, tail = (bytes(part).decode("utf-8", "replace") for part in (self._head, self._tail))
        if dropped_bytes:
            return f"{head}\n... {dropped_bytes} bytes left out ...\n{tail}"
        return bytes(self._head + self._tail).decode("utf-8", "replace")

    def _keep(self, chunk: bytes) -> None:
        self._total_bytes += len(chunk)
        room = MAX_OUTPUT_BYTES // 2 - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        del self._tail[: -(MAX_OUTPUT_BYTES // 2)]


def _collect(process: subprocess.Popen[bytes], outputs: Sequence[_Output], timeout_seconds: float) -> bool:
    """Reads both pipes until the program has ended; false when the time limit came first."""
    deadline = time.monotonic() + timeout_seconds
    open_pipes = len(outputs)
    exit_watch = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(exit_watch, selectors.EVENT_READ, None)
            for output in outputs:
                selector.register(output.descriptor, selectors.EVENT_READ, output)
            has_exited = False
            while not has_exited or open_pipes:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    return has_exited
                for key, _ in ready:
                    if key.data is None:
                        selector.unregister(exit_watch)
                        has_exited = True
                        deadline = min(deadline, time.monotonic() + _AFTER_EXIT_SECONDS)
                    elif not key.data.read_what_is_there():
                        selector.unregister(key.fileobj)
                        open_pipes -= 1
            return True
    finally:
        os.close(exit_watch)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
