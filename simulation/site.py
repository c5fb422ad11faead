"""A site made from one seed: servers, desktops and callers, what befalls them, and what comes of it."""

import asyncio
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from cyberdesk_server.domain.ids import MachineId
from cyberdesk_server.domain.post_run_checks import CheckSpec, PostRunCheckType, WrittenCheck
from cyberdesk_server.store import post_run_checks
from cyberdesk_server.testing.rows import NOON, a_pool, a_workflow, an_api_key, an_organization
from cyberdesk_server.usecases.post_run_checks import rewritten

from simulation.blobs import ShakyBlobs
from simulation.callers import Caller, Known
from simulation.chance import Weather, ids_from, no_collection
from simulation.database import Disk, Storage
from simulation.driver import Desktop
from simulation.faults import Faults
from simulation.invariants import Watcher
from simulation.loop import HOST, Host, SimulatedLoop
from simulation.models import SECRET
from simulation.network import Network
from simulation.operator import Operator
from simulation.screen import Screen
from simulation.story import Story, Violation

KEY = "ak_0123456789abcdefghijklmnopqrstuvwxyz"
MOST_SERVERS = 3
MOST_DESKTOPS = 3
JOURNALS = 5 / 6
"""How many desktops have a driver that keeps a journal; the others have one of the published ones."""

CALLERS = 2
CHECKS = [
    WrittenCheck(CheckSpec("Plausible", PostRunCheckType.OUTPUT_DATA_AGENTIC_CHECK, check_prompt=prompt))
    for prompt in ("Are there steps?", "Are there few?")
]
REQUESTS = 6
"""Of each caller."""

LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 1800.0
"""How long after the last fault everything must have come to its end."""

