"""`/v1/webhooks`: endpoints, what they are told of, and what came of it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES, Limit, PaginatedResponse, Skip, UtcTime
from cyberdesk_server.api.schemas.webhooks import (
    WebhookAttemptResponse,
    WebhookEndpointCreate,
    WebhookEndpointResponse,
    WebhookEndpointRotate,
    WebhookEndpointSecretResponse,
    WebhookEndpointUpdate,
    WebhookEventTypeResponse,
    WebhookMessageResponse,
    WebhookRecoverCreate,
    WebhookRecoverResponse,
    WebhookReplayCreate,
    WebhookTestCreate,
)
from cyberdesk_server.api.views import page, sent
from cyberdesk_server.api.webhook_views import (
    EXAMPLES,
    attempt_view,
    catalogue,
    endpoint_view,
    message_view,
)
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import OrganizationId, RunId, WebhookEndpointId, WebhookMessageId
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.domain.webhooks import WebhookDeliveryStatus, WebhookEventType, WebhookMessage
from cyberdesk_server.store import webhook_deliveries, webhook_endpoints, webhook_messages
from cyberdesk_server.store.webhook_messages import Wanted
from cyberdesk_server.topics import WEBHOOKS_WAITING
from cyberdesk_server.usecases import webhooks

api = router(prefix="/v1/webhooks", tags=["webhooks"])


@api.get("/event-types", response_model=list[WebhookEventTypeResponse])
async def list_webhook_event_types(caller: Caller) -> Response:
    """Everything that endpoints can be told of, with its schema and an example."""
    return JsonAnswer(catalogue())


@api.post("/endpoints", status_code=201, response_model=WebhookEndpointResponse, openapi_extra=WRITES)
async def create_webhook_endpoint(
    request: Request, body: WebhookEndpointCreate, caller: Caller, parts: PartsOf
) -> Response:
    """Tell this URL what happens from now on. `GET …/secret` tells the secret that signs its messages."""

    async def work(conn: AsyncConnection) -> Response:
        endpoint = await webhooks.create(
            conn,
            caller.organization_id,
            {
                "url": body.url,
                "description": body.description,
                "event_types": tuple(dict.fromkeys(body.event_types)),
            },
            secret=body.secret,
            reach=parts.reach,
            vault=parts.vault,
            now=parts.clock.now(),
        )
        return JsonAnswer(endpoint_view(endpoint), 201)

    return await write(request, work)


@api.get("/endpoints", response_model=PaginatedResponse[WebhookEndpointResponse])
async def list_webhook_endpoints(
    caller: Caller, parts: PartsOf, skip: Skip = 0, limit: Limit = 100
) -> Response:
    """Endpoints, newest first."""
    async with parts.database.read() as conn:
        found, total = await webhook_endpoints.find(conn, caller.organization_id, skip=skip, limit=limit)
    return JsonAnswer(page([endpoint_view(one) for one in found], total, skip=skip, limit=limit))


@api.get("/endpoints/{endpoint_id}", response_model=WebhookEndpointResponse)
async def get_webhook_endpoint(endpoint_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """The endpoint, with how it has been doing."""
    async with parts.database.read() as conn:
        endpoint = await webhook_endpoints.get(conn, caller.organization_id, WebhookEndpointId(endpoint_id))
    if endpoint is None:
        raise Unknown(webhooks.NOUN, endpoint_id)
    return JsonAnswer(endpoint_view(endpoint))


@api.patch("/endpoints/{endpoint_id}", response_model=WebhookEndpointResponse, openapi_extra=WRITES)
async def update_webhook_endpoint(
    request: Request, endpoint_id: UUID, body: WebhookEndpointUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Change the fields that are sent; `is_enabled` disables and enables."""
    fields = body.model_dump(exclude_unset=True, exclude={"is_enabled"})
    changes = sent(fields, not_null=frozenset({"url", "event_types"}))
    if "event_types" in changes:
        changes["event_types"] = tuple(dict.fromkeys(changes["event_types"]))

    async def work(conn: AsyncConnection) -> Response:
        endpoint = await webhooks.update(
            conn,
            caller.organization_id,
            WebhookEndpointId(endpoint_id),
            changes,
            is_enabled=body.is_enabled,
            reach=parts.reach,
            now=parts.clock.now(),
        )
        return JsonAnswer(endpoint_view(endpoint))

    return await write(request, work)


