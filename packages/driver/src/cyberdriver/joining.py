"""Puts the parts of a driver together and runs them until it is asked to end."""

import asyncio
import logging
import os
import signal
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cyberdriver import __version__
from cyberdriver.audit import Audit
from cyberdriver.backends.base import Backend
from cyberdriver.commands import Desk, Dispatcher
from cyberdriver.commands.screen import Desktop
from cyberdriver.commands.shells import Shells
from cyberdriver.desktop import Program
from cyberdriver.journal import Journal
from cyberdriver.keepalive import Keepalive, nudge
from cyberdriver.settings import Settings
from cyberdriver.tunnel import Address, Greeting, Link
from cyberdriver.tunnel.link import FINISH_SECONDS

SHELLS_FOLDER = "shells"
SYNC_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Machine:
    """What joins a server: a desktop, an identity, and what its owner allows."""

    address: Address
    greeting: Greeting
    settings: Settings
    config_folder: Path
    open_backend: Callable[[], Backend]
    environment: Mapping[str, str]
    """For shell commands; without the API key."""
    is_virtual: bool = False
    """Nobody's session locks on a virtual desktop: it needs no keepalive."""
    trust: ssl.SSLContext | None = None


class Ending:
    """The wish that the driver ends; may be told from any thread or signal handler."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def ask(self, reason: str) -> None:
        """The driver ends soon; the first reason is logged."""
        self._loop.call_soon_threadsafe(self._end, reason)

    def _end(self, reason: str) -> None:
        if not self.event.is_set():
            logger.info("ending reason=%r", reason)
            self.event.set()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT ask for the end."""
        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            self._loop.add_signal_handler(number, self._end, signal.Signals(number).name)
        try:
            yield
        finally:
            for number in numbers:
                self._loop.remove_signal_handler(number)

    @contextmanager
    def with_program(self, program: Program | None) -> Iterator[None]:
        """The end of this program asks for the end."""
        if program is None:
            yield
            return
        watch = os.pidfd_open(program.pid)

        def has_ended() -> None:
            self._loop.remove_reader(watch)
            self._end(f"the program ended with {program.exit_code}")

        self._loop.add_reader(watch, has_ended)
        try:
            yield
        finally:
            self._loop.remove_reader(watch)
            os.close(watch)


async def run(machine: Machine | None, program: Program | None) -> bool:
    """Joins until SIGTERM, SIGINT or the end of the program; without a machine only waits for that.

    False and errors as in `join`.
    """
    ending = Ending()
    with ending.on_signals(), ending.with_program(program):
        if machine is not None:
            return await join(machine, ending)
        await ending.event.wait()
        return True


async def join(machine: Machine, ending: Ending) -> bool:
    """Joins, stays joined, and says goodbye when asked to; then the desktop is closed and nothing is held.

    False when a command would not end in time and the process must be left by force. Raises `NoDisplay` when
    there is no screen to begin with, `KeyRefused` and `TurnedAway` when the server does not want this
    machine.
    """
    keepalive = Keepalive(
        machine.settings.keepalive.idle,
        is_enabled=machine.settings.keepalive.enabled and not machine.is_virtual,
    )
    desktop = Desktop(machine.open_backend)
    with desktop.use() as use:
        logger.info("cyberdriver %s screen=%s backend=%s", __version__, use.backend.size(), use.backend.name)
    with closing(Journal(machine.config_folder)) as journal:
        dispatcher = Dispatcher(
            Desk(
                desktop=desktop,
                wakefulness=keepalive,
                request_shutdown=ending.ask,
                allowed=machine.settings.allow,
                own_folder=machine.config_folder,
                shells=Shells(
                    machine.settings.shell_program, machine.environment, machine.config_folder / SHELLS_FOLDER
                ),
            ),
            journal,
            audit=_audit(machine),
        )
        link = Link(
            machine.address,
            machine.greeting,
            dispatcher,
            on_request=keepalive.touch,
            trust=machine.trust,
        )

        def nudge_pointer() -> None:
            with desktop.use() as use:
                nudge(use.backend)

        beside = [
            asyncio.create_task(keepalive.run(lambda: dispatcher.act(nudge_pointer))),
            asyncio.create_task(_keep_synced(journal)),
        ]
        try:
            await link.stay_joined(ending.event)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            has_ended = await asyncio.to_thread(dispatcher.close, FINISH_SECONDS)
        return has_ended


def _audit(machine: Machine) -> Audit | None:
    wanted = machine.settings.audit
    return Audit(machine.config_folder, max_bytes=wanted.max_bytes) if wanted.enabled else None


async def _keep_synced(journal: Journal) -> None:
    while True:
        await asyncio.sleep(SYNC_SECONDS)
        if journal.is_dirty:
            await asyncio.to_thread(journal.sync)
