"""What does the demo need around it? A server and a desktop, started for it and gone when it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

DEMO = Path(__file__).resolve().parent
DESKTOP_SIZE = "1280x800"
MACHINE_NAME = "Clinic desktop"
_START_SECONDS = 30
_STOP_SECONDS = 10
_POLL_SECONDS = 0.05
_LOG_TAIL_LINES = 15
_READY = re.compile(r"^ready: (\S+)$", re.MULTILINE)


class StageError(Exception):
    """A part of the demo did not start or has ended; the text says which and what it said last."""


@dataclass(frozen=True, slots=True)
class Part:
    """A program that was started for the demo."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Nothing while it runs; `StageError` with the end of its log once it has ended."""
        if (status := self.process.poll()) is not None:
            raise StageError(f"{self.name} ended with status {status}\n{self.last_words()}")

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def last_words(self) -> str:
        return "\n".join(f"  {line}" for line in self.said().splitlines()[-_LOG_TAIL_LINES:])


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo plays."""

    base_url: str
    api_key: str = field(repr=False)
    folder: Path
    """Data and logs of server and driver; deleted with the stage."""
    parts: tuple[Part, ...]

    def check(self) -> None:
        """Nothing while every part runs; `StageError` once one has ended."""
        for part in self.parts:
            part.check()


@contextmanager
def stage(program: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[Stage]:
    """A server on a free port with an empty data folder, and a virtual desktop with `program` joined to it.

    `environment` is added to the desktop's. Raises `StageError` if a part does not start. When the block is
    left, however it is left, both parts are stopped and the folder is deleted.
    """
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="cyberdesk-demo-")))
        key_file = folder / "api-key"
        up = ("up", "--port", "0", "--data-dir", str(folder / "data"), "--write-key", str(key_file))
        server = cleanup.enter_context(running("server", _script("cyberdesk-server", *up), folder, {}))
        base_url = _address_said_by(server)
        joined = ("--server", base_url, "--key-file", str(key_file), "--config-dir", str(folder / "driver"))
        desktop = ("desktop", "--name", MACHINE_NAME, "--size", DESKTOP_SIZE, *joined, "--", *program)
        driver = cleanup.enter_context(
            running("driver", _script("cyberdriver", *desktop), folder, environment or {})
        )
        api_key = key_file.read_text(encoding="utf-8").strip()
        yield Stage(base_url=base_url, api_key=api_key, folder=folder, parts=(server, driver))


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    stop_seconds: float = _STOP_SECONDS,
) -> Iterator[Part]:
    """The program, started in a process group of its own so that all it starts ends with it.

    What it says goes to `<name>.log` in the folder. It has `stop_seconds` to end before it is killed.
    """
    log = folder / f"{name}.log"
    process: subprocess.Popen[bytes] | None = None
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        yield Part(name, process, log)
    finally:
        if process is not None:
            _end(process, stop_seconds)


def _end(process: subprocess.Popen[bytes], stop_seconds: float) -> None:
    """Ask politely, wait, then insist. An impatient second ctrl-C must not leave anything behind."""
    impatience = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for insistence in (signal.SIGTERM, signal.SIGKILL):
            # The leader may be gone while others of its group are not.
            if not _signalled(process.pid, insistence):
                break
            _wait_for_group(process, stop_seconds)
        process.wait()
    finally:
        signal.signal(signal.SIGINT, impatience)


def _signalled(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _wait_for_group(process: subprocess.Popen[bytes], stop_seconds: float) -> None:
    deadline = monotonic() + stop_seconds
    while monotonic() < deadline:
        process.poll()
        if not _signalled(process.pid, 0):
            return
        sleep(_POLL_SECONDS)


def _address_said_by(server: Part) -> str:
    deadline = monotonic() + _START_SECONDS
    while monotonic() < deadline:
        server.check()
        if found := _READY.search(server.said()):
            return found[1]
        sleep(_POLL_SECONDS)
    raise StageError(f"the server was not ready within {_START_SECONDS} s\n{server.last_words()}")


def _script(name: str, *arguments: str) -> tuple[str, ...]:
    """A command of the environment this Python belongs to, so that the demo needs no `PATH`."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise StageError(f"{path} is not installed: run `make setup`")
    return (str(path), *arguments)
