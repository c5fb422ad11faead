"""A receiver of webhooks, ready for production once `seen` and `handle` are yours.

    python -m uvicorn tests.webhooks.example_webhook_handler:app --reload

It answers at once and works afterwards: an answer that takes longer than 15 seconds counts as a failure, and
the message comes again. Any message may come more than once, and in any order.
"""

from __future__ import annotations

import logging
import os
from collections import OrderedDict

from dotenv import load_dotenv
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request
from svix.webhooks import Webhook, WebhookVerificationError

from cyberdesk import (
    DownedMachinesEvent,
    RunCompletedEvent,
    SessionReleasedEvent,
    WebhookEndpointDisabledEvent,
    webhooks,
)

load_dotenv()
log = logging.getLogger("uvicorn.error")
app = FastAPI()

REMEMBERED = 10_000


class Seen:
    """Ids of messages that were taken. With several processes this belongs into your database."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._ids: OrderedDict[str, None] = OrderedDict()

    def is_new(self, message_id: str) -> bool:
        """True the first time an id is asked for."""
        if message_id in self._ids:
            return False
        self._ids[message_id] = None
        if len(self._ids) > self._capacity:
            self._ids.popitem(last=False)
        return True


seen = Seen(REMEMBERED)


@app.post("/webhooks/cyberdesk")
async def cyberdesk_webhook(request: Request, background: BackgroundTasks) -> dict[str, bool]:
    payload = await request.body()
    headers = {
        name: request.headers.get(name, "") for name in ("svix-id", "svix-timestamp", "svix-signature")
    }
    try:
        Webhook(os.environ["SVIX_WEBHOOK_SECRET"]).verify(payload, headers)
    except WebhookVerificationError:
        raise HTTPException(status_code=400, detail="Invalid signature") from None
    if seen.is_new(headers["svix-id"]):
        background.add_task(handle, webhooks.parse(payload))
    return {"ok": True}


def handle(event: webhooks.Event) -> None:
    """What is to be done about an event."""
    match event:
        case RunCompletedEvent():
            run = event.run
            if run.status == "success":
                log.info("run %s completed: %s", run.id, run.output_data)
            else:
                log.warning("run %s ended %s: %s", run.id, run.status, ", ".join(run.error or []))
            if run.release_session_after:
                log.info("session %s is complete", run.session_id)
        case DownedMachinesEvent():
            for machine in event.machines:
                log.error("machine %s is lost: %s", machine.name or machine.machine_id, machine.reason)
        case SessionReleasedEvent():
            log.info("session %s has ended", event.session_id)
        case WebhookEndpointDisabledEvent():
            log.error("endpoint %s gets nothing any more: %s", event.url, event.reason)
        case _:
            log.info("an event this version does not know: %s", event)
