"""What webhooks have to tell, written in the transaction in which it happened (invariant 9).

Whoever ends a run, whichever way, says so here; `usecases.webhook_messages` takes it further.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import uuid4

from sqlalchemy import bindparam, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.webhooks import EventType
from cyberdesk_server.store.tables import runs, webhook_messages, workflows
from cyberdesk_server.store.types import Id, UtcDateTime


async def runs_ended(conn: AsyncConnection, run_ids: Collection[RunId], *, now: datetime) -> None:
    """These runs have ended just now: those whose workflow sends webhooks are to be told of."""
    rows = [{"message_id": uuid4(), "ended_run_id": run_id, "now": now} for run_id in run_ids]
    if rows:
        await conn.execute(_RUN_ENDED, rows)


# Built once: each ended run says something here.
_RUN_ENDED = insert(webhook_messages).from_select(
    ["id", "organization_id", "event_type", "run_id", "created_at"],
    select(
        bindparam("message_id", type_=Id),
        runs.c.organization_id,
        literal(EventType.RUN_COMPLETE.value),
        runs.c.id,
        bindparam("now", type_=UtcDateTime),
    )
    .select_from(runs.join(workflows, workflows.c.id == runs.c.workflow_id))
    .where(runs.c.id == bindparam("ended_run_id"), workflows.c.is_webhooks_enabled),
    include_defaults=False,
)