@api.delete("/endpoints/{endpoint_id}", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_webhook_endpoint(
    request: Request, endpoint_id: UUID, caller: Caller, parts: PartsOf
) -> Response:
    """Remove an endpoint with its deliveries; what waited for it is not sent."""

    async def work(conn: AsyncConnection) -> Response:
        await webhooks.delete(conn, caller.organization_id, WebhookEndpointId(endpoint_id))
        return no_content()

    return await write(request, work)


@api.get("/endpoints/{endpoint_id}/secret", response_model=WebhookEndpointSecretResponse)
async def get_webhook_endpoint_secret(endpoint_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """What signs the endpoint's messages, for whoever checks them."""
    async with parts.database.read() as conn:
        secret, old_secret, until = await webhooks.secrets(
            conn,
            caller.organization_id,
            WebhookEndpointId(endpoint_id),
            vault=parts.vault,
            now=parts.clock.now(),
        )
    answer = {"secret": secret, "old_secret": old_secret, "old_secret_valid_until": until}
    return JsonAnswer(answer, headers={"Cache-Control": "no-store"})


@api.post("/endpoints/{endpoint_id}/rotate", response_model=WebhookEndpointResponse, openapi_extra=WRITES)
async def rotate_webhook_endpoint_secret(
    request: Request, endpoint_id: UUID, body: WebhookEndpointRotate, caller: Caller, parts: PartsOf
) -> Response:
    """Sign with a new secret from now on, and for a while with the old one as well."""

    async def work(conn: AsyncConnection) -> Response:
        endpoint = await webhooks.rotate(
            conn,
            caller.organization_id,
            WebhookEndpointId(endpoint_id),
            secret=body.secret,
            old_valid_seconds=body.old_valid_seconds,
            vault=parts.vault,
            now=parts.clock.now(),
        )
        return JsonAnswer(endpoint_view(endpoint))

    return await write(request, work)


@api.post(
    "/endpoints/{endpoint_id}/test",
    status_code=201,
    response_model=WebhookMessageResponse,
    openapi_extra=WRITES,
)
async def test_webhook_endpoint(
    request: Request, endpoint_id: UUID, body: WebhookTestCreate, caller: Caller, parts: PartsOf
) -> Response:
    """Send the example of an event to this endpoint; what came of it is told by the message."""
    event_type = body.event_type or WebhookEventType.RUN_COMPLETE

    async def work(conn: AsyncConnection) -> Response:
        message = await webhooks.send_test(
            conn,
            caller.organization_id,
            WebhookEndpointId(endpoint_id),
            event_type,
            EXAMPLES[event_type],
            now=parts.clock.now(),
        )
        return await _message_answer(conn, message, 201)

    answer = await write(request, work)
    await parts.bus.publish(WEBHOOKS_WAITING)
    return answer


@api.post("/endpoints/{endpoint_id}/recover", response_model=WebhookRecoverResponse, openapi_extra=WRITES)
async def recover_webhook_endpoint(
    request: Request, endpoint_id: UUID, body: WebhookRecoverCreate, caller: Caller, parts: PartsOf
) -> Response:
    """Send again what has failed to reach this endpoint since a time."""

    async def work(conn: AsyncConnection) -> Response:
        count = await webhooks.recover(
            conn,
            caller.organization_id,
            WebhookEndpointId(endpoint_id),
            since=body.since,
            until=body.until,
            now=parts.clock.now(),
        )
        return JsonAnswer({"count": count})

    answer = await write(request, work)
    await parts.bus.publish(WEBHOOKS_WAITING)
    return answer


@api.get("/messages", response_model=PaginatedResponse[WebhookMessageResponse])
async def list_webhook_messages(
    caller: Caller,
    parts: PartsOf,
    event_type: WebhookEventType | None = None,
    run_id: UUID | None = None,
    endpoint_id: UUID | None = None,
    status: WebhookDeliveryStatus | None = None,
    created_at_from: UtcTime | None = None,
    created_at_to: UtcTime | None = None,
    include_payload: bool = False,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Response:
    """Messages, newest first, with their deliveries. `status` is that of a delivery, to `endpoint_id` if that
    is given."""
    wanted = Wanted(
        event_type=event_type,
        run_id=None if run_id is None else RunId(run_id),
        endpoint_id=None if endpoint_id is None else WebhookEndpointId(endpoint_id),
        status=status,
        created_from=created_at_from,
        created_to=created_at_to,
    )
    async with parts.database.read() as conn:
        found, total = await webhook_messages.find(
            conn, caller.organization_id, wanted, skip=skip, limit=limit
        )
        deliveries = await webhook_deliveries.of_messages(conn, [message.id for message in found])
    views = [message_view(one, deliveries.get(one.id, ()), has_payload=include_payload) for one in found]
    return JsonAnswer(page(views, total, skip=skip, limit=limit))


@api.get("/messages/{message_id}", response_model=WebhookMessageResponse)
async def get_webhook_message(message_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """The message with its body and deliveries."""
    async with parts.database.read() as conn:
        message = await _message(conn, caller.organization_id, message_id)
        return await _message_answer(conn, message, 200)


@api.get("/messages/{message_id}/attempts", response_model=PaginatedResponse[WebhookAttemptResponse])
async def list_webhook_attempts(
    message_id: UUID, caller: Caller, parts: PartsOf, skip: Skip = 0, limit: Limit = 100
) -> Response:
    """Every request by which the message was sent, newest first: what was asked, and what came back."""
    async with parts.database.read() as conn:
        message = await _message(conn, caller.organization_id, message_id)
        found, total = await webhook_deliveries.attempts(conn, message.id, skip=skip, limit=limit)
    return JsonAnswer(page([attempt_view(one) for one in found], total, skip=skip, limit=limit))


@api.post("/messages/{message_id}/replay", response_model=WebhookMessageResponse, openapi_extra=WRITES)
async def replay_webhook_message(
    request: Request, message_id: UUID, body: WebhookReplayCreate, caller: Caller, parts: PartsOf
) -> Response:
    """Send the message again, under its id: to the endpoints it went to, or to those that are named."""
    ids = None if body.endpoint_ids is None else [WebhookEndpointId(one) for one in body.endpoint_ids]

    async def work(conn: AsyncConnection) -> Response:
        message = await webhooks.replay(
            conn, caller.organization_id, WebhookMessageId(message_id), ids, now=parts.clock.now()
        )
        return await _message_answer(conn, message, 200)

    answer = await write(request, work)
    await parts.bus.publish(WEBHOOKS_WAITING)
    return answer


async def _message(
    conn: AsyncConnection, organization_id: OrganizationId, message_id: UUID
) -> WebhookMessage:
    message = await webhook_messages.get(conn, organization_id, WebhookMessageId(message_id))
    if message is None or message.payload is None:
        raise Unknown(webhooks.MESSAGE, message_id)
    return message


async def _message_answer(conn: AsyncConnection, message: WebhookMessage, status: int) -> Response:
    deliveries = await webhook_deliveries.of_messages(conn, [message.id])
    return JsonAnswer(message_view(message, deliveries.get(message.id, ()), has_payload=True), status)
