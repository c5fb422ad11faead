"""Callers: what they ask of the API, through its use cases, and what they were promised."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from cyberdesk_server.domain.ids import MachineId, OrganizationId, PoolId, RunId, SessionId
from cyberdesk_server.domain.limits import BUILT_IN_LIMITS, RunLimits
from cyberdesk_server.domain.refusals import Refused
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.topics import MACHINES_FREE, RUNS_WAITING, run_topic
from cyberdesk_server.usecases import chains, machines, pools, retries, runs
from cyberdesk_server.usecases.orders import Order
from cyberdesk_server.usecases.placement import Wish
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from simulation.models import SECRET
from simulation.server import Server
from simulation.story import Story

T = TypeVar("T")

ANSWER_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 10.0
PLAINTEXT = "hunter2"
"""Every secret of a run begins like this, so that it is found wherever it should not be."""

Work = Callable[[AsyncConnection, Server], Awaitable[T]]


@dataclass
class Known:
    """What callers know to be there, and what they were promised."""

    organization_id: OrganizationId
    workflows: tuple[Workflow, ...]
    """One without and one with post-run checks."""

    pools: list[PoolId]
    machines: list[MachineId] = field(default_factory=list)
    runs: list[RunId] = field(default_factory=list)
    """Answered with a 201: never to be lost."""

    sessions: list[SessionId] = field(default_factory=list)
    may_be_deleted: set[UUID] = field(default_factory=set)
    """Runs that somebody asked to delete, whatever was answered."""

    may_be_retried: set[UUID] = field(default_factory=set)


class Caller:
    """Asks one thing after another; which, and of which server, is left to chance."""

    def __init__(
        self, known: Known, story: Story, chance: Random, choose: Callable[[], Server | None]
    ) -> None:
        """`choose` names a server that takes requests now."""
        self._known = known
        self._story = story
        self._chance = chance
        self._choose = choose

    async def ask(self, count: int) -> None:
        """So many requests."""
        often = {
            self._create: 5,
            self._bulk: 2,
            self._chain: 3,
            self._end: 3,
            self._retry: 3,
            self._switch_machine: 2,
            self._change_pools: 1,
            self._clear_session: 1,
            self._delete_run: 1,
            self._delete_machine: self._chance.choice((0, 0, 1)),
        }
        for _ in range(count):
            await asyncio.sleep(self._chance.random() * LONGEST_PAUSE_SECONDS)
            [wish] = self._chance.choices(list(often), list(often.values()))
            await wish()

    async def open(self, machine_id: MachineId) -> bool:
        """Have the machine take any run: available, in every pool. False when no server said that it does."""
        is_available = await self._update(machine_id, is_available=True)
        return is_available and await self._put_into_pools(machine_id, self._known.pools)

    async def clear(self, machine_id: MachineId) -> None:
        """End the session that has the machine."""
        await self._update(machine_id, reserved_session_id=None)

    async def _create(self) -> None:
        await self._order("create", count=1)

    async def _bulk(self) -> None:
        await self._order("bulk", count=self._chance.randint(2, 3))

    async def _order(self, what: str, *, count: int) -> None:
        order = Order(
            workflow_id=self._chance.choice(self._known.workflows).id,
            sensitive_input_values=self._secrets(),
            is_priority=self._chance.random() < 1 / 4,
            release_session_after=self._chance.choice((None, None, True)),
            limits=RunLimits(
                run_time_limit_seconds=self._chance.choice((None, None, None, 20)),
                wait_time_limit_seconds=self._chance.choice((None, None, None, 40)),
            ),
        )
        wish = self._wish(may_join=1 / 3)

        async def create(conn: AsyncConnection, server: Server) -> Sequence[Run]:
            return await runs.create(
                conn,
                order,
                wish,
                organization_id=self._known.organization_id,
                allowed=BUILT_IN_LIMITS,
                vault=server.vault,
                now=server.clock.now(),
                count=count,
            )

        self._promise(await self._request(what, create, RUNS_WAITING, **_told(wish)))

    async def _chain(self) -> None:
        steps = [
            chains.ChainStep(self._chance.choice(self._known.workflows).id, sensitive_inputs=self._secrets())
            for _ in range(self._chance.randint(2, 3))
        ]
        chain = chains.Chain(
            tuple(steps),
            is_priority=self._chance.random() < 1 / 4,
            keeps_session=self._chance.random() < 1 / 4,
        )
        wish = self._wish(may_join=1 / 6)

        async def create(conn: AsyncConnection, server: Server) -> Sequence[Run]:
            _, made = await chains.create(
                conn,
                chain,
                wish,
                organization_id=self._known.organization_id,
                allowed=BUILT_IN_LIMITS,
                vault=server.vault,
                now=server.clock.now(),
            )
            return made

        self._promise(await self._request("chain", create, RUNS_WAITING, **_told(wish)))

    def _promise(self, made: Sequence[Run] | None) -> None:
        for run in made or ():
            self._story.add("promised", run=run.id, session=run.session_id)
            self._known.runs.append(run.id)
            if run.session_id is not None and run.session_id not in self._known.sessions:
                self._known.sessions.append(run.session_id)

    def _wish(self, *, may_join: float) -> Wish:
        chance, known = self._chance, self._known
        if known.sessions and chance.random() < may_join:
            return Wish(session_id=chance.choice(known.sessions))
        starts = chance.random() < 1 / 4
        match chance.randrange(4):
            case 0 if known.machines:
                return Wish(machine_id=chance.choice(known.machines), start_session=starts)
            case 1:
                wanted = chance.sample(known.pools, chance.randint(1, len(known.pools)))
                return Wish(pool_ids=tuple(wanted), start_session=starts)
            case _:
                return Wish(start_session=starts)

    def _secrets(self) -> dict[str, Any]:
        return {SECRET: f"{PLAINTEXT}-{self._chance.randrange(10**6)}"}

    async def _end(self) -> None:
        if (run_id := self._some(self._known.runs)) is None:
            return
        status = self._chance.choice((RunStatus.CANCELLED, RunStatus.CANCELLED, RunStatus.TASK_FAILED))

        async def end(conn: AsyncConnection, server: Server) -> Sequence[RunId]:
            now = server.clock.now()
            organization_id = self._known.organization_id
            return await runs.update(conn, organization_id, run_id, status=status, changes={}, now=now)

        await self._request("end", end, run_topic(run_id), MACHINES_FREE, run=run_id, status=status)

    async def _retry(self) -> None:
        if (run_id := self._some(self._known.runs)) is None:
            return
        retry = retries.Retry(
            self._wish(may_join=1 / 3) if self._chance.random() < 1 / 3 else Wish(),
            reuses_session=self._chance.random() < 3 / 4,
            sensitive_input_values=self._secrets(),
        )

        async def start_over(conn: AsyncConnection, server: Server) -> object:
            now = server.clock.now()
            organization_id = self._known.organization_id
            return await retries.start_over(
                conn, organization_id, run_id, retry, allowed=BUILT_IN_LIMITS, vault=server.vault, now=now
            )

        self._known.may_be_retried.add(run_id)
        await self._request("retry", start_over, RUNS_WAITING, run=run_id, **_told(retry.wish))

    async def _delete_run(self) -> None:
        if (run_id := self._some(self._known.runs)) is None:
            return

        async def delete(conn: AsyncConnection, server: Server) -> object:
            return await runs.delete(conn, self._known.organization_id, run_id, now=server.clock.now())

        self._known.may_be_deleted.add(run_id)
        await self._request("delete", delete, run=run_id)

    async def _switch_machine(self) -> None:
        if (machine_id := self._some(self._known.machines)) is not None:
            await self._update(machine_id, is_available=self._chance.random() < 2 / 3)

    async def _clear_session(self) -> None:
        if (machine_id := self._some(self._known.machines)) is not None:
            await self.clear(machine_id)

    async def _update(self, machine_id: MachineId, **changes: Any) -> bool:
        async def update(conn: AsyncConnection, server: Server) -> object:
            return await machines.update(
                conn,
                self._known.organization_id,
                machine_id,
                changes,
                sensitive_parameters=None,
                vault=server.vault,
                now=server.clock.now(),
            )

        asked = self._request("machine", update, MACHINES_FREE, machine=machine_id, **changes)
        return await asked is not None

    async def _change_pools(self) -> None:
        if (machine_id := self._some(self._known.machines)) is not None:
            pool_ids = [pool_id for pool_id in self._known.pools if self._chance.random() < 2 / 3]
            await self._put_into_pools(machine_id, pool_ids)

    async def _put_into_pools(self, machine_id: MachineId, pool_ids: Sequence[PoolId]) -> bool:
        async def put(conn: AsyncConnection, server: Server) -> object:
            return await pools.replace_for_machine(conn, self._known.organization_id, machine_id, pool_ids)

        asked = self._request("pools", put, MACHINES_FREE, machine=machine_id, count=len(pool_ids))
        return await asked is not None

    async def _delete_machine(self) -> None:
        if (machine_id := self._some(self._known.machines)) is None:
            return

        async def delete(conn: AsyncConnection, server: Server) -> object:
            now = server.clock.now()
            return await machines.delete(conn, self._known.organization_id, machine_id, now=now)

        await self._request("delete machine", delete, machine=machine_id)

    def _some(self, choices: Sequence[T]) -> T | None:
        return self._chance.choice(choices) if choices else None

    async def _request(self, what: str, work: Work[T], *topics: str, **facts: Any) -> T | None:
        """The answer of a server; None when it refused, failed, or never answered."""
        if (server := self._choose()) is None:
            return None
        self._story.add(f"asks: {what}", of=server.host, **facts)
        answer = server.host.spawn(_serve(server, work, topics))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await asyncio.shield(answer)
        except Refused as refusal:
            self._story.add("refused", why=type(refusal).__name__)
        except SQLAlchemyError as error:
            self._story.add("failed", why=type(error).__name__)
        except TimeoutError:
            self._story.add("unanswered", what=what)
        return None


async def _serve(server: Server, work: Work[T], topics: Sequence[str]) -> T:
    """As the API does it: one transaction, and then who is to know is told."""
    async with server.database.transaction() as conn:
        answer = await work(conn, server)
    for topic in topics:
        await server.bus.publish(topic)
    return answer


def _told(wish: Wish) -> dict[str, Any]:
    facts = {
        "machine": wish.machine_id,
        "pools": len(wish.pool_ids) or None,
        "session": wish.session_id,
        "starts": wish.start_session or None,
    }
    return {name: value for name, value in facts.items() if value is not None}
