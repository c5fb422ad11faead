"""`cyberdesk webhooks`: who is told what happens, and what came of it; on a laptop, too."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

import typer

from cyberdesk import CyberdeskClient
from cyberdesk import webhooks as receiving
from cyberdesk.cli.access import command, tell
from cyberdesk.cli.failures import Misuse, answered
from cyberdesk.cli.options import AsJson, Limit, Skip
from cyberdesk.cli.printing import print_json, print_line, print_table, shown
from cyberdesk.models import WebhookDeliveryStatus, WebhookEventType, WebhookMessageResponse

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

SECRET_VARIABLE = "SVIX_WEBHOOK_SECRET"
OVERLAP = dt.timedelta(minutes=1)
"""How far back each look goes: what happened first is not always seen first."""

PAGE = 100
FORWARD_TIMEOUT_SECONDS = 15.0


@command(group, "endpoints", example="cyberdesk webhooks endpoints")
def list_endpoints(
    client: CyberdeskClient, limit: Limit = 100, skip: Skip = 0, as_json: AsJson = False
) -> None:
    """List the endpoints, and whether they work."""
    page = answered(client.webhooks.endpoints_sync(skip, limit))
    if as_json:
        print_json(page)
        return
    heads = ("id", "url", "events", "enabled", "disabled because", "failing since")
    print_table(
        heads,
        (
            (
                one.id,
                one.url,
                ", ".join(one.event_types),
                one.is_enabled,
                one.disabled_reason,
                one.failing_since,
            )
            for one in page.items
        ),
    )


@command(group, "messages", example="cyberdesk webhooks messages --status failed")
def list_messages(
    client: CyberdeskClient,
    status: Annotated[
        WebhookDeliveryStatus | None, typer.Option(help="Only with a delivery like this.")
    ] = None,
    event_type: Annotated[WebhookEventType | None, typer.Option(help="Only of this event.")] = None,
    limit: Limit = 100,
    skip: Skip = 0,
    as_json: AsJson = False,
) -> None:
    """List what was sent, newest first."""
    page = answered(client.webhooks.messages_sync(skip, limit, status=status, event_type=event_type))
    if as_json:
        print_json(page)
        return
    heads = ("id", "event", "at", "run", "deliveries")
    rows = ((one.id, one.event_type, one.created_at, one.run_id, _deliveries(one)) for one in page.items)
    print_table(heads, rows)


@command(group, "replay", example="cyberdesk webhooks replay 5a6b7c8d-0000-4000-8000-000000000000")
def replay(
    client: CyberdeskClient, message: Annotated[str, typer.Argument(metavar="MESSAGE", help="Its id.")]
) -> None:
    """Send a message again, to every endpoint it went to."""
    sent = answered(client.webhooks.replay_sync(message))
    tell(f"sent again: {_deliveries(sent) or 'to nobody'}")


@command(
    group,
    "listen",
    example="cyberdesk webhooks listen --forward-to http://127.0.0.1:8000/webhooks/cyberdesk",
)
def listen(
    client: CyberdeskClient,
    forward_to: Annotated[
        str | None,
        typer.Option(metavar="URL", help=f"Post each message there too, signed with ${SECRET_VARIABLE}."),
    ] = None,
    event_type: Annotated[WebhookEventType | None, typer.Option(help="Only of this event.")] = None,
    every_seconds: Annotated[
        float, typer.Option("--every", metavar="SECONDS", help="How often to look.", min=0.1)
    ] = 1.0,
    count: Annotated[int | None, typer.Option(help="End after so many messages.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Print messages as they are sent, until interrupted. No address of this computer has to be reachable."""
    secret = os.environ.get(SECRET_VARIABLE) if forward_to else None
    if forward_to and not secret:
        raise Misuse(f"--forward-to: set {SECRET_VARIABLE} to the secret that the receiver expects")
    tell("listening; Ctrl+C ends it")
    for heard, message in enumerate(_new_messages(client, event_type, every_seconds), start=1):
        body = json.dumps(message.payload, ensure_ascii=False)
        print_line(body if as_json else _line(message))
        if forward_to and secret:
            tell(_forwarded(forward_to, secret, message, body))
        if heard == count:
            return


def _new_messages(
    client: CyberdeskClient, event_type: WebhookEventType | None, every_seconds: float
) -> Iterator[WebhookMessageResponse]:
    since = dt.datetime.now(dt.timezone.utc)
    told: dict[UUID, dt.datetime] = {}
    while True:
        begin = since if not told else max(since, max(told.values()) - OVERLAP)
        found = answered(
            client.webhooks.messages_sync(
                limit=PAGE, event_type=event_type, created_at_from=begin, include_payload=True
            )
        )
        for message in reversed(found.items):
            if message.id not in told:
                told[message.id] = message.created_at
                yield message
        told = {id_: moment for id_, moment in told.items() if moment >= begin}
        time.sleep(every_seconds)


def _line(message: WebhookMessageResponse) -> str:
    run = (message.payload or {}).get("run") or {}
    about = f"run {run['id']} {run.get('status')}" if "id" in run else ""
    parts = (shown(message.created_at), message.event_type, str(message.id), about, _deliveries(message))
    return "  ".join(part for part in parts if part)


def _deliveries(message: WebhookMessageResponse) -> str:
    return ", ".join(f"{one.status} after {one.attempts}" for one in message.deliveries)


def _forwarded(url: str, secret: str, message: WebhookMessageResponse, body: str) -> str:
    import httpx  # loaded with the client anyway

    try:
        headers = receiving.signed_headers(body, secret, message_id=str(message.id))
    except ValueError as error:
        raise Misuse(f"{SECRET_VARIABLE}: {error}") from error
    headers["content-type"] = "application/json"
    try:
        answer = httpx.post(url, content=body.encode(), headers=headers, timeout=FORWARD_TIMEOUT_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"{url} was not reached: {error or type(error).__name__}"
    return f"{url} answered {answer.status_code}"
