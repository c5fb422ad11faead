"""Webhooks: nothing lost though a sender is killed, how soon a message leaves, what a dead endpoint costs.

    python -m bench.webhooks --events 20000 --database sqlite

On SQLite and on PostgreSQL, each with its disk. A part of the endpoints is ill, and a message that has to
come again takes its time: on two busy cores 100000 events take about ten minutes on each database, 20000
about two.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop
from cyberdesk_server.testing.rows import a_database, a_postgresql

from bench import webhooks_delays, webhooks_losses

EVENTS = 100_000
DATABASES = ("sqlite", "postgresql")


def measure(*, events: int = EVENTS, databases: Sequence[str] = DATABASES) -> None:
    for name in databases:
        uvloop.run(_measure(name, events))


async def _measure(name: str, events: int) -> None:
    async with AsyncExitStack() as parts:
        if name == "sqlite":
            folder = Path(parts.enter_context(TemporaryDirectory()))
            fresh = [await parts.enter_async_context(a_database(folder)) for _ in range(2)]
        else:
            server = parts.enter_context(a_postgresql(waits_for_disk=True))
            fresh = [await parts.enter_async_context(server.a_database()) for _ in range(2)]
        await webhooks_delays.measure(name, fresh[0])
        await webhooks_losses.measure(name, fresh[1], events=events)


def main() -> None:
    parser = ArgumentParser(
        prog="python -m bench.webhooks", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=EVENTS, help="how many; %(default)s when not told")
    parser.add_argument("--database", choices=DATABASES, help="one of the two only")
    options = parser.parse_args()
    measure(events=options.events, databases=[options.database] if options.database else DATABASES)


if __name__ == "__main__":
    main()
