"""Real programs for tests and benches: started, listened to, and gone when their block ends."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Protocol, TypeVar

T = TypeVar("T")

START_SECONDS = 60.0
"""For a program that starts on a busy machine."""

STOP_SECONDS = 15.0
POLL_SECONDS = 0.05


def until(condition: Callable[[], T | None], *, seconds: float = START_SECONDS, what: str) -> T:
    """The first true value of `condition`. Raises `TimeoutError` naming `what` when there is none in time."""
    deadline = monotonic() + seconds
    while not (value := condition()):
        if monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        sleep(POLL_SECONDS)
    return value


def script(name: str) -> str:
    """A command of the environment this Python belongs to."""
    return str(Path(sys.executable).parent / name)


@dataclass
class Program:
    """A program that was started, and what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def says(self, pattern: str) -> re.Match[str]:
        """The first match in what it says, as soon as it says it; `RuntimeError` when it ends before."""

        def found() -> re.Match[str] | None:
            match = re.search(pattern, self.said())
            if match is None and self.process.poll() is not None:
                raise RuntimeError(f"it ended before it said {pattern!r}:\n{self.said()[-3000:]}")
            return match

        return until(found, what=f"{pattern!r} in {self.log}")

    def kill(self) -> None:
        """`kill -9`: nothing of it can tidy up."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def resident_megabytes(self) -> float:
        """Memory it really has."""
        return self._megabytes("VmRSS")

    def peak_megabytes(self) -> float:
        """The most memory it really had since it began, or since `forget_peak`."""
        return self._megabytes("VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def _megabytes(self, name: str) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        kilobytes = re.search(rf"{name}:\s+(\d+) kB", status)
        assert kilobytes is not None
        return int(kilobytes[1]) / 1024


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """The program until the block ends; it is asked to end, and made to when it does not.

    What it says is appended to `log`; `environment` is added to the present one.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Program(process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(STOP_SECONDS)


@dataclass
class ServerProgram:
    """`cyberdesk-server up` on a data folder. Started again it is the same server, on the same port."""

    folder: Path
    """Of its data, its key and its logs."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment variables."""

    port: int = 0
    api_key: str = field(default="", repr=False)
    program: Program | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @contextmanager
    def up(self) -> Iterator[Program]:
        """Run it until the block ends. The first start picks a port and makes a key, unless one is given."""
        key_file = self.folder / "api-key"
        command = [
            script("cyberdesk-server"),
            "up",
            f"--data-dir={self.data_dir}",
            f"--port={self.port}",
            f"--write-key={key_file}",
        ]
        log = self.folder / f"server-{len(list(self.folder.glob('server-*.log')))}.log"
        with running(command, log, self.settings) as self.program:
            self.port = int(self.program.says(r"ready: http://127\.0\.0\.1:(\d+)")[1])
            self.api_key = self.api_key or key_file.read_text().strip()
            yield self.program


class Reachable(Protocol):
    """A server, or what stands in front of several."""

    @property
    def base_url(self) -> str: ...

    @property
    def api_key(self) -> str: ...


def driver_command(server: Reachable, *, name: str, config_dir: Path) -> list[str]:
    """How `cyberdriver join` is started; give it `driver_environment`."""
    return [
        script("cyberdriver"),
        "join",
        f"--server={server.base_url}",
        f"--name={name}",
        f"--config-dir={config_dir}",
    ]


def driver_environment(server: Reachable, desktop: Mapping[str, str]) -> dict[str, str]:
    """The environment of a desktop's programs, with the server's key in it."""
    return {**desktop, "CYBERDESK_AGENT_KEY": server.api_key}
