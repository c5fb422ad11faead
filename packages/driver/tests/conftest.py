"""A driver with a painted desktop, and a small server for it to join."""

import asyncio
import logging
import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from cyberdriver.rehearsal import ScriptedGateway, StagedMachine
from cyberdriver.testing import FakeBackend
from cyberdriver.tunnel import Greeting, Link, parse_address

KEY = "ak_test"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A test that configures the log, as every command does, leaves no trace in the next one."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def make_machine(tmp_path: Path) -> Iterator[Callable[..., StagedMachine]]:
    """Makes machines in one folder, as restarts of a driver would."""
    made: list[StagedMachine] = []

    def make(**fields: object) -> StagedMachine:
        machine = StagedMachine(tmp_path, **fields)  # type: ignore[arg-type]
        made.append(machine)
        return machine

    yield make
    for machine in made:
        machine.close()


@pytest.fixture
def machine(make_machine: Callable[..., StagedMachine]) -> StagedMachine:
    return make_machine()


@pytest.fixture
def backend(machine: StagedMachine) -> FakeBackend:
    return machine.backend


@pytest.fixture
async def gateway() -> AsyncIterator[ScriptedGateway]:
    gateway = ScriptedGateway()
    async with gateway.listen():
        yield gateway


Join = Callable[..., "asyncio.Task[None]"]


@pytest.fixture
async def join(gateway: ScriptedGateway, machine: StagedMachine) -> AsyncIterator[Join]:
    """Joins a machine to the gateway in the background, until the test sets `stop` or ends."""
    ends: list[asyncio.Event] = []
    tasks: list[asyncio.Task[None]] = []

    def begin(
        *,
        url: str | None = None,
        trust: ssl.SSLContext | None = None,
        on: StagedMachine | None = None,
        stop: asyncio.Event | None = None,
    ) -> "asyncio.Task[None]":
        link = Link(
            parse_address(url or gateway.url),
            Greeting(KEY, str(uuid.UUID(int=1)), "front desk", "host-1"),
            (on or machine).dispatcher,
            trust=trust,
            random_fraction=lambda: 0.0,
        )
        ends.append(stop or asyncio.Event())
        tasks.append(asyncio.create_task(link.stay_joined(ends[-1])))
        return tasks[-1]

    yield begin
    for end in ends:
        end.set()
    async with asyncio.timeout(20):
        await asyncio.gather(*tasks, return_exceptions=True)
