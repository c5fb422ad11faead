"""State machines of hypothesis that do the same to a database and to a model of it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.store.database import Database

T = TypeVar("T")

OpenDatabase = Callable[[], AbstractAsyncContextManager[Database]]


class OnDatabase(RuleBasedStateMachine):
    """One with a fresh database, in an event loop of its own."""

    def __init__(self, open_database: OpenDatabase) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened = open_database()
        self.database = self.runner.run(self.opened.__aenter__())

    def teardown(self) -> None:
        self.runner.run(self.opened.__aexit__(None, None, None))
        self.runner.close()

    def do(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What the work answers, done in one transaction."""

        async def do() -> T:
            async with self.database.transaction() as conn:
                return await work(conn)

        return self.runner.run(do())


def run_on(
    open_database: OpenDatabase, machine: Callable[[OpenDatabase], OnDatabase], *, programs: int
) -> None:
    """Try so many programs of up to 60 steps, each on a database of its own."""
    run_state_machine_as_test(
        lambda: machine(open_database),  # type: ignore[arg-type]  # any factory will do
        settings=settings(
            max_examples=programs,
            stateful_step_count=60,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