MOST_STEPS = 500_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one seed."""

    seed: int
    violation: str | None
    story: str
    """The last events."""

    trace: int
    steps: int
    simulated_seconds: float
    counts: dict[str, int]
    """How often each kind of event happened."""


def simulate(seed: int, disk: Disk, *, tell: Callable[[str], None] | None = None) -> Outcome:
    """One seed from its beginning to its end. `tell` gets every event at once."""
    with no_collection():
        return _simulate(seed, disk, tell)


def _simulate(seed: int, disk: Disk, tell: Callable[[str], None] | None) -> Outcome:
    chance = Random(seed)
    loop = SimulatedLoop(chance)
    story = Story(loop, tell=tell)
    violation = None
    with ExitStack() as stack:
        stack.callback(loop.close)
        stack.enter_context(ids_from(chance))
        stack.enter_context(story.hears_the_log())
        folder = stack.enter_context(TemporaryDirectory(dir=disk.path.parent))
        stack.callback(disk.forget)
        site = Site(loop, story, chance, disk, Path(folder))
        stack.callback(loop.bury)
        try:
            loop.run_until_complete(site.live())
        except Exception as error:  # the edge: whatever it was, it is this seed's finding
            violation = story.names(str(error) or repr(error))
            if not isinstance(error, Violation):
                violation += "\n" + "".join(traceback.format_exception(error))
        return Outcome(seed, violation, str(story), loop.trace, loop.steps, loop.time(), dict(story.counts))


class Site:
    """Everything of one seed."""

    def __init__(self, loop: SimulatedLoop, story: Story, chance: Random, disk: Disk, folder: Path) -> None:
        """`folder` is for what desktops keep."""
        self._loop = loop
        self._story = story
        self._chance = chance
        self._disk = disk
        self._folder = folder
        self._storage = Storage(chance)
        self._blobs = ShakyBlobs(chance)
        self._network = Network(chance)
        self._faults = Faults(loop, story, chance, self._storage, self._blobs, self._network)
        self._operator = Operator(loop, story, chance, disk, self._blobs, self._network, self._faults)
        self._failure: str | None = None

    async def live(self) -> None:
        """Open, let callers ask and things go wrong, let it all settle, and check what came of it.

        Raises `Violation`.
        """
        self._disk.erase(self._storage)
        known = await self._found()
        with Watcher(self._disk.path, known, self._loop.time) as watcher:
            self._storage.committed = lambda: self._judge(watcher)
            self._loop.set_exception_handler(self._hear_of_failure)
            self._loop.after_step = self._after_step
            desktops = await self._open(watcher)
            known.machines = watcher.machines()
            self._faults.begin(Weather.drawn(self._chance))
            callers = [
                Caller(known, self._story, self._chance, self._operator.some_server) for _ in range(CALLERS)
            ]
            async with asyncio.TaskGroup() as group:
                for caller in callers:
                    group.create_task(caller.ask(REQUESTS))
            await self._settle(watcher, callers[0])
            watcher.check_end(desktops, self._blobs.contents)

    async def _found(self) -> Known:
        host = self._loop.new_host("founder")
        database = self._disk.database_for(host)

        async def found() -> Known:
            async with database.transaction() as conn:
                organization_id = await an_organization(conn)
                await an_api_key(conn, organization_id, KEY)
                pools = [(await a_pool(conn, organization_id)).id for _ in range(2)]
                prompt = f"Type {{${SECRET}}}"
                workflows = [await a_workflow(conn, organization_id, main_prompt=prompt) for _ in range(2)]
                await post_run_checks.replace(
                    conn, workflows[1].id, rewritten(workflows[1], (), CHECKS, now=NOON)
                )
                return Known(organization_id, tuple(workflows), pools)

        known = await host.spawn(found())
        host.die()
        return known

    async def _open(self, watcher: Watcher) -> list[Desktop]:
        """Servers and desktops, once all of them have found each other."""
        desktops = [self._a_desktop(number) for number in range(self._chance.randint(1, MOST_DESKTOPS))]
        for number in range(self._chance.randint(1, MOST_SERVERS)):
            self._keep(self._operator.keep_server(f"server {number + 1}"))
        for desktop in desktops:
            self._keep(self._operator.keep_driver(desktop))
        while len(watcher.machines()) < len(desktops):  # noqa: ASYNC110 - a row tells nobody
            await asyncio.sleep(1.0)
        return desktops

    def _a_desktop(self, number: int) -> Desktop:
        name = f"desktop{number + 1}"
        (self._folder / name).mkdir()
        keeps_journal = self._chance.random() < JOURNALS
        screen = Screen(self._loop.outside, self._chance)
        return Desktop(name, KEY, self._folder / name, keeps_journal, screen)

    async def _settle(self, watcher: Watcher, caller: Caller) -> None:
        """Nothing goes wrong any more, every machine is let to every run, and time goes on."""
        self._story.add("faults end")
        self._faults.end()
        self._operator.cut_all_lines()
        deadline = self._loop.time() + PATIENCE_SECONDS
        opened: set[MachineId] = set()
        while not watcher.is_settled() and self._loop.time() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            for machine_id in watcher.machines():
                if machine_id not in opened and await caller.open(machine_id):
                    opened.add(machine_id)
            for machine_id in watcher.idle_reservations():
                await caller.clear(machine_id)

    def _keep(self, work: Any) -> None:
        def end(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                self._fail(str(error))

        self._loop.create_task(work).add_done_callback(end)

    def _judge(self, watcher: Watcher) -> None:
        self._faults.after_commit(HOST.get(self._loop.outside))
        try:
            watcher.look()
        except Violation as violation:  # raised again where nobody in between can catch it
            self._fail(str(violation))

    def _hear_of_failure(self, _: Any, context: dict[str, Any]) -> None:
        error = context.get("exception")
        told = "".join(traceback.format_exception(error)) if isinstance(error, BaseException) else ""
        self._fail(f"{context['message']}: {told}")

    def _fail(self, reason: str) -> None:
        self._failure = self._failure or reason

    def _after_step(self, host: Host) -> None:
        if self._failure is not None:
            raise Violation(self._failure)
        if self._loop.steps > MOST_STEPS:
            raise Violation("it never comes to rest")
        self._faults.after_step(host)
