"""What the server's parts tell one another on the bus. A machine's own topic is in `questions`."""

from uuid import UUID

RUNS_WAITING = "runs.waiting"
"""A run waits that did not wait before. Workers listen."""

MACHINES_FREE = "machines.free"
"""A machine can take a run that could not before. Workers listen."""


WEBHOOKS_WAITING = "webhooks.waiting"
"""Something is to be told to endpoints of webhooks. Senders listen."""


def run_topic(run_id: UUID) -> str:
    """Something about this run changed."""
    return f"run.{run_id}"
