"""`client.webhooks`: who is told of what, and how it went. Receivers use the module `cyberdesk.webhooks`."""

from __future__ import annotations

from collections.abc import Sequence

from cyberdesk import models
from cyberdesk._answers import done, many, one
from cyberdesk._arguments import Id, Moment, given, identifier, optional_identifier, query, texts
from cyberdesk._flow import Flow
from cyberdesk._paging import iterating, iterating_blocking
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking


class WebhooksAPI(Resource):
    """Endpoints are URLs that are told what happens; each message can be looked at and sent again."""

    @asynchronous
    def event_types(self) -> Flow[list[models.WebhookEventTypeResponse]]:
        """Everything endpoints can be told of, with schema and example (`GET /v1/webhooks/event-types`)."""
        promise = many(models.WebhookEventTypeResponse)
        return (yield from self._ask("GET", "/v1/webhooks/event-types", promise))

    event_types_sync = blocking(event_types)

    @asynchronous
    def create_endpoint(self, data: models.WebhookEndpointCreate) -> Flow[models.WebhookEndpointResponse]:
        """A new endpoint, told of completed runs unless it says otherwise (`POST /v1/webhooks/endpoints`)."""
        promise = one(models.WebhookEndpointResponse, 201)
        return (yield from self._ask("POST", "/v1/webhooks/endpoints", promise, body=data))

    create_endpoint_sync = blocking(create_endpoint)

    @asynchronous
    def endpoints(
        self, skip: int | None = None, limit: int | None = None
    ) -> Flow[models.PaginatedResponseWebhookEndpointResponse]:
        """A page of the endpoints, newest first (`GET /v1/webhooks/endpoints`)."""
        promise = one(models.PaginatedResponseWebhookEndpointResponse)
        asked = query(skip=skip, limit=limit)
        return (yield from self._ask("GET", "/v1/webhooks/endpoints", promise, query=asked))

    endpoints_sync = blocking(endpoints)
    iterate_endpoints = iterating(endpoints)
    iterate_endpoints_sync = iterating_blocking(endpoints)

    @asynchronous
    def get_endpoint(self, endpoint_id: Id) -> Flow[models.WebhookEndpointResponse]:
        """The endpoint, and how it has been doing (`GET /v1/webhooks/endpoints/{endpoint_id}`)."""
        return (yield from self._ask("GET", _endpoint(endpoint_id), one(models.WebhookEndpointResponse)))

    get_endpoint_sync = blocking(get_endpoint)

    @asynchronous
    def update_endpoint(
        self, endpoint_id: Id, data: models.WebhookEndpointUpdate
    ) -> Flow[models.WebhookEndpointResponse]:
        """The endpoint after the change; `is_enabled` disables and enables it
        (`PATCH /v1/webhooks/endpoints/{endpoint_id}`)."""
        promise = one(models.WebhookEndpointResponse)
        return (yield from self._ask("PATCH", _endpoint(endpoint_id), promise, body=data))

    update_endpoint_sync = blocking(update_endpoint)

    @asynchronous
    def delete_endpoint(self, endpoint_id: Id) -> Flow[dict[str, bool]]:
        """`{"success": True}` once the endpoint is gone (`DELETE /v1/webhooks/endpoints/{endpoint_id}`)."""
        return (yield from self._ask("DELETE", _endpoint(endpoint_id), done()))

    delete_endpoint_sync = blocking(delete_endpoint)

    @asynchronous
    def get_secret(self, endpoint_id: Id) -> Flow[models.WebhookEndpointSecretResponse]:
        """What signs the endpoint's messages (`GET /v1/webhooks/endpoints/{endpoint_id}/secret`)."""
        promise = one(models.WebhookEndpointSecretResponse)
        return (yield from self._ask("GET", f"{_endpoint(endpoint_id)}/secret", promise))

    get_secret_sync = blocking(get_secret)

    @asynchronous
    def rotate_secret(
        self, endpoint_id: Id, data: models.WebhookEndpointRotate | None = None
    ) -> Flow[models.WebhookEndpointResponse]:
        """Sign with a new secret, and for a while with the old one too
        (`POST /v1/webhooks/endpoints/{endpoint_id}/rotate`)."""
        promise = one(models.WebhookEndpointResponse)
        body = data or models.WebhookEndpointRotate()
        return (yield from self._ask("POST", f"{_endpoint(endpoint_id)}/rotate", promise, body=body))

    rotate_secret_sync = blocking(rotate_secret)

    @asynchronous
    def send_test(
        self, endpoint_id: Id, event_type: models.WebhookEventType | str | None = None
    ) -> Flow[models.WebhookMessageResponse]:
        """The example of an event, on its way to this endpoint
        (`POST /v1/webhooks/endpoints/{endpoint_id}/test`)."""
        promise = one(models.WebhookMessageResponse, 201)
        body = models.WebhookTestCreate(event_type=given(event_type))
        return (yield from self._ask("POST", f"{_endpoint(endpoint_id)}/test", promise, body=body))

    send_test_sync = blocking(send_test)

    @asynchronous
    def recover(
        self, endpoint_id: Id, since: Moment, until: Moment | None = None
    ) -> Flow[models.WebhookRecoverResponse]:
        """How many failed messages since then are sent again
        (`POST /v1/webhooks/endpoints/{endpoint_id}/recover`)."""
        promise = one(models.WebhookRecoverResponse)
        body = models.WebhookRecoverCreate(since=since, until=given(until))
        return (yield from self._ask("POST", f"{_endpoint(endpoint_id)}/recover", promise, body=body))

    recover_sync = blocking(recover)

    @asynchronous
    def messages(
        self,
        skip: int | None = None,
        limit: int | None = None,
        *,
        event_type: models.WebhookEventType | str | None = None,
        run_id: Id | None = None,
        endpoint_id: Id | None = None,
        status: models.WebhookDeliveryStatus | str | None = None,
        created_at_from: Moment | None = None,
        created_at_to: Moment | None = None,
        include_payload: bool | None = None,
    ) -> Flow[models.PaginatedResponseWebhookMessageResponse]:
        """A page of the messages that match all given filters, newest first (`GET /v1/webhooks/messages`)."""
        asked = query(
            skip=skip,
            limit=limit,
            event_type=event_type,
            run_id=optional_identifier("run_id", run_id),
            endpoint_id=optional_identifier("endpoint_id", endpoint_id),
            status=status,
            created_at_from=created_at_from,
            created_at_to=created_at_to,
            include_payload=include_payload,
        )
        promise = one(models.PaginatedResponseWebhookMessageResponse)
        return (yield from self._ask("GET", "/v1/webhooks/messages", promise, query=asked))

    messages_sync = blocking(messages)
    iterate_messages = iterating(messages)
    iterate_messages_sync = iterating_blocking(messages)

    @asynchronous
    def get_message(self, message_id: Id) -> Flow[models.WebhookMessageResponse]:
        """The message with its body and deliveries (`GET /v1/webhooks/messages/{message_id}`)."""
        return (yield from self._ask("GET", _message(message_id), one(models.WebhookMessageResponse)))

    get_message_sync = blocking(get_message)

    @asynchronous
    def attempts(
        self, message_id: Id, skip: int | None = None, limit: int | None = None
    ) -> Flow[models.PaginatedResponseWebhookAttemptResponse]:
        """A page of the requests by which the message was sent, newest first
        (`GET /v1/webhooks/messages/{message_id}/attempts`)."""
        promise = one(models.PaginatedResponseWebhookAttemptResponse)
        asked = query(skip=skip, limit=limit)
        return (yield from self._ask("GET", f"{_message(message_id)}/attempts", promise, query=asked))

    attempts_sync = blocking(attempts)
    iterate_attempts = iterating(attempts)
    iterate_attempts_sync = iterating_blocking(attempts)

    @asynchronous
    def replay(
        self, message_id: Id, endpoint_ids: Sequence[Id] | None = None
    ) -> Flow[models.WebhookMessageResponse]:
        """The message, on its way again under its id: to all endpoints it went to, or to these
        (`POST /v1/webhooks/messages/{message_id}/replay`)."""
        promise = one(models.WebhookMessageResponse)
        named = None if endpoint_ids is None else texts(endpoint_ids)
        body = models.WebhookReplayCreate(endpoint_ids=given(named))
        return (yield from self._ask("POST", f"{_message(message_id)}/replay", promise, body=body))

    replay_sync = blocking(replay)


def _endpoint(endpoint_id: Id) -> str:
    return f"/v1/webhooks/endpoints/{identifier('endpoint_id', endpoint_id)}"


def _message(message_id: Id) -> str:
    return f"/v1/webhooks/messages/{identifier('message_id', message_id)}"
