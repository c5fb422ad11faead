"""What webhooks have to tell, written in the transaction in which it happened (invariant 9).

Whoever ends a run, whichever way, says so here; `usecases.webhook_messages` takes it further.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.json import uuid_as_text
from cyberdesk_server.domain.webhooks import WebhookEventType
from cyberdesk_server.store.lists import among
from cyberdesk_server.store.tables import organizations, runs, webhook_endpoints, webhook_messages, workflows
from cyberdesk_server.store.types import Id, UtcDateTime, Words


async def runs_ended(conn: AsyncConnection, run_ids: Collection[RunId], *, now: datetime) -> None:
    """These runs have ended just now: those whose workflow sends webhooks are to be told of."""
    to_tell = (await conn.execute(_TO_TELL, {"run_ids": run_ids})).all() if run_ids else []
    if to_tell:
        event_type = WebhookEventType.RUN_COMPLETE.value
        await conn.execute(
            webhook_messages.insert(),
            [
                {
                    "id": uuid4(),
                    "organization_id": row.organization_id,
                    "event_type": event_type,
                    "run_id": row.id,
                    "created_at": now,
                }
                for row in to_tell
            ],
        )


async def happened(
    conn: AsyncConnection,
    event_type: WebhookEventType,
    all_facts: Collection[Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    """This happened, once for each of these facts, in the organization of their `organization_id`.

    It is kept only where the organization has an endpoint.
    """
    rows = [
        {
            "message_id": (message_id := uuid4()),
            "of_organization": facts["organization_id"],
            "event": event_type.value,
            "now": now,
            "payload_text": payload(message_id, event_type, facts, occurred_at=now),
        }
        for facts in all_facts
    ]
    if rows:
        await conn.execute(_HAPPENED, rows)


def payload(message_id: UUID, event_type: str, facts: Mapping[str, Any], *, occurred_at: datetime) -> str:
    """The JSON that endpoints get."""
    head = {"event_id": message_id, "event_type": event_type, "occurred_at": occurred_at}
    return orjson.dumps({**head, **facts}, uuid_as_text, option=orjson.OPT_UTC_Z).decode()


# Built once: each ended run says something here.
_TO_TELL = (
    select(runs.c.id, runs.c.organization_id)
    .select_from(runs.join(workflows, workflows.c.id == runs.c.workflow_id))
    .where(among(runs.c.id, "run_ids"), workflows.c.is_webhooks_enabled)
)
_HAPPENED = insert(webhook_messages).from_select(
    ["id", "organization_id", "event_type", "payload", "created_at"],
    select(
        bindparam("message_id", type_=Id),
        organizations.c.id,
        bindparam("event"),
        bindparam("payload_text", type_=Words),
        bindparam("now", type_=UtcDateTime),
    ).where(
        organizations.c.id == bindparam("of_organization"),
        select(webhook_endpoints.c.id)
        .where(webhook_endpoints.c.organization_id == organizations.c.id)
        .exists(),
    ),
    include_defaults=False,
)
